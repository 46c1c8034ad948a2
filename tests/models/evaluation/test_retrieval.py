"""Each question ranks its own candidates through the index that serves, and bad lines are named."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.retrieval import METHODS, Asked, evaluate_retrieval, ndcg, read_questions, reciprocal_rank
from models.language.rerank import load_reranker
from models.language.text_embedder import TextEmbedder
from models.recommend.hashed_text import HashedTextEmbedder
from models.recommend.passages import PassageIndex
from models.types import ModelInputError

ZOO = Path(__file__).parents[3] / "models" / "zoo"
DATA = os.environ.get("LIVECART_PRODUCT_QA")
GAINS = st.lists(st.booleans(), min_size=1, max_size=12).filter(any)
QUESTIONS = (
    Asked("how heavy is it", ("colour: red", "weight: 2 kg", "weighs of nothing"), frozenset({1})),
    Asked("what colour", ("weight: 9 kg", "colour: blue"), frozenset({1})),
    Asked("who designed it", ("weight: 1 kg",), frozenset()),
)


def write(folder: Path, *rows: object) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@given(gain=GAINS)
def test_measures_lie_between_nothing_and_one_and_are_one_for_a_perfect_ranking(gain: list[bool]) -> None:
    for measure in (ndcg, reciprocal_rank):
        assert 0 < measure(gain) <= 1
        assert measure(sorted(gain, reverse=True)) == pytest.approx(1.0)
        assert measure(gain) >= measure(sorted(gain)) - 1e-9


def test_questions_without_relevant_candidates_count_in_no_average() -> None:
    rows = evaluate_retrieval(PassageIndex(HashedTextEmbedder()), QUESTIONS)
    alone = evaluate_retrieval(PassageIndex(HashedTextEmbedder()), QUESTIONS[:2])
    assert [row["method"] for row in rows] == list(METHODS)
    assert [row["p_at_1"] for row in rows] == [row["p_at_1"] for row in alone]
    assert rows[0]["p_at_1"] == 1.0  # BM25: the words are there


def test_candidates_of_other_questions_are_never_ranked() -> None:
    twice = (Asked("red", ("blue", "green"), frozenset({0})), Asked("blue", ("red",), frozenset({0})))
    for row in evaluate_retrieval(PassageIndex(HashedTextEmbedder()), twice):
        assert isinstance(row["mrr"], float)
        assert row["mrr"] >= 0.75


def test_relevance_tells_answerable_questions_from_the_others() -> None:
    index = PassageIndex(TextEmbedder.load(ZOO / "text_embedder"), load_reranker(ZOO / "reranker"))
    reranked = evaluate_retrieval(index, QUESTIONS)[-1]
    assert reranked["p_at_1"] == 1.0
    assert reranked["told_apart"] == 1.0


def test_only_unanswerable_questions_have_no_averages() -> None:
    row = evaluate_retrieval(PassageIndex(HashedTextEmbedder()), QUESTIONS[2:])[0]
    assert row["p_at_1"] is None
    assert row["told_apart"] is None


GOOD = {"question": "q", "candidates": ["a", "b"], "relevant": [1]}


def test_lines_are_read_and_other_fields_ignored(tmp_path: Path) -> None:
    path = write(tmp_path, {**GOOD, "id": 7}, "", {**GOOD, "relevant": [], "candidates": ["line\u2028separator"]})
    assert read_questions(path) == [Asked("q", ("a", "b"), frozenset({1})), Asked("q", ("line\u2028separator",), frozenset())]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("{", "no JSON"),
        ("[]", "no JSON object"),
        ({**GOOD, "question": " "}, "`question`"),
        ({**GOOD, "candidates": []}, "`candidates`"),
        ({**GOOD, "candidates": ["a", ""]}, "`candidates`"),
        ({**GOOD, "candidates": "ab"}, "`candidates`"),
        ({**GOOD, "relevant": [2]}, "`relevant`"),
        ({**GOOD, "relevant": [-1]}, "`relevant`"),
        ({**GOOD, "relevant": [True]}, "`relevant`"),
        ({**GOOD, "relevant": None}, "`relevant`"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, bad: object, why: str) -> None:
    with pytest.raises(ModelInputError, match=f"questions.jsonl:2.*{why}"):
        read_questions(write(tmp_path, GOOD, bad))


def test_a_file_without_questions_or_not_of_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelInputError, match="no question"):
        read_questions(write(tmp_path, ""))
    (tmp_path / "questions.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelInputError, match="UTF-8"):
        read_questions(tmp_path / "questions.jsonl")


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="LIVECART_PRODUCT_QA names no folder with hetpqa.jsonl and semipqa.jsonl (docs/retrieval.md)")
@pytest.mark.parametrize("name", ["hetpqa", "semipqa"])
def test_what_ships_ranks_product_questions_as_well_as_it_promises(name: str) -> None:
    index = PassageIndex(TextEmbedder.load(ZOO / "text_embedder"), load_reranker(ZOO / "reranker"))
    rows = {row["method"]: row for row in evaluate_retrieval(index, read_questions(Path(str(DATA)) / f"{name}.jsonl"))}
    assert isinstance(precision := rows["reranked"]["p_at_1"], float)
    assert precision >= 0.68
