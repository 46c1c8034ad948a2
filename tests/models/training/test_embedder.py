"""The embedder's training: the contrastive loss keeps its laws, thresholds are sensible, a run is resumed."""

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from models.evaluation.recognition import choose_threshold, rank_one
from models.training.crops import CropStream, shaken
from models.training.embedder import PALETTE, Plan, contrastive_loss, margin_loss, train
from models.training.embedder_metrics import Scores, shared_threshold
from models.vision.embedder import EmbedderConfig

TINY = EmbedderConfig(widths=(8, 8, 8, 8), depths=(0, 0, 0, 0), dim=8)
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


def test_a_threshold_shared_by_several_sets_lies_between_what_it_parts() -> None:
    scores = [Scores(np.asarray([0.8, 0.9]), np.asarray([0.1, 0.2])), Scores(np.asarray([0.7]), np.asarray([0.4]))]
    assert 0.4 < shared_threshold(scores) < 0.7


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20), st.lists(st.floats(-1, 1), min_size=1, max_size=20))
def test_no_threshold_of_the_data_costs_less_than_the_shared_one(same: list[float], strangers: list[float]) -> None:
    scores = Scores(np.round(same, 2), np.round(strangers, 2))
    chosen = _cost(scores, shared_threshold([scores]))
    assert all(chosen <= _cost(scores, value) + 1e-9 for value in (*scores.same, *scores.strangers))


def test_the_margin_loss_asks_for_more_than_being_nearest() -> None:
    proxies = torch.eye(2)
    surely, barely = torch.tensor([[1.0, 0.0]]), normalize(torch.tensor([[1.0, 0.9]]), dim=-1)
    assert margin_loss(surely, proxies, torch.tensor([0])) < 0.01
    assert margin_loss(barely, proxies, torch.tensor([0])) > 2


@pytest.mark.slow
def test_a_training_is_resumed_and_stores_its_threshold(tmp_path: Path) -> None:
    for steps in (1, 2):
        plan = Plan(steps=steps, looks=3, views=2, side_px=32, held_out=20)
        metrics = train(tmp_path / "out", run=tmp_path / "run", plan=plan, start=TINY, device="cpu")
    assert 0 <= metrics["rank1"] <= 1
    config = json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))
    assert config["match_threshold"] == round(metrics["match_threshold"], 4)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["kind"] == "embedder"
    assert "photographs" not in manifest["data"]


@pytest.mark.slow
def test_photographs_join_the_training_and_are_named_in_the_manifest(tmp_path: Path, listing: Path) -> None:
    plan = Plan(steps=2, looks=3, groups=4, views=2, side_px=32, held_out=20, held_out_products=2, max_minutes=30)
    metrics = train(tmp_path / "out", run=tmp_path / "run", plan=plan, photographs=listing, credit="ours, MIT", start=TINY, device="cpu")
    assert {"new_product_rank1", "new_product_false_accepts", "trained_product_rank1"} <= metrics.keys()
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    data = manifest["data"]
    options = f"--out {tmp_path}/out --steps 2 --seed 0 --photographs photographs.csv --credit 'ours, MIT' --max-minutes 30"
    assert manifest["command"] == f"livecart train embedder {options}"
    assert (data["photographs"], data["photographs_credit"]) == ("photographs.csv", "ours, MIT")
    assert len(data["held_out_products"]) == 2


@pytest.mark.slow
def test_an_embedder_is_trained_further_with_a_palette_that_first_counts_nothing(tmp_path: Path) -> None:
    plan = Plan(steps=1, looks=3, views=2, side_px=32, held_out=20)
    train(tmp_path / "old", run=tmp_path / "old-run", plan=plan, start=TINY, device="cpu")
    train(tmp_path / "new", run=tmp_path / "new-run", plan=plan, start=tmp_path / "old", device="cpu")
    old, new = (json.loads((tmp_path / name / "config.json").read_text(encoding="utf-8")) for name in ("old", "new"))
    assert (old["palette"], new["palette"]) == (0, PALETTE)
    assert (old["widths"], old["dim"]) == (new["widths"], new["dim"])


def _cost(scores: Scores, threshold: float) -> float:
    return float((scores.same < threshold).mean() + (scores.strangers >= threshold).mean())
