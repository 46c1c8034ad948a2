"""The detector's training: targets and losses keep their laws, a run is resumed, the result loads."""

import json
from pathlib import Path
from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.training.detector import generalised_iou, heat_loss, loss_of, target_maps, train
from models.training.loop import Schedule
from models.training.pictures import FrameStream, mirrored, zoomed
from models.vision.architecture import DenseDetector, DenseDetectorConfig, DenseMaps, corners, peaks


def tiny_config() -> DenseDetectorConfig:
    return DenseDetectorConfig(widths=(8, 8, 8, 8), depths=(0, 0, 0, 0), neck=8, num_queries=20, num_labels=12)


def test_each_product_has_one_hottest_cell_that_knows_box_and_category() -> None:
    boxes = torch.tensor([[0.1, 0.1, 0.4, 0.5], [0.6, 0.5, 0.9, 0.9]])
    heat, target, labels = target_maps([boxes, torch.zeros(0, 4)], [torch.tensor([3, 7]), torch.zeros(0, dtype=torch.int64)], 8, 8)
    assert (heat == 1).sum(dim=(1, 2)).tolist() == [2, 0]
    assert torch.equal(target[0, :, 2, 2], boxes[0])
    assert labels[0, [2, 5], [2, 6]].tolist() == [3, 7]


def test_the_targets_read_back_as_the_boxes() -> None:
    """What `peaks` reads from perfect maps is what `target_maps` was given."""
    boxes = torch.tensor([[0.1, 0.1, 0.4, 0.5], [0.6, 0.5, 0.9, 0.9]])
    heat, target, labels = target_maps([boxes], [torch.tensor([3, 7])], 16, 16)
    centre = corners(DenseMaps(heat, torch.zeros(1, 4, 16, 16), heat[:, None]))
    distances = torch.cat((centre[:, :2] - target[:, :2], target[:, 2:] - centre[:, 2:]), dim=1)
    categories = torch.nn.functional.one_hot(labels, 12).permute(0, 3, 1, 2).float() * 9
    logits, found = peaks(DenseMaps(torch.logit(heat, eps=1e-4), distances, categories), 2)
    corner_boxes = torch.cat((found[0, :, :2] - found[0, :, 2:] / 2, found[0, :, :2] + found[0, :, 2:] / 2), dim=1)
    assert torch.allclose(corner_boxes[corner_boxes[:, 0].argsort()], boxes, atol=1e-5)
    assert set(logits[0].argmax(dim=-1).tolist()) == {3, 7}


@given(st.integers(0, 10_000))
def test_generalised_iou_stays_in_range_and_is_one_on_itself(seed: int) -> None:
    corner = torch.rand(2, 2, 4, 3, 3, generator=torch.Generator().manual_seed(seed))
    some, others = (torch.cat((torch.minimum(a, b)[:, :2], torch.maximum(a, b)[:, :2] + 1e-3), dim=1) for a, b in corner.unbind(1))
    overlap = generalised_iou(some, others)
    assert ((overlap >= -1 - 1e-5) & (overlap <= 1 + 1e-5)).all()
    assert torch.allclose(generalised_iou(some, some), torch.ones_like(overlap), atol=1e-4)


def test_heat_loss_prefers_the_truth() -> None:
    heat = torch.zeros(1, 4, 4)
    heat[0, 1, 2] = 1
    right, wrong = torch.logit(heat, eps=1e-3), torch.logit(1 - heat, eps=1e-3)
    assert heat_loss(right, heat) < heat_loss(torch.zeros(1, 4, 4), heat) < heat_loss(wrong, heat)


def test_a_few_steps_on_one_batch_lower_the_loss() -> None:
    torch.manual_seed(0)
    stream = iter(FrameStream(seed=1, side_px=64))
    examples = [next(stream) for _ in range(4)]
    batch = torch.stack([each[0] for each in examples]), [each[1] for each in examples], [each[2] for each in examples]
    model = DenseDetector(tiny_config())
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(12):
        optimiser.zero_grad()
        loss = loss_of(model, batch)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's stub
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]


def test_the_mirror_moves_boxes_with_their_pixels() -> None:
    pixels = torch.zeros(3, 8, 8, dtype=torch.uint8)
    pixels[:, 2:4, 0:2] = 200
    seen, boxes, _ = mirrored((pixels, torch.tensor([[0.0, 0.25, 0.25, 0.5]]), torch.tensor([1])), Random(0))
    assert torch.allclose(boxes, torch.tensor([[0.75, 0.25, 1.0, 0.5]]))
    assert (seen[:, 2:4, 6:] > 0).all()
    assert not seen[:, :, :6].any()


def test_a_closer_look_keeps_boxes_on_their_pixels() -> None:
    pixels = torch.zeros(3, 64, 64, dtype=torch.uint8)
    pixels[:, 24:40, 24:40] = 250
    for seed in range(20):
        seen, boxes, labels = zoomed((pixels, torch.tensor([[0.375, 0.375, 0.625, 0.625]]), torch.tensor([5])), Random(seed))
        assert len(boxes) == len(labels)
        for x1, y1, x2, y2 in (boxes * 64).round().int().tolist():
            inside = seen[:, y1 + 2 : y2 - 2, x1 + 2 : x2 - 2]
            assert (inside > 200).all()


def test_the_same_seed_draws_the_same_frames() -> None:
    one, other = (next(iter(FrameStream(seed=4, side_px=64))) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_training_is_resumed_and_its_result_carries_a_manifest(tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "out"
    for steps in (1, 2):
        metrics = train(out, run=run, steps=steps, batch_size=2, side_px=64, held_out=2, model=tiny_config(), device="cpu")
    assert {"ap", "ap50"} <= metrics.keys()
    assert torch.load(run / "checkpoint.pt", weights_only=True)["step"] == 2
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["kind"] == "detector"
    assert "model.safetensors" in manifest["files"]


@pytest.mark.parametrize("step", [0, 5, 10, 55, 100, 130])
def test_the_learning_rate_stays_in_range(step: int) -> None:
    assert 0 <= Schedule(steps=100, learning_rate=1e-3, warm_up_steps=10).rate(step) <= 1


def test_a_time_limit_squeezes_the_schedule() -> None:
    schedule = Schedule(steps=100, learning_rate=1e-3, warm_up_steps=0, limit_s=60)
    assert schedule.rate(10, 30) == schedule.rate(50) == 0.5
    assert schedule.progress(10, 60) == 1
