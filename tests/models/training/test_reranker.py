"""Learning to re-rank: what is read, what stands beside the right passage, and that associations are learnt."""

import json
import random
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from models.language.rerank import load_reranker
from models.training import reranker
from models.training.reranker import train
from models.training.reranker_data import choices_of, generated, read_pairs
from models.types import Language, ModelInputError, Passage

ZOO = Path(__file__).parents[3] / "models" / "zoo"


def pairs_file(folder: Path) -> Path:
    rows = [
        {"question": f"is gadget {n} blorpy?", "evidence": f"gadget {n} is fully zibbed", "product": f"p{n % 5}", "answer": "zibbed, yes"}
        for n in range(40)
    ] + [{"question": f"how big is gadget {n}?", "evidence": f"gadget {n} measures {n} cm", "product": f"p{n % 5}"} for n in range(40)]
    path = folder / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_the_first_passage_of_a_choice_answers_and_no_other_is_the_same(tmp_path: Path) -> None:
    pairs = read_pairs(pairs_file(tmp_path))
    choices = choices_of(pairs, random.Random(0), {f"p{n}": n % 2 for n in range(5)})
    assert [choice.passages[0] for choice in choices] == [pair.evidence for pair in pairs]
    for choice in choices:
        assert len(choice.passages) > 3
        assert choice.passages[0].text not in {passage.text for passage in choice.passages[1:]}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_generated_questions_are_the_same_for_a_seed(language: Language) -> None:
    first, again = (generated(language, 20, random.Random(3)) for _ in range(2))
    assert first == again
    assert all(choice.question and len(choice.passages) > 1 for choice in first)


@pytest.mark.parametrize("line", ["{", "[]", '{"question": "q"}', '{"question": "q", "evidence": "", "product": "p"}'])
def test_a_bad_pair_is_named(tmp_path: Path, line: str) -> None:
    path = pairs_file(tmp_path)
    path.write_text(f'{{"question": "q", "evidence": "e", "product": "p"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(ModelInputError, match=r"pairs\.jsonl:2"):
        read_pairs(path)


def test_training_learns_which_words_answer_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reranker, "GENERATED", 30)
    monkeypatch.setattr(reranker, "HELD_OUT", 10)
    judged = tmp_path / "judged.jsonl"
    judged.write_text(
        json.dumps({"question": "is it blorpy?", "candidates": ["it is zibbed", "it is red"], "relevant": [0]}), encoding="utf-8"
    )
    out = tmp_path / "out"
    scores = train(out, pairs=pairs_file(tmp_path), calibrate=[judged], text_embedder=ZOO / "text_embedder")
    assert scores["p_at_1_judged"] == 1.0
    assert set(scores) == {"p_at_1_judged", "p_at_1_held_out_zh", "p_at_1_held_out_en"}
    ranker = load_reranker(out)
    told = [Passage("a", "document", text, 0.2) for text in ("lamp was zibbed", "lamp was mended")]
    judged_so = ranker.relevance("is the lamp blorpy", told)
    assert judged_so[0] > judged_so[1]


def test_associations_are_found_by_expectation_maximisation() -> None:
    learnt = [("das haus", "house"), ("das buch", "book"), ("ein buch", "book"), ("das haus", "house")]
    table, _ = reranker._associations(learnt)
    sources, chances = table[crc32(b"haus")]
    assert sources[np.argmax(chances)] == crc32(b"hous")  # the stem
