"""How well retrieval orders candidates: every question ranks its own, through the index that serves."""

import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from time import perf_counter

import numpy as np
from sklearn.metrics import ndcg_score, roc_auc_score

from models.recommend.passages import WAYS, PassageIndex, Way
from models.types import ModelInputError, Passage, ProductId

METHODS: dict[str, tuple[frozenset[Way], bool]] = {  # what is fused, and whether the re-ranker looks at it
    "bm25": (frozenset({"words"}), False),
    "dense": (frozenset({"meaning"}), False),
    "fused": (WAYS, False),
    "reranked": (WAYS, True),
}


@dataclass(frozen=True, slots=True)
class Asked:
    question: str
    candidates: tuple[str, ...]
    relevant: frozenset[int]  # places of candidates that answer; empty: none does


def read_questions(path: Path) -> list[Asked]:
    """JSONL `{"question", "candidates": [..], "relevant": [indices]}`; empty lines and other fields are ignored.

    Raises ModelInputError with file and line for anything that does not fit.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ModelInputError(f"{path} is not UTF-8: {error}") from error
    questions = [_question(line, f"{path}:{number}") for number, line in enumerate(lines, start=1) if line.strip()]
    if not questions:
        raise ModelInputError(f'{path} holds no question; a line is {{"question", "candidates": [..], "relevant": [indices]}}')
    return questions


def _question(line: str, where: str) -> Asked:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ModelInputError(f"{where} is no JSON: {error}") from error
    if not isinstance(row, dict):
        raise ModelInputError(f"{where} is no JSON object")
    question, candidates, relevant = row.get("question"), row.get("candidates"), row.get("relevant")
    if not isinstance(question, str) or not question.strip():
        raise ModelInputError(f"{where}: `question` must be a text, found {question!r}")
    if not isinstance(candidates, list) or not candidates or not all(isinstance(text, str) and text.strip() for text in candidates):
        raise ModelInputError(f"{where}: `candidates` must be a list of texts, at least one and none empty")
    if not isinstance(relevant, list) or not all(type(place) is int and 0 <= place < len(candidates) for place in relevant):
        raise ModelInputError(
            f"{where}: `relevant` must be a list of indices of candidates, 0 to {len(candidates) - 1}, found {relevant!r}"
        )
    return Asked(question, tuple(candidates), frozenset(relevant))


def passages_of(asked: Asked, number: int = 0) -> list[Passage]:
    """The candidates as the index takes them, all about one product; ties in a ranking do not depend on their places."""
    product = ProductId(str(number))
    return [
        Passage(f"{number}:{sha256(text.encode()).hexdigest()[:16]}:{place}", "document", text, 0.0, product)
        for place, text in enumerate(asked.candidates)
    ]


def evaluate_retrieval(
    index: PassageIndex, questions: Sequence[Asked], *, watched: Callable[[Sequence[Asked]], Iterator[Asked]] = iter
) -> list[dict[str, object]]:
    """One row for each of `METHODS`: P@1, MRR and nDCG over the questions with a relevant candidate, and what tells the others apart.

    `index` is empty, and filled with all candidates at once: a question's are searched as those of a product are.
    """
    index.put(passage for number, asked in enumerate(questions) for passage in passages_of(asked, number))
    found = [_found(index, asked, number) for number, asked in enumerate(watched(questions))]
    return [{"method": method, **_scored(questions, [each[method] for each in found])} for method in METHODS]


@dataclass(frozen=True, slots=True)
class _Ranking:
    places: tuple[int, ...]  # all candidates of the question, best first
    relevance: float | None  # of the first
    took_ms: float


def _found(index: PassageIndex, asked: Asked, number: int) -> dict[str, _Ranking]:
    return {method: _ranked(index, asked, number, ways, rerank=rerank) for method, (ways, rerank) in METHODS.items()}


def _ranked(index: PassageIndex, asked: Asked, number: int, ways: frozenset[Way], *, rerank: bool) -> _Ranking:
    begun = perf_counter()
    products = frozenset({ProductId(str(number))})
    found = index.search(asked.question, products=products, k=len(asked.candidates), ways=ways, rerank=rerank)
    took_ms = 1000 * (perf_counter() - begun)
    unfound = {passage.source_id for passage in passages_of(asked, number)} - {passage.source_id for passage in found}
    order = [passage.source_id for passage in found] + sorted(unfound)  # BM25 leaves out what shares no term
    return _Ranking(tuple(int(source.rpartition(":")[2]) for source in order), found[0].relevance if found else None, took_ms)


def _scored(questions: Sequence[Asked], rankings: Sequence[_Ranking]) -> dict[str, object]:
    pairs = [(asked, ranking) for asked, ranking in zip(questions, rankings, strict=True) if asked.relevant]
    gains = [[place in asked.relevant for place in ranking.places] for asked, ranking in pairs]
    return {
        "p_at_1": _mean([float(gain[0]) for gain in gains]),
        "mrr": _mean([reciprocal_rank(gain) for gain in gains]),
        "ndcg": _mean([ndcg(gain) for gain in gains]),
        "told_apart": _told_apart(questions, rankings),
        "median_ms": statistics.median(ranking.took_ms for ranking in rankings),
    }


def _told_apart(questions: Sequence[Asked], rankings: Sequence[_Ranking]) -> float | None:
    """ROC AUC of the first passage's relevance, questions with a relevant candidate against those without; None where it is not given."""
    marks = [bool(asked.relevant) for asked in questions]
    scores = [ranking.relevance for ranking in rankings if ranking.relevance is not None]
    if len(scores) < len(marks) or len(set(marks)) < 2:
        return None
    return float(roc_auc_score(marks, scores))


def reciprocal_rank(gain: Sequence[bool]) -> float:
    """1 / rank of the first relevant candidate.

    >>> reciprocal_rank([False, True, True])
    0.5
    """
    return 1.0 / (1 + list(gain).index(True))


def ndcg(gain: Sequence[bool]) -> float:
    """Normalised discounted cumulative gain of a whole ranking (Jarvelin and Kekalainen, 2002), by scikit-learn.

    >>> round(ndcg([False, True]), 3), ndcg([True])
    (0.631, 1.0)
    """
    if len(gain) < 2:
        return float(gain[0])
    return float(ndcg_score([list(map(float, gain))], [np.arange(len(gain), 0, -1)]))


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None
