"""Classifiers from comments that people labelled: trained, calibrated, saved with a manifest; careless labels are named."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.artifacts import read_manifest
from models.evaluation.datasets.sentences import LabelledSentence
from models.language.comprehension import TextClassifier
from models.training.classifier import find_suspects, samples_of, train_on_file
from models.training.comments import comments
from models.training.linear import Plan, Sample, fit
from models.types import ModelInputError

COMMENTS = comments(per_template=6, seed=3)
QUESTIONS = {"price": "多少钱", "shipping": "什么时候发货"}


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Comments of two labels; the last but one says `price` and asks for shipping."""
    rows = [{"sentence": f"{filler}{asked}", "label": label} for label, asked in QUESTIONS.items() for filler in "甲乙丙丁戊己庚辛壬癸"]
    rows[-2]["label"] = "price"
    file = tmp_path / "labelled.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


def test_labelled_comments_make_an_artifact_that_serves(labelled: Path, tmp_path: Path) -> None:
    metrics = train_on_file(tmp_path / "out put", labelled, name="intent", plan=Plan(), credit="our own")
    model = TextClassifier.load(tmp_path / "out put")
    assert model.labels == ("price", "shipping")
    assert [each.label for each in model.classify(["那多少钱", "几时发货"])] == ["price", "shipping"]
    manifest = read_manifest(tmp_path / "out put")
    assert manifest["data"]["credit"] == "our own"
    assert manifest["data"]["samples"] == 20
    assert manifest["command"].startswith("livecart train intent --out '")
    assert manifest["metrics"]["held_out_accuracy"] == metrics["held_out_accuracy"] >= 0.9


def test_a_row_that_looks_mislabelled_is_written_with_its_line(labelled: Path, tmp_path: Path) -> None:
    file = tmp_path / "suspects.jsonl"
    train_on_file(tmp_path / "out", labelled, name="intent", plan=Plan(), suspects=file)
    first = json.loads(file.read_text(encoding="utf-8").splitlines()[0])
    assert (first["line"], first["sentence"], first["label"], first["likelier"]) == (19, "壬什么时候发货", "price", "shipping")


def test_flipped_labels_are_found_far_better_than_by_chance() -> None:
    samples = [Sample(each.text, each.sentiment, each.text.lower()) for each in COMMENTS]
    flipped = set(np.random.default_rng(0).choice(len(samples), len(samples) // 10, replace=False))
    other = {"positive": "neutral", "neutral": "negative", "negative": "positive"}
    wrong = [replace(each, label=other[each.label]) if place in flipped else each for place, each in enumerate(samples)]
    first = [each.index for each in find_suspects(fit(wrong, Plan()), wrong)][: len(flipped)]
    assert len(flipped.intersection(first)) / len(first) > 0.5


def test_the_same_seed_makes_the_same_classifier() -> None:
    samples = [Sample(each.text, each.intent, str(each.template)) for each in COMMENTS[::4]]
    first, second = fit(samples, Plan(seed=1)), fit(samples, Plan(seed=1))
    assert first.metrics == second.metrics
    np.testing.assert_array_equal(first.classifier.probabilities(["多少钱"]), second.classifier.probabilities(["多少钱"]))


def test_a_description_of_a_label_is_learnt_from_and_not_tested() -> None:
    rows = [LabelledSentence(i, f"{word}吗", label, f"问{word}") for i, (word, label) in enumerate([("包邮", "a"), ("有货", "b")] * 4)]
    samples = samples_of(rows)
    assert [sample.text for sample in samples if not sample.tested] == ["问包邮", "问有货"]


@pytest.mark.parametrize(
    "samples",
    [
        [],
        [Sample("a", "x", "a"), Sample("b", "x", "b")],
        [Sample("a", "x", "a"), Sample("b", "x", "b"), Sample("c", "y", "c"), Sample("c", "y", "c")],
    ],
)
def test_too_little_to_learn_from_is_refused(samples: list[Sample]) -> None:
    with pytest.raises(ModelInputError, match=r"two labels with at least 2 different sentences.*found . rows"):
        fit(samples, Plan())


def test_sentences_with_nothing_in_common_are_refused() -> None:
    with pytest.raises(ModelInputError, match=r"the 4 sentences have nothing in common.*ten or more sentences of each label"):
        fit([Sample(letter, "xy"[i % 2], letter) for i, letter in enumerate("甲乙丙丁")], Plan())


def test_a_label_of_a_single_sentence_is_kept() -> None:
    samples = [Sample(f"{word}多少钱", "price", word) for word in "甲乙丙丁"] + [
        Sample(f"{word}发货", "shipping", word) for word in "甲乙丙丁"
    ]
    fitted = fit([*samples, Sample("甲好好看看", "praise", "only")], Plan())
    assert "praise" in fitted.classifier.labels
    assert fitted.metrics["held_out_samples"] == 9


def test_careless_labels_make_a_careful_classifier() -> None:
    rng = np.random.default_rng(1)
    samples = [Sample(each.text, each.intent, each.text.lower()) for each in COMMENTS[::2]]
    labels = sorted({sample.label for sample in samples})
    careless = [Sample(s.text, str(rng.choice(labels)), s.group) if rng.random() < 0.3 else s for s in samples]
    clean, noisy = fit(samples, Plan()), fit(careless, Plan())
    assert noisy.metrics["arbitrary_share"] > 0.15 > clean.metrics["arbitrary_share"]
    assert noisy.metrics["held_out_calibration_error"] < 0.12
