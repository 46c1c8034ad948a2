"""Graphs of this process whose detector and ranker are on an external server: the real stack, asked over its `/v2`."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from deployments.gateway import build_graphs
from deployments.ingress.fakes import fake_ports
from deployments.loading import load_ranker
from deployments.settings import IngressConfig, RankerConfig, Settings
from deployments.triton.build import triton_detector, triton_ranker
from deployments.triton.detector import TritonDetector
from deployments.triton.ranker import TritonRanker
from graphs.errors import DeadlineExceeded
from graphs.fakes import FakeShop
from graphs.recognize import RecognizeRequest
from models.demo.catalog import demo_products, demo_rooms
from models.demo.pictures import demo_frame
from models.types import Candidate, RankRequest, ViewerId
from tests.integration.conftest import Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

ROOM = next(room for room in demo_rooms() if room.live)
SHOWN = next(product for product in demo_products() if product.product_id == ROOM.shelf[0])
FRAME = demo_frame({SHOWN.product_id: SHOWN.category}, seed=1)


@pytest.fixture
def settings(server: Server) -> Settings:
    models = {name: {"url": server.url, "timeout_s": 30} for name in ("detector", "embedder", "ranker")}
    return Settings.model_validate({"placement": {"detector": "triton", "ranker": "triton"}, "triton": models})


@pytest.fixture
async def detector(settings: Settings) -> AsyncIterator[TritonDetector]:
    opened = await triton_detector(settings)
    yield opened
    await opened.aclose()


@pytest.fixture
async def ranker(settings: Settings) -> AsyncIterator[TritonRanker]:
    opened = await triton_ranker(settings, RankerConfig().recommender)
    yield opened
    await opened.aclose()


async def test_the_graph_sees_over_v2_what_the_server_s_own_graph_sees(detector: TritonDetector, async_http: httpx.AsyncClient) -> None:
    graphs = build_graphs(replace(fake_ports(FakeShop()), detector=detector, embedder=detector), IngressConfig())
    run = await graphs["recognize"].run(RecognizeRequest(FRAME), budget_s=60.0)
    there = (await async_http.post("/v1/recognize", files={"frame": FRAME})).json()
    assert [seen.category for seen in run.output.products] == [seen["category"] for seen in there["products"]] != []
    for here, seen in zip(run.output.products, there["products"], strict=True):
        assert here.box == pytest.approx(seen["box"], abs=0.5)
        assert here.score == pytest.approx(seen["score"], abs=1e-3)


async def test_what_is_cut_out_here_is_matched_as_there(detector: TritonDetector, async_http: httpx.AsyncClient) -> None:
    """The vectors made by way of `/v2` lead to the same product among those that the server has enrolled."""
    seen = await detector.detect(FRAME)
    rows = [{"name": "embedding", "datatype": "FP32", "shape": [len(seen.detections), seen.detections[0].embedding.size]}]
    rows[0]["data"] = [float(value) for each in seen.detections for value in each.embedding]
    count = {"name": "k", "datatype": "INT64", "shape": [1], "data": [1]}
    answer = (await async_http.post("/v2/models/retriever/infer", json={"inputs": [*rows, count]})).json()
    [ids] = [output["data"] for output in answer["outputs"] if output["name"] == "ids"]
    there = (await async_http.post("/v1/recognize", files={"frame": FRAME}, data={"top_k": "1"})).json()
    best = [found["matches"][0]["product_id"] for found in there["products"] if found["matches"]]
    assert SHOWN.product_id in ids
    assert set(best) <= set(ids)


async def test_candidates_are_ranked_over_v2_as_they_are_here(ranker: TritonRanker) -> None:
    candidates = tuple(Candidate(product.product_id, "popular", 1.0 / place) for place, product in enumerate(demo_products(), start=1))
    request = RankRequest(ViewerId("viewer-00001"), (), candidates, (SHOWN.product_id,), ROOM.shelf, datetime.now(UTC))
    here = load_ranker(RankerConfig()).rank(request)
    there = await ranker.rank(request)
    assert [item.product_id for item in there] == [item.product_id for item in here]
    assert [item.score for item in there] == pytest.approx([item.score for item in here], abs=1e-5)


async def test_a_graph_s_deadline_ends_the_call_there(detector: TritonDetector, async_http: httpx.AsyncClient) -> None:
    graphs = build_graphs(replace(fake_ports(FakeShop()), detector=detector, embedder=detector), IngressConfig())
    with pytest.raises(DeadlineExceeded):
        await graphs["recognize"].run(RecognizeRequest(FRAME), budget_s=0.005)
    await detector.ping()
