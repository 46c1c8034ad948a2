"""A drawn show through the real command and the real platform: right order, right dwell; and no GPL library in any of its processes."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.conftest import Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
LIVECART = str(Path(sys.executable).with_name("livecart"))
ROOM = "room-06"
GPL = ("libx264", "libx265", "/av.libs/")


@dataclass(frozen=True)
class Outcome:
    truth: list[dict[str, Any]]  # what was shown
    found: list[dict[str, Any]]
    annotated: Path


def livecart(*arguments: str) -> dict[str, Any]:
    """What a command printed with --json."""
    done = subprocess.run([LIVECART, *arguments, "--json"], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


@pytest.fixture(scope="module")
def outcome(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("video")
    show, annotated = folder / "show.mp4", folder / "annotated.mp4"
    truth = livecart("demo", "video", "--out", str(show), "--room", ROOM, "--seconds", "20", "--fps", "10", "--seed", "3")
    found = livecart("recognize", str(show), "--room", ROOM, "--out", str(annotated), "--url", server.url)
    return Outcome(truth["showings"], found["displays"], annotated)


def test_products_are_found_in_the_order_in_which_they_are_shown(outcome: Outcome) -> None:
    assert [display["product_id"] for display in outcome.found] == [showing["product_id"] for showing in outcome.truth]
    assert [display["order"] for display in outcome.found] == [1, 2]


def test_times_and_dwell_are_right_to_a_second(outcome: Outcome) -> None:
    for showing, display in zip(outcome.truth, outcome.found, strict=True):
        assert display["from_s"] == pytest.approx(showing["from_s"], abs=1)
        assert display["dwell_s"] == pytest.approx(showing["to_s"] - showing["from_s"], abs=1)


def test_the_annotated_video_is_whole(outcome: Outcome, server: Server) -> None:
    again = livecart("recognize", str(outcome.annotated), "--room", ROOM, "--fps", "0.5", "--url", server.url)
    assert again["frames_read"] == 200
    assert again["damage"] is None


def test_no_process_of_the_server_holds_a_gpl_codec(server: Server) -> None:
    processes = [server.launcher.pid, *(child.pid for child in psutil.Process(server.launcher.pid).children(recursive=True))]
    mapped = {pid: _maps(pid) for pid in processes}
    assert sum("libtorch" in maps for maps in mapped.values()) >= 2  # the models' processes are among them
    assert [(pid, name) for pid, maps in mapped.items() for name in GPL if name in maps] == []


def _maps(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:  # ended meanwhile
        return ""
