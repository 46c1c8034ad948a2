"""What runs a network changes nothing that it says, and what cannot be converted is told."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.demo.pictures import demo_frame
from models.types import ArtifactError, FrameDetections
from models.vision.checkpoints import load_checkpoint
from models.vision.detector import ProductDetector
from models.vision.heads import DetectorHead
from models.vision.runtime import Compute, filled, network
from tests.models.vision.checkpoints import save_tiny_d_fine, save_tiny_rt_detr

ZOO = Path(__file__).resolve().parents[3] / "models" / "zoo"
SHOWN = ({"sku-1001": "beauty"}, {"sku-1002": "skincare", "sku-1003": "food"}, {"sku-1004": "drinks"}, {"sku-1005": "kitchen"})


@pytest.fixture(scope="session")
def pictures() -> list[bytes]:
    sizes = ((640, 480), (720, 1280), (320, 320), (960, 540))
    return [demo_frame(shown, seed=seed, size=size) for seed, (shown, size) in enumerate(zip(SHOWN, sizes, strict=True))]


@pytest.fixture(scope="session")
def shipped() -> ProductDetector:
    return ProductDetector.load(ZOO / "detector", ZOO / "embedder", min_score=0.05, threads=1)


def close(one: object, other: object, *, vectors: float = 1e-4) -> None:
    """Boxes as shares of the frame and scores to 1e-4."""
    assert isinstance(one, FrameDetections)
    assert isinstance(other, FrameDetections)
    assert len(one.detections) == len(other.detections)
    frame = np.asarray((one.width, one.height) * 2)
    for a, b in zip(one.detections, other.detections, strict=True):
        assert a.category == b.category
        assert np.abs((np.asarray(a.box) - np.asarray(b.box)) / frame).max() < 1e-4
        assert abs(a.score - b.score) < 1e-4
        assert np.abs(a.embedding - b.embedding).max() < vectors


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.integers(0, 3), min_size=1, max_size=19))
def test_the_shipped_weights_say_in_any_batch_what_they_say_alone(
    shipped: ProductDetector, pictures: list[bytes], order: list[int]
) -> None:
    alone = shipped.detect([pictures[0]]) + shipped.detect([pictures[1]]) + shipped.detect([pictures[2]]) + shipped.detect([pictures[3]])
    for index, seen in zip(order, shipped.detect([pictures[index] for index in order]), strict=True):
        close(seen, alone[index])


def test_the_shipped_weights_run_on_openvino_and_say_what_torch_says(shipped: ProductDetector, pictures: list[bytes]) -> None:
    torch_too = ProductDetector.load(ZOO / "detector", ZOO / "embedder", min_score=0.05, compute=Compute(runtime="torch"))
    assert shipped.runtimes == ("openvino", "openvino")
    assert torch_too.runtimes == ("torch", "torch")
    for ours, theirs in zip(shipped.detect(pictures), torch_too.detect(pictures), strict=True):
        close(ours, theirs, vectors=1e-3)  # boxes that differ by 1e-4 pixels round some pixels of the cut-out to another value


@pytest.mark.slow
@pytest.mark.parametrize("save", [save_tiny_rt_detr, save_tiny_d_fine])
def test_hub_checkpoints_of_fixed_input_size_convert(save: Callable[[Path], None], tmp_path: Path) -> None:
    save(tmp_path)
    checkpoint = load_checkpoint(tmp_path, kind="detector")
    assert network(DetectorHead(checkpoint), checkpoint, Compute(runtime="openvino")).runtime == "openvino"


def test_a_network_that_does_not_convert_runs_on_torch_and_says_why(tmp_path: Path) -> None:
    save_tiny_rt_detr(tmp_path)
    settings_of = {"image_processor_type": "DetrImageProcessor", "size": {"shortest_edge": 64, "longest_edge": 128}, "do_pad": True}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings_of), encoding="utf-8")
    checkpoint = load_checkpoint(tmp_path, kind="detector")
    assert network(DetectorHead(checkpoint), checkpoint, Compute()).runtime == "torch (the size of its input varies)"
    with pytest.raises(ArtifactError, match=r"size of its input varies.*runtime: torch"):
        network(DetectorHead(checkpoint), checkpoint, Compute(runtime="openvino"))


class _Swapped(torch.nn.Module):
    """Says another thing when it is traced than when it is run."""

    def forward(self, pixel_values: torch.Tensor) -> tuple[torch.Tensor]:
        means = pixel_values.float().mean(dim=(1, 2))
        return (-means if torch._C._get_tracing_state() else means,)


def test_a_conversion_that_says_another_thing_is_refused(tiny_embedder: Path) -> None:
    checkpoint = load_checkpoint(tiny_embedder, kind="embedder")
    assert "differs from torch" in network(_Swapped(), checkpoint, Compute()).runtime


@pytest.mark.parametrize(("size", "graph"), [(1, 1), (3, 4), (8, 8), (33, 64), (70, 70)])
def test_batches_for_graphs_are_filled_up_with_their_last_item(size: int, graph: int) -> None:
    batch = torch.arange(size * 2).view(size, 2)
    whole = filled(batch)
    assert whole.shape == (graph, 2)
    assert torch.equal(whole[:size], batch)
    assert (whole[size:] == batch[-1]).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU is here")
@pytest.mark.parametrize("compiled", [False, True])
def test_a_gpu_in_bfloat16_sees_what_the_cpu_sees(pictures: list[bytes], compiled: bool) -> None:
    compute = Compute(device="cuda", precision="bfloat16", compile=compiled)
    there = ProductDetector.load(ZOO / "detector", ZOO / "embedder", compute=compute)
    there.warm_up()
    here = ProductDetector.load(ZOO / "detector", ZOO / "embedder")
    for ours, theirs in zip(there.detect(pictures), here.detect(pictures), strict=True):
        assert isinstance(ours, FrameDetections)
        assert isinstance(theirs, FrameDetections)
        assert abs(ours.detections[0].score - theirs.detections[0].score) < 0.05
        assert float(ours.detections[0].embedding @ theirs.detections[0].embedding) > 0.98
