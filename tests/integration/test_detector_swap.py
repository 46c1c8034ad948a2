"""Another detector is a change of one line of the configuration, applied to the running platform without a failed request."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable
from pathlib import Path

import httpx
import pytest

from models.demo.catalog import demo_products, demo_rooms
from models.demo.pictures import demo_frame
from tests.integration.conftest import ROOT, Server
from tests.models.vision.checkpoints import save_tiny_d_fine

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
SHIPPED = ROOT / "serve_config.yaml"
PRODUCT = demo_products()[0]
ROOM = next(room for room in demo_rooms() if room.live)
FRAME = demo_frame({PRODUCT.product_id: PRODUCT.category}, seed=3)
LABELS = ("gadget", "garment")
CALLERS = 2


def edited(folder: Path, detector: Path) -> Path:
    """The shipped configuration with one line changed."""
    before = SHIPPED.read_text(encoding="utf-8").splitlines()
    (line,) = [number for number, text in enumerate(before) if "detector: a folder or hub id" in text]
    after = list(before)
    after[line] = f"        user_config: {{ detector: {detector} }}"
    path = folder / "edited.yaml"
    path.write_text("\n".join(after) + "\n", encoding="utf-8")
    return path


def livecart(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("livecart")), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)


class Load:
    """Callers who ask on and on; how they were answered."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.statuses: Counter[int] = Counter()

    async def during(self, work: Awaitable["subprocess.CompletedProcess[str]"]) -> "subprocess.CompletedProcess[str]":
        async with asyncio.TaskGroup() as group:
            callers = [group.create_task(self._ask()) for _ in range(CALLERS)]
            done = await work
            for caller in callers:
                caller.cancel()
        return done

    async def _ask(self) -> None:
        while True:
            answer = await recognized(self._http, room_id=ROOM.room_id)
            self.statuses[answer.status_code] += 1
            await asyncio.sleep(0.05)


async def recognized(http: httpx.AsyncClient, **options: str) -> httpx.Response:
    return await http.post("/v1/recognize", content=FRAME, headers={"content-type": "image/jpeg"}, params=options)


async def categories(http: httpx.AsyncClient) -> set[str]:
    """What several answers in a row call the things on screen: each replica has its turn."""
    answers = [await recognized(http, min_score="0.01") for _ in range(8)]
    return {seen["category"] for answer in answers for seen in answer.raise_for_status().json()["products"]}


async def test_a_checkpoint_of_another_architecture_is_swapped_in_and_out_under_load(
    server: Server, async_http: httpx.AsyncClient, tmp_path: Path
) -> None:
    folder = tmp_path / "d-fine"
    save_tiny_d_fine(folder, LABELS)
    config, home = edited(tmp_path, folder), ("--home", str(server.home))
    assert not await categories(async_http) & set(LABELS)

    planned = json.loads((await asyncio.to_thread(livecart, "plan", str(config), *home, "--json")).stdout)["changes"]
    assert [(change["where"], change["consequence"]) for change in planned] == [
        ("Detector.user_config.detector", "applied to live replicas")
    ]
    replicas = server.replica_pids("Detector")
    load = Load(async_http)
    swapped = await load.during(asyncio.to_thread(livecart, "deploy", str(config), *home))
    assert swapped.returncode == 0, swapped.stdout + swapped.stderr
    seen = await categories(async_http)
    assert seen
    assert seen <= set(LABELS)

    back = await load.during(asyncio.to_thread(livecart, "deploy", str(SHIPPED), *home))
    assert back.returncode == 0, back.stdout + back.stderr
    assert not await categories(async_http) & set(LABELS)
    assert set(load.statuses) == {200}, load.statuses
    assert sorted(server.replica_pids("Detector")) == sorted(replicas), "no replica was restarted"


async def test_a_folder_that_holds_no_detector_is_refused_and_the_old_one_serves(
    server: Server, async_http: httpx.AsyncClient, tmp_path: Path
) -> None:
    config = edited(tmp_path, tmp_path / "absent")
    load = Load(async_http)
    refused = await load.during(asyncio.to_thread(livecart, "deploy", str(config), "--home", str(server.home)))
    assert refused.returncode == 1
    said = " ".join((refused.stdout + refused.stderr).split())
    assert f"{tmp_path / 'absent'} is no detector" in said
    assert "Nothing was deployed" in said
    assert set(load.statuses) == {200}
    assert not await categories(async_http) & set(LABELS)
