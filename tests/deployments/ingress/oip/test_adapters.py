"""The adapters over the shipped models: what comes out as tensors is what the models say."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from deployments.ingress.fakes import fake_ports
from deployments.ingress.oip import adapters
from deployments.ingress.oip.table import model_specs
from deployments.ingress.oip.tensors import Tensor, bytes_tensor
from deployments.loading import load_eye, load_ranker
from deployments.local import LocalRanker
from deployments.ports import Ports, TensorModels
from deployments.remote.detector import CoalescedDetector
from deployments.settings import CoalesceSettings, DetectorConfig, RankerConfig, Settings
from graphs.errors import InvalidRequest, UnsupportedMedia
from graphs.fakes import FakeShop
from models.recommend.features import FEATURE_NAMES
from models.vision.embedder_info import embedder_info


@pytest.fixture(scope="module")
def dim() -> int:
    return embedder_info(Settings().embedder).dim


@pytest.fixture
async def ports(dim: int) -> Ports:
    eye = CoalescedDetector.local(await asyncio.to_thread(load_eye, DetectorConfig(), Settings().embedder), CoalesceSettings())
    ranker = LocalRanker(await asyncio.to_thread(load_ranker, RankerConfig()))
    return replace(fake_ports(FakeShop()), detector=eye, embedder=eye, tensors=TensorModels(dim, eye.categories, ranker.score))


def check(model: str, dim: int, outputs: adapters.Tensors, *, rows: int, k: int = 0) -> None:
    """Datatypes and shapes as the metadata says."""
    for spec in model_specs(dim)[model].outputs:
        found = outputs[spec.name]
        assert (found.datatype, found.shape) == (spec.datatype, (rows, *(k if size == -1 else size for size in spec.shape[1:])))


async def test_the_eye(ports: Ports, dim: int, frame: bytes) -> None:
    image = {"image": bytes_tensor("image", [frame, frame], [2])}
    found = await adapters.detector(ports, image)
    check("detector", dim, found, rows=2)
    truth = await ports.detector.detect(frame)
    count = len(truth.detections)
    assert found["count"].values.tolist() == [count, count]
    np.testing.assert_allclose(found["boxes"].values[1, :count], [each.box for each in truth.detections], atol=1e-2)
    assert not found["scores"].values[:, count:].any()
    categories = await ports.tensors.categories()
    assert [categories[index] for index in found["categories"].values[0, :count]] == [each.category for each in truth.detections]
    embedded = await adapters.embedder(ports, image)
    check("embedder", dim, embedded, rows=2)
    np.testing.assert_allclose(np.linalg.norm(embedded["embedding"].values, axis=1), 1, atol=1e-5)


async def test_no_rows(ports: Ports, dim: int) -> None:
    nothing = {"image": bytes_tensor("image", [], [0])}
    check("detector", dim, await adapters.detector(ports, nothing), rows=0)
    check("embedder", dim, await adapters.embedder(ports, nothing), rows=0)
    rows = Tensor("features", "FP32", np.zeros((0, len(FEATURE_NAMES)), dtype=np.float32))
    check("ranker", dim, await adapters.ranker(ports, {"features": rows}), rows=0)
    vectors = Tensor("embedding", "FP32", np.zeros((0, dim), dtype=np.float32))
    k = Tensor("k", "INT64", np.array([3]))
    check("retriever", dim, await adapters.retriever(ports, {"embedding": vectors, "k": k}), rows=0, k=3)


async def test_one_bad_picture_is_named(ports: Ports, frame: bytes) -> None:
    with pytest.raises(UnsupportedMedia, match=r"image\[1\]"):
        await adapters.detector(ports, {"image": bytes_tensor("image", [frame, b"x"], [2])})
    with pytest.raises(InvalidRequest, match=r"image\[1\]"):
        await adapters.detector(ports, {"image": bytes_tensor("image", [frame, frame[:500]], [2])})


async def test_the_ranker(ports: Ports, dim: int) -> None:
    rows = np.zeros((7, len(FEATURE_NAMES)), dtype=np.float32)
    found = await adapters.ranker(ports, {"features": Tensor("features", "FP32", rows)})
    check("ranker", dim, found, rows=7)
    click, cart, purchase = found["scores"].values.T
    assert (click >= cart).all()
    assert (cart >= purchase).all()
