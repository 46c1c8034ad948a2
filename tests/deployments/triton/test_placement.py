"""`placement: triton` from the settings to the graphs: wired, ready or not, and refused where nothing fits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ray import serve

from deployments.app import build
from deployments.gateway import Gateway
from deployments.settings import Settings
from deployments.store import Store
from deployments.telemetry import Telemetry
from deployments.triton.errors import Unfit
from deployments.wiring import Wiring
from graphs.recognize import RecognizeRequest
from tests.deployments.triton.serving import Told, own_v2, serving
from tests.pages import ROOT

FRAME = (ROOT / "docs" / "pictures" / "frame.jpg").read_bytes()


class Silent:
    """A writer whom nobody asks."""


def settings(url: str, home: Path, **changes: Any) -> Settings:  # noqa: ANN401  # fields by name
    models = {name: {"url": url} for name in ("detector", "embedder", "ranker")}
    placement = {"detector": "triton", "ranker": "triton"}
    return Settings.model_validate({"home": home, "placement": placement, "triton": models, "retriever": {"reranker": None}, **changes})


@asynccontextmanager
async def wired(asked: Settings, database: str) -> AsyncIterator[tuple[Gateway, Wiring]]:
    writer = serve.run(serve.deployment(Silent).bind(), name="silent", route_prefix=None, _local_testing_mode=True)
    async with await Store.open(database) as store:
        wiring = await Wiring.start(asked, store, {"writer": writer})
        try:
            yield Gateway(store, wiring.ports, Telemetry()), wiring
        finally:
            await wiring.stop()


async def test_a_graph_runs_over_another_server_and_says_when_it_is_away(database: str, tmp_path: Path) -> None:
    async with own_v2(database) as url, wired(settings(url, tmp_path), database) as (gateway, wiring):
        run = await gateway.run("recognize", RecognizeRequest(FRAME), budget_s=60.0)
        assert run.output.products
        assert {wiring.placements[node] for node in ("recognize.detect", "recommend.rank")} == {"Triton"}
        assert await gateway.not_ready() == ["Writer"], "which nobody plays here"
        away = settings(url, tmp_path)
    async with wired(away, database) as (gateway, _):
        assert sorted(await gateway.not_ready()) == ["Detector", "Ranker", "Writer"]


async def test_a_server_that_serves_something_else_ends_the_start(database: str, tmp_path: Path) -> None:
    told = Told({"inputs": [], "outputs": []})
    async with serving(told.app()) as url:
        with pytest.raises(Unfit, match=r"model `detector` of .* does not fit: input `image` is missing"):
            async with wired(settings(url, tmp_path), database):
                pass


@pytest.mark.parametrize(
    ("placement", "triton", "found"),
    [
        ({"detector": "triton"}, {}, "triton.detector is needed"),
        ({"detector": "triton"}, {"detector": {"url": "http://a"}}, "triton.embedder is needed"),
        ({"ranker": "triton"}, {}, "triton.ranker is needed"),
        ({"retriever": "triton"}, {}, "'fused' or 'replica'"),
        ({}, {"ranker": {"url": "triton:8000"}}, "String should match pattern"),
    ],
)
def test_settings_that_name_no_server_are_refused(placement: dict[str, str], triton: dict[str, object], found: str) -> None:
    with pytest.raises(ValidationError, match=found):
        Settings.model_validate({"placement": placement, "triton": triton})


def test_no_replica_is_made_for_what_runs_elsewhere(tmp_path: Path) -> None:
    application = build(settings("http://triton:8000", tmp_path))
    assert set(application._bound_deployment.init_kwargs) == {"writer"}
