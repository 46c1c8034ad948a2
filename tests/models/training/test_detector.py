"""The detector's training: targets and losses keep their laws, a run is resumed, the result loads."""

import json
import shlex
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from transformers import DFineConfig, DFineForObjectDetection, HGNetV2Config

from models.training.cutouts import cut_out
from models.training.detector import Plan, loss_of, train
from models.training.loop import Schedule, save_network
from models.training.pictures import FrameStream, mirrored, zoomed
from models.training.weather import weathered
from models.types import ArtifactError
from models.vision.architecture import DenseDetector, DenseDetectorConfig, DenseMaps, corners, peaks
from models.vision.checkpoints import Preparation
from models.vision.heads import Scaled
from models.vision.losses import generalised_iou, heat_loss, shaken, target_maps, truth_of
from models.vision.refinement import Refinement, sampled, sampling_points


def tiny_config() -> DenseDetectorConfig:
    return DenseDetectorConfig(widths=(8, 8, 8, 8), depths=(0, 0, 0, 0), neck=8, num_queries=20, num_labels=12)


def labels(*pictures: list[list[float]]) -> list[dict[str, torch.Tensor]]:
    """What DETR takes, from x1 y1 x2 y2."""
    each = [torch.tensor(boxes).reshape(-1, 4) for boxes in pictures]
    return [
        {"boxes": torch.cat(((b[:, :2] + b[:, 2:]) / 2, b[:, 2:] - b[:, :2]), dim=1), "class_labels": torch.arange(len(b)) + 3}
        for b in each
    ]


TWO = [[0.1, 0.1, 0.4, 0.5], [0.6, 0.5, 0.9, 0.9]]


def tiny_d_fine() -> DFineForObjectDetection:
    """An untrained network of the D-FINE family, small enough for a test."""
    stages = {"stage_in_channels": [8, 8, 16, 16], "stage_mid_channels": [4, 8, 8, 8], "stage_out_channels": [8, 16, 16, 32]}
    backbone = HGNetV2Config(
        stem_channels=[3, 8, 8], stage_num_blocks=[1] * 4, stage_numb_of_layers=[2] * 4, stage_downsample=[False, True, True, True],
        stage_light_block=[True] * 4, stage_kernel_size=[3] * 4, out_features=["stage3", "stage4"], depths=[1] * 4,
        hidden_sizes=[8, 16, 16, 32], **stages,
    )  # fmt: skip
    config = DFineConfig(
        backbone_config=backbone, num_labels=3, d_model=16, encoder_hidden_dim=16, encoder_in_channels=[16, 32], feat_strides=[16, 32],
        num_feature_levels=2, encoder_ffn_dim=16, decoder_ffn_dim=16, decoder_layers=2, decoder_in_channels=[16, 16], num_queries=10,
        encode_proj_layers=[1], decoder_n_points=[2, 2], num_denoising=0, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_layers=1, use_pretrained_backbone=False,
    )  # fmt: skip
    return DFineForObjectDetection(config)


def test_labels_of_any_length_become_one_truth() -> None:
    truth = truth_of(labels(TWO, []), torch.device("cpu"))
    assert truth.exists.tolist() == [[True, True], [False, False]]
    assert torch.allclose(truth.boxes[0], torch.tensor(TWO))
    assert truth.categories[0].tolist() == [3, 4]


def test_each_product_has_one_hottest_cell_that_knows_its_box() -> None:
    heat, target = target_maps(truth_of(labels(TWO, []), torch.device("cpu")), 8, 8)
    assert (heat == 1).sum(dim=(1, 2)).tolist() == [2, 0]
    assert torch.allclose(target[0, 2, 2], torch.tensor(TWO[0]))


def test_the_targets_read_back_as_the_boxes() -> None:
    """What `peaks` reads from perfect maps is what `target_maps` was given."""
    heat, target = target_maps(truth_of(labels(TWO), torch.device("cpu")), 16, 16)
    nothing = torch.zeros(1, 1, 16, 16)
    centre = corners(DenseMaps(heat, torch.zeros(1, 4, 16, 16), nothing, nothing))
    target = target.permute(0, 3, 1, 2)
    distances = torch.cat((centre[:, :2] - target[:, :2], target[:, 2:] - centre[:, 2:]), dim=1)
    objectness, boxes = peaks(DenseMaps(torch.logit(heat, eps=1e-4), distances, nothing, nothing), 2)
    assert torch.allclose(boxes[0][boxes[0, :, 0].argsort()], torch.tensor(TWO), atol=1e-5)
    assert (objectness > 5).all()


def test_boxes_are_shaken_inside_the_picture() -> None:
    boxes = shaken(truth_of(labels(TWO, []), torch.device("cpu")), 50)
    assert ((boxes >= 0) & (boxes <= 1)).all()
    assert (boxes[..., 2:] >= boxes[..., :2]).all()


def test_a_look_that_answers_nothing_leaves_the_boxes() -> None:
    refinement = Refinement(channels=4, detail_channels=3, classes=2)
    torch.nn.init.zeros_(refinement.answer.weight)
    boxes = torch.tensor([TWO])
    looked = refinement(torch.rand(1, 4, 8, 8), torch.rand(1, 3, 16, 16), boxes)
    assert torch.allclose(looked.boxes, boxes, atol=1e-6)
    assert looked.overlap.shape == (1, 2)
    assert looked.categories.shape == (1, 2, 2)


def test_a_look_samples_where_the_box_is() -> None:
    """The map shines in one place only: a box there sees it, a box elsewhere does not."""
    features = torch.zeros(1, 1, 16, 16)
    features[:, :, 3:6, 10:13] = 1.0
    boxes = torch.tensor([[[10 / 16, 3 / 16, 13 / 16, 6 / 16], [0.1, 0.6, 0.4, 0.9]]])
    seen = sampled(features, sampling_points(boxes)).reshape(2, -1).mean(dim=1)
    assert seen[0] > 0.5
    assert seen[1] == 0


@given(st.integers(0, 10_000))
def test_generalised_iou_stays_in_range_and_is_one_on_itself(seed: int) -> None:
    corner = torch.rand(2, 2, 9, 2, generator=torch.Generator().manual_seed(seed))
    some, others = (torch.cat((torch.minimum(a, b), torch.maximum(a, b) + 1e-3), dim=1) for a, b in corner)
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
        loss = loss_of(model, Scaled(Preparation.of_side(64)), batch)
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


@pytest.mark.slow
def test_a_training_is_resumed_and_its_result_carries_a_manifest(tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "out"
    for steps in (1, 2):
        plan = Plan(steps=steps, batch_size=2, side_px=64, held_out=2)
        metrics = train(out, run=run, plan=plan, model=tiny_config(), device="cpu")
    assert {"ap", "ap50"} <= metrics.keys()
    assert torch.load(run / "checkpoint.pt", weights_only=True)["step"] == 2
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["kind"] == "detector"
    assert "model.safetensors" in manifest["files"]


@pytest.mark.slow
def test_a_detector_of_another_family_is_trained_on_with_its_own_loss(tmp_path: Path) -> None:
    save_network(tiny_d_fine(), tmp_path / "hub", side_px=64, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    plan = Plan(steps=1, batch_size=2, held_out=2, learning_rate=1e-4, max_minutes=30)
    metrics = train(
        tmp_path / "out", run=tmp_path / "run", plan=plan, start=tmp_path / "hub",
        credit="our shop; MIT", options={"--data": "my frames"}, device="cpu",
    )  # fmt: skip
    assert {"ap", "ap50"} <= metrics.keys()
    settings = json.loads((tmp_path / "out" / "preprocessor_config.json").read_text(encoding="utf-8"))
    assert settings["image_mean"] == [0.5, 0.5, 0.5]
    config = json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))
    assert config["model_type"] == "d_fine"
    assert "shoes" in config["label2id"]
    command = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))["command"]
    assert shlex.split(command) == [
        *("livecart", "train", "detector", "--out", str(tmp_path / "out"), "--steps", "1", "--seed", "0"),
        *("--start", str(tmp_path / "hub"), "--data", "my frames", "--credit", "our shop; MIT", "--max-minutes", "30"),
    ]


def test_a_start_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="nowhere"):
        train(tmp_path / "out", run=tmp_path / "run", start=tmp_path / "nowhere", device="cpu")


def test_things_are_cut_out_of_photographs() -> None:
    photograph = Image.new("RGB", (90, 60), (200, 30, 30))
    for seed in range(12):
        sprite = cut_out(photograph, Random(seed), 64)
        assert sprite.size == (64, 64)
        alpha = np.asarray(sprite.getchannel("A"))
        assert alpha[0, 0] == 0
        assert alpha.max() == 255


def test_weather_keeps_the_size_and_is_seeded() -> None:
    for seed in range(30):
        one, other = (weathered(Image.new("RGB", (80, 120), (90, 120, 150)), Random(seed)) for _ in range(2))
        assert one.size == (80, 120)
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("step", [0, 5, 10, 55, 100, 130])
def test_the_learning_rate_stays_in_range(step: int) -> None:
    assert 0 <= Schedule(steps=100, learning_rate=1e-3, warm_up_steps=10).rate(step) <= 1


def test_a_time_limit_squeezes_the_schedule() -> None:
    schedule = Schedule(steps=100, learning_rate=1e-3, warm_up_steps=0, limit_s=60)
    assert schedule.rate(10, 30) == schedule.rate(50) == 0.5
    assert schedule.progress(10, 60) == 1
