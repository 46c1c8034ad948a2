"""Vectors are finite and of unit length for any text, and questions lie near the words that answer them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artifacts import write_manifest
from models.demo.catalog import demo_documents, paraphrased_questions
from models.language.text_embedder import KIND, SCHEMA, TextEmbedder
from models.training.text_embedder import fit

ZOO = Path(__file__).parents[3] / "models" / "zoo"
EMBEDDER = TextEmbedder.load(ZOO / "text_embedder")


@given(texts=st.lists(st.text(max_size=60), max_size=4))
def test_any_text_becomes_a_unit_vector(texts: list[str]) -> None:
    vectors = EMBEDDER.embed(texts)
    assert vectors.shape == (len(texts), EMBEDDER.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-4)


@given(text=st.text(min_size=1, max_size=60))
def test_a_batch_equals_its_singles(text: str) -> None:
    both = EMBEDDER.embed([text, "另一句话"])
    np.testing.assert_allclose(both[0], EMBEDDER.embed([text])[0], atol=1e-5)


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud7ff"])
def test_a_text_without_words_still_has_a_vector(text: str) -> None:
    np.testing.assert_allclose(np.linalg.norm(EMBEDDER.embed([text])), 1.0, rtol=1e-4)


def test_width_and_case_do_not_matter() -> None:
    first, second = EMBEDDER.embed(["ＳＰＦ５０ 防晒", "spf50 防晒"])
    assert float(first @ second) > 0.999


@pytest.mark.parametrize(
    ("question", "answer", "other"),
    [
        ("银杏吹风机多少瓦", "银杏吹风机的功率是1600 W。", "银杏吹风机的颜色是珍珠白。"),
        ("how heavy is the Zorbel tent", "Zorbel tent, weight: 2.1 kg.", "Zorbel tent, colour: sand."),
        ("运费要多少", "包邮吗？满 59 元包邮。", "支持哪些付款方式？"),
    ],
)
def test_a_question_lies_nearer_to_its_answer_also_for_products_never_seen(question: str, answer: str, other: str) -> None:
    asked, right, wrong = EMBEDDER.embed([question, answer, other])
    assert float(asked @ right) > float(asked @ wrong)


def test_most_paraphrases_find_their_stored_question_among_the_products_own() -> None:
    stored = {d.document_id: d for d in demo_documents() if d.question}
    hits = 0
    for question, document_id in paraphrased_questions().items():
        siblings = [d for d in stored.values() if d.product_id == stored[document_id].product_id]
        scores = EMBEDDER.embed([str(d.question) for d in siblings]) @ EMBEDDER.embed([question])[0]
        hits += siblings[int(scores.argmax())].document_id == document_id
    assert hits / len(paraphrased_questions()) > 0.6


def test_a_trained_embedder_survives_saving(tmp_path: Path) -> None:
    texts = [f"第{i}句 sentence number {i} about {'cats' if i % 2 else '价格'}" for i in range(200)]
    trained = fit(texts, seed=3)
    trained.save(tmp_path)
    write_manifest(tmp_path, kind=KIND, schema=SCHEMA, command="pytest", seed=3, data={}, metrics={})
    np.testing.assert_allclose(TextEmbedder.load(tmp_path).embed(texts[:5]), trained.embed(texts[:5]), atol=0.01)
