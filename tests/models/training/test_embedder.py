"""The embedder's training: the contrastive loss keeps its laws, thresholds are sensible, a run is resumed."""

import json
from pathlib import Path
from random import Random

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from models.evaluation.recognition import choose_threshold, rank_one
from models.training.crops import CropStream, shaken
from models.training.embedder import contrastive_loss, train
from models.vision.embedder import EmbedderConfig

LABELS = torch.tensor([0, 0, 1, 1])


def test_the_loss_is_least_when_views_of_a_look_agree() -> None:
    apart = torch.eye(2)[LABELS]
    mixed = torch.eye(2)[torch.tensor([0, 1, 0, 1])]
    assert contrastive_loss(apart, LABELS) < 0.01 < contrastive_loss(mixed, LABELS)


@given(st.integers(0, 10_000), st.permutations(range(4)))
def test_the_loss_is_positive_and_free_of_order(seed: int, order: list[int]) -> None:
    vectors = normalize(torch.randn(4, 8, generator=torch.Generator().manual_seed(seed)), dim=-1)
    loss = contrastive_loss(vectors, LABELS)
    assert loss >= 0
    assert torch.isclose(loss, contrastive_loss(vectors[order], LABELS[order]), atol=1e-4)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20), st.lists(st.floats(-1, 1), min_size=1, max_size=20))
def test_a_threshold_lies_among_the_data(same: list[float], strangers: list[float]) -> None:
    threshold = choose_threshold(np.asarray(same), np.asarray(strangers))
    assert min(same + strangers) <= threshold.value <= max(same + strangers)
    assert 0 <= threshold.true_accepts <= 1
    assert 0 <= threshold.false_accepts <= 1


def test_rank_one_counts_nearest_owners() -> None:
    gallery = np.eye(3, dtype=np.float32)
    assert rank_one(gallery, [0, 1, 2], gallery, [0, 1, 2]) == 1.0
    assert rank_one(gallery, [0, 1, 0], gallery, [0, 1, 2]) == 2 / 3


def test_crops_come_in_groups_of_views() -> None:
    crops = next(iter(CropStream(seed=0, side_px=32, looks=5, views=3)))
    assert crops.shape == (5, 3, 3, 32, 32)
    assert crops.dtype == torch.uint8


def test_shaken_crops_stay_pictures_of_the_same_products() -> None:
    crops = next(iter(CropStream(seed=0, side_px=32, looks=4, views=2)))
    again = shaken(crops, Random(1))
    assert (again.shape, again.dtype) == (crops.shape, crops.dtype)
    distance = (crops.float()[:, None] - again.float()[None]).abs().mean(dim=(2, 3, 4, 5))
    assert distance.argmin(dim=0).tolist() == [0, 1, 2, 3]


def test_a_training_is_resumed_and_stores_its_threshold(tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "out"
    model = EmbedderConfig(widths=(8, 8, 8, 8), depths=(0, 0, 0, 0), dim=8)
    for steps in (1, 2):
        metrics = train(out, run=run, steps=steps, looks=3, views=2, side_px=32, held_out=20, model=model, device="cpu")
    assert 0 <= metrics["rank1"] <= 1
    config = json.loads((out / "config.json").read_text(encoding="utf-8"))
    assert config["match_threshold"] == round(metrics["match_threshold"], 4)
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8"))["kind"] == "embedder"
