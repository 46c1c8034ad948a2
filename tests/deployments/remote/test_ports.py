"""One contract per port, on the fake, in this process, over handles (Serve's local testing mode: no cluster), and over our own `/v2`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from ray import serve
from ray.serve.handle import DeploymentHandle

from deployments.loading import load_comprehension, load_ranker
from deployments.local import LocalComprehension, LocalRanker
from deployments.remote.detector import CoalescedDetector
from deployments.remote.small import RemoteComprehension, RemoteRanker
from deployments.replicas import ComprehensionReplica, DetectorReplica, RankerReplica
from deployments.settings import CoalesceSettings, ComprehensionConfig, DetectorConfig, Frozen, RankerConfig, Settings
from deployments.triton.build import triton_detector, triton_ranker
from deployments.triton.detector import TritonDetector
from deployments.triton.ranker import TritonRanker
from graphs.errors import InvalidRequest, UnsupportedMedia
from graphs.fakes import FakeComprehension, FakeDetector, FakeRanker
from graphs.ports import Comprehension, Detector, Ranker
from models.demo.drawing.look import look_of
from models.demo.pictures import catalogue_picture
from models.recommend.features import FEATURE_NAMES
from models.types import Candidate, ModelInputError, ProductId, RankRequest, ViewerId
from models.vision.embedder_info import embedder_info
from tests.deployments.triton.conftest import database, migrated
from tests.deployments.triton.serving import own_v2, shipped_eye

__all__ = ["database", "migrated"]
PICTURE = catalogue_picture(look_of("sku-1001", "beauty"))


def handle_of(cls: type, config: Frozen, *arguments: object) -> DeploymentHandle:
    handle = serve.run(serve.deployment(cls).bind(*arguments), name=cls.__name__, route_prefix=None, _local_testing_mode=True)
    handle.reconfigure.remote(config.model_dump(mode="json")).result()  # this mode does not do it
    return handle


def remote_ranker() -> RemoteRanker:
    return RemoteRanker(handle_of(RankerReplica, RankerConfig()), "Ranker", CoalesceSettings())


def remote_comprehension() -> Comprehension:
    return RemoteComprehension(handle_of(ComprehensionReplica, ComprehensionConfig()), "Comprehension", CoalesceSettings())


def remote_detector() -> CoalescedDetector:
    return CoalescedDetector.remote(handle_of(DetectorReplica, DetectorConfig(), Settings().embedder), CoalesceSettings())


def local_detector() -> CoalescedDetector:
    return CoalescedDetector.local(shipped_eye(), CoalesceSettings())


def local_ranker() -> LocalRanker:
    return LocalRanker(load_ranker(RankerConfig()))


def elsewhere(url: str, **placement: str) -> Settings:
    models = {name: {"url": url} for name in ("detector", "embedder", "ranker")}
    return Settings.model_validate({"placement": placement, "triton": models})


async def external_ranker(url: str) -> TritonRanker:
    return await triton_ranker(elsewhere(url, ranker="triton"), RankerConfig().recommender)


async def external_detector(url: str) -> TritonDetector:
    return await triton_detector(elsewhere(url, detector="triton"))


@asynccontextmanager
async def made(make: Callable[..., Any], database: str) -> AsyncIterator[Any]:
    """The port: made in a thread, or over our own `/v2` on a port of this machine."""
    if not asyncio.iscoroutinefunction(make):
        yield await asyncio.to_thread(make)
        return
    async with own_v2(database) as url:
        port = await make(url)
        try:
            yield port
        finally:
            await port.aclose()


@pytest.fixture(params=[FakeRanker, local_ranker, remote_ranker, external_ranker], ids=["fake", "local", "remote", "triton"])
async def ranker(request: pytest.FixtureRequest, database: str) -> AsyncIterator[Ranker]:
    async with made(request.param, database) as port:
        yield port


@pytest.fixture(params=[local_ranker, remote_ranker, external_ranker], ids=["local", "remote", "triton"])
async def scorer(request: pytest.FixtureRequest, database: str) -> AsyncIterator[LocalRanker | RemoteRanker | TritonRanker]:
    async with made(request.param, database) as port:
        yield port


async def test_a_ranker_answers_every_distinct_candidate_once_and_best_first(ranker: Ranker) -> None:
    ids = [ProductId(f"sku-{number}") for number in (1001, 1002, 1003, 1002)]
    candidates = tuple(Candidate(product_id, "popular", 1.0 / place) for place, product_id in enumerate(ids, start=1))
    requests = [RankRequest(ViewerId(f"v{number}"), (), candidates, (), (), datetime.now(UTC)) for number in range(5)]
    for ranked in await asyncio.gather(*map(ranker.rank, requests)):
        assert sorted(item.product_id for item in ranked) == sorted(set(ids))
        assert [item.score for item in ranked] == sorted((item.score for item in ranked), reverse=True)


async def test_a_ranker_scores_rows_of_features(scorer: LocalRanker | RemoteRanker | TritonRanker) -> None:
    scores = await scorer.score(np.zeros((3, len(FEATURE_NAMES)), dtype=np.float32))
    assert (scores.shape, str(scores.dtype)) == ((3, 3), "float32")
    assert ((scores > 0) & (scores < 1)).all()
    with pytest.raises((InvalidRequest, ModelInputError), match="NaN"):
        await scorer.score(np.full((1, len(FEATURE_NAMES)), np.nan, dtype=np.float32))


@pytest.fixture(
    params=[FakeComprehension, lambda: LocalComprehension(load_comprehension(ComprehensionConfig())), remote_comprehension],
    ids=["fake", "local", "remote"],
)
async def comprehension(request: pytest.FixtureRequest) -> Comprehension:
    make: Callable[[], Comprehension] = request.param
    return await asyncio.to_thread(make)


async def test_comprehension_gives_each_text_its_own_label(comprehension: Comprehension) -> None:
    texts = ["How much is it?", "多少钱？", ""]
    together = await asyncio.gather(*(comprehension.intent(text) for text in texts), *(comprehension.sentiment(text) for text in texts))
    alone = [await comprehension.intent(text) for text in texts] + [await comprehension.sentiment(text) for text in texts]
    assert [label.label for label in together] == [label.label for label in alone]
    assert all(0 <= label.score <= 1 for label in together)


@pytest.fixture(params=[FakeDetector, local_detector, remote_detector, external_detector], ids=["fake", "local", "remote", "triton"])
async def detector(request: pytest.FixtureRequest, database: str) -> AsyncIterator[Detector]:
    async with made(request.param, database) as port:
        yield port


@pytest.fixture(params=[local_detector, remote_detector, external_detector], ids=["local", "remote", "triton"])
async def real_detector(request: pytest.FixtureRequest, database: str) -> AsyncIterator[CoalescedDetector | TritonDetector]:
    async with made(request.param, database) as port:
        yield port


async def test_a_detector_answers_frames_of_one_moment(detector: Detector) -> None:
    frames = await asyncio.gather(*(detector.detect(PICTURE) for _ in range(3)))
    for seen in frames:
        assert seen.width > 0
        assert all(0 <= d.score <= 1 and d.box[0] < d.box[2] and d.box[1] < d.box[3] for d in seen.detections)


async def test_a_bad_picture_is_the_callers_fault_and_harms_no_other(real_detector: CoalescedDetector | TritonDetector) -> None:
    detect = real_detector.detect
    good, bad = await asyncio.gather(detect(PICTURE), detect(b"not a picture"), return_exceptions=True)
    assert isinstance(bad, UnsupportedMedia)
    assert bad.param == "frame"
    assert not isinstance(good, BaseException)


async def test_a_detector_names_its_categories(real_detector: CoalescedDetector | TritonDetector) -> None:
    categories = await real_detector.categories()
    seen = await real_detector.detect(PICTURE, 0.0)
    assert seen.detections
    assert all(categories[each.category_index] == each.category for each in seen.detections)


async def test_pictures_are_embedded_for_enrolment(real_detector: CoalescedDetector | TritonDetector) -> None:
    info = embedder_info(Settings().embedder)
    for embedded in await real_detector.embed([PICTURE, PICTURE]):
        assert (embedded.model, embedded.vectors.shape[1]) == (info.tag, info.dim)
        np.testing.assert_allclose(np.linalg.norm(embedded.vectors, axis=1), 1, atol=1e-5)
    with pytest.raises(UnsupportedMedia):
        await real_detector.embed([PICTURE, b"not a picture"])
