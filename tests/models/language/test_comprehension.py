"""The classifiers are probabilities over their labels, the same one by one and in a batch, and right on plain comments."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artifacts import write_manifest
from models.language.comprehension import KIND, SCHEMA, TextClassifier
from models.training.comments import comments
from models.training.linear import Plan, Sample, fit
from models.types import ArtifactError

ZOO = Path(__file__).parents[3] / "models" / "zoo"
INTENT = TextClassifier.load(ZOO / "intent")
SENTIMENT = TextClassifier.load(ZOO / "sentiment")


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("主播这个杯子多少钱呀", "price"),
        ("how much is the backpack pls", "price"),
        ("还有货吗？？", "stock"),
        ("是什么材质的", "spec"),
        ("孕妇能用吗", "suitability"),
        ("这个怎么清洗", "usage"),
        ("什么时候发货", "shipping"),
        ("can I return it if it doesn't fit", "after_sales"),
        ("有优惠券吗", "promotion"),
        ("这两款哪个好", "comparison"),
        ("几号链接", "shelf_position"),
        ("can you show the inside please", "host_request"),
        ("大家晚上好", "greeting"),
        ("太好看了，爱了爱了", "praise"),
        ("质量太差了，用了一天就坏了", "complaint"),
        ("哈哈哈笑死", "chitchat"),
    ],
)
def test_plain_comments_are_understood(text: str, intent: str) -> None:
    assert INTENT.classify([text])[0].label == intent


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("真的很好用，推荐", "positive"),
        ("love it, works great", "positive"),
        ("这个多少钱", "neutral"),
        ("太差了，退钱", "negative"),
        ("it broke, waste of money", "negative"),
    ],
)
def test_feelings_are_told_apart(text: str, sentiment: str) -> None:
    assert SENTIMENT.classify([text])[0].label == sentiment


@given(texts=st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_rows_are_distributions_and_a_batch_equals_its_singles(texts: list[str]) -> None:
    rows = INTENT.probabilities(texts)
    np.testing.assert_allclose(rows.sum(axis=1), 1.0, rtol=1e-4)
    for text, row in zip(texts, rows, strict=True):
        np.testing.assert_allclose(INTENT.probabilities([text])[0], row, atol=1e-5)


def test_no_text_gives_no_label() -> None:
    assert INTENT.classify([]) == []


def test_a_trained_classifier_survives_saving(tmp_path: Path) -> None:
    samples = [Sample(c.text, c.sentiment, str(c.template)) for c in comments(per_template=2, seed=1)]
    fitted = fit(samples, Plan(seed=1))
    fitted.classifier.save(tmp_path)
    write_manifest(tmp_path, kind=KIND, schema=SCHEMA, command="pytest", seed=1, data={}, metrics=fitted.metrics)
    texts = ["好用", "太差了", "how much"]
    np.testing.assert_allclose(TextClassifier.load(tmp_path).probabilities(texts), fitted.classifier.probabilities(texts), atol=0.01)
    assert 0.0 <= fitted.metrics["held_out_macro_f1"] <= fitted.metrics["held_out_accuracy"] + 0.5


def test_another_kind_of_artifact_is_refused() -> None:
    with pytest.raises(ArtifactError):
        TextClassifier.load(ZOO / "text_embedder")


def test_comments_are_the_same_for_a_seed_and_cover_every_intent() -> None:
    made = comments(per_template=2, seed=5)
    assert made == comments(per_template=2, seed=5)
    assert {comment.intent for comment in made} == set(INTENT.labels)
    assert not any(brace in comment.text for comment in made for brace in "{}|")
