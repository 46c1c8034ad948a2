"""The detector elsewhere sees what the same detector here sees; what is odd in its answers is found out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from deployments.eye import AskedFrame
from deployments.ingress.fakes import fake_models
from deployments.settings import DetectorConfig, Settings, TritonModelConfig
from deployments.triton.contracts import DETECTOR, embedder_contract
from deployments.triton.detector import TritonDetector
from deployments.triton.errors import Unfit
from deployments.triton.model import TritonModel
from graphs.errors import Internal, PayloadTooLarge, Unavailable, UnsupportedMedia
from models.types import FrameDetections, PictureEmbedding
from models.vision.embedder_info import EmbedderInfo, embedder_info
from tests.deployments.triton.serving import Told, fake_v2, own_v2, serving, shipped_eye, tensor
from tests.hostile_requests import bomb_picture, picture
from tests.pages import ROOT

FRAME = (ROOT / "docs" / "pictures" / "frame.jpg").read_bytes()
DETECTED = {
    "inputs": [tensor("image", "BYTES", -1)],
    "outputs": [
        tensor("boxes", "FP32", -1, 3, 4),
        tensor("scores", "FP32", -1, 3),
        tensor("categories", "INT64", -1, 3),
        tensor("count", "INT64", -1),
    ],
}


@asynccontextmanager
async def detector(
    find: str, tell: str, info: EmbedderInfo, limits: DetectorConfig | None = None, categories: tuple[str, ...] | None = None
) -> AsyncIterator[TritonDetector]:
    finding = TritonModel(TritonModelConfig(url=find, model="detector"), DETECTOR)
    telling = TritonModel(TritonModelConfig(url=tell, model="embedder"), embedder_contract(info.dim))
    opened = TritonDetector(finding, telling, info, limits or DetectorConfig(), categories)
    try:
        yield opened
    finally:
        await opened.aclose()


def detected(boxes: list[list[float]], scores: list[float], categories: list[int]) -> dict[str, object]:
    """An answer of three places; `count` is how many were given."""
    rest = 3 - len(scores)
    corners = [side for box in boxes for side in box] + [0.0] * 4 * rest
    data = (corners, scores + [0.0] * rest, categories + [0] * rest, [len(scores)])
    shapes = ([1, 3, 4], [1, 3], [1, 3], [1])
    described = zip(DETECTED["outputs"], shapes, data, strict=True)
    return {"outputs": [{**each, "shape": shape, "data": values} for each, shape, values in described]}


async def test_the_same_models_see_the_same(database: str) -> None:
    info = embedder_info(Settings().embedder)
    async with own_v2(database) as url, detector(url, url, info) as elsewhere:
        await elsewhere.ping()
        seen, [kept] = await asyncio.gather(elsewhere.detect(FRAME), elsewhere.embed([FRAME]))
        assert await elsewhere.categories() == shipped_eye().categories
    [truth], [embedded] = await shipped_eye().detect([AskedFrame(FRAME)]), await shipped_eye().embed([FRAME])
    assert isinstance(truth, FrameDetections)
    assert isinstance(embedded, PictureEmbedding)
    assert (seen.width, seen.height, seen.match_threshold) == (truth.width, truth.height, truth.match_threshold)
    assert [each.category for each in seen.detections] == [each.category for each in truth.detections]
    np.testing.assert_allclose([each.box for each in seen.detections], [each.box for each in truth.detections], atol=0.5)
    alike = [float(mine.embedding @ theirs.embedding) for mine, theirs in zip(seen.detections, truth.detections, strict=True)]
    assert min(alike) > 0.9, "our own `embedder` looks for the main product in each crop, so that they are not quite the same"
    assert (kept.model, kept.vectors.shape) == (embedded.model, embedded.vectors.shape)
    assert kept.vectors[0] @ embedded.vectors[0] > 0.9


async def test_boxes_are_put_in_order_limited_and_kept_inside_the_picture(database: str) -> None:
    boxes = [[-5.0, 0.0, 20.0, 20.0], [10.0, 10.0, 900.0, 40.0], [30.0, 30.0, 20.0, 40.0]]
    answer = detected(boxes, [0.5, 0.9, 0.95], [0, 1, 1])
    told = Told(DETECTED, [(200, answer)] * 3)
    info = EmbedderInfo(4, "fake", 0.5)
    async with (
        serving(told.app()) as find,
        fake_v2(database, fake_models()) as tell,
        detector(find, tell, info, categories=("cup", "shoe")) as elsewhere,
    ):
        seen = await elsewhere.detect(picture(size=(64, 48)))
        assert [(tuple(round(side, 3) for side in each.box), each.category, each.category_index) for each in seen.detections] == [
            ((10.0, 10.0, 64.0, 40.0), "shoe", 1),
            ((0.0, 0.0, 20.0, 20.0), "cup", 0),
        ]
        assert [round(each.score, 2) for each in seen.detections] == [0.9, 0.5]
        assert len((await elsewhere.detect(picture(), 0.8)).detections) == 1
        assert (await elsewhere.detect(picture(), 0.99)).detections == ()


async def test_a_bad_picture_is_not_sent() -> None:
    told = Told(DETECTED)
    async with serving(told.app()) as url, detector(url, url, EmbedderInfo(4, "fake", 0.5), categories=("cup",)) as elsewhere:
        with pytest.raises(UnsupportedMedia) as refused:
            await elsewhere.detect(b"not a picture")
        assert refused.value.param == "frame"
        with pytest.raises(PayloadTooLarge):
            await elsewhere.embed([bomb_picture()])
    assert told.asked == []


async def test_a_category_without_a_name_is_told(database: str) -> None:
    told = Told(DETECTED, [(200, detected([[0.0, 0.0, 20.0, 20.0]], [0.9], [7]))])
    info = EmbedderInfo(4, "fake", 0.5)
    async with (
        serving(told.app()) as find,
        fake_v2(database, fake_models()) as tell,
        detector(find, tell, info, categories=("cup",)) as elsewhere,
    ):
        with pytest.raises(Internal, match="answered category 7; 1 have names"):
            await elsewhere.detect(picture())


async def test_a_model_that_does_not_name_its_categories_does_not_fit() -> None:
    told = Told(DETECTED)
    async with serving(told.app()) as url, detector(url, url, EmbedderInfo(4, "fake", 0.5)) as elsewhere:
        with pytest.raises(Unfit, match=r"args\.triton\.detector\.categories"):
            await elsewhere.fit()


async def test_a_model_that_is_not_there_is_told_as_that_until_it_is() -> None:
    told = Told(DETECTED, metadata_status=404)
    async with serving(told.app()) as url, detector(url, url, EmbedderInfo(4, "fake", 0.5)) as elsewhere:
        for asked in (elsewhere.categories, elsewhere.fit, elsewhere.ping, lambda: elsewhere.detect(FRAME)):
            with pytest.raises(Unavailable, match=r"model `detector` .* answers 404") as caught:
                await asked()
            assert not isinstance(caught.value, Unfit)
        told.metadata_status = 200
        with pytest.raises(Unfit, match=r"args\.triton\.detector\.categories"):
            await elsewhere.detect(FRAME)
