"""Train the re-ranker: word associations, then the weights of what speaks for a passage, then their calibration."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from models.artifacts import write_manifest
from models.evaluation.retrieval import Asked, passages_of, read_questions
from models.language.rerank_evidence import KIND, SCHEMA, EvidenceRanker, Weights
from models.language.rerank_features import Floats, Ids, Statistics, features, ids_of, matter_of
from models.language.segment import grams, words
from models.language.text_embedder import TextEmbedder
from models.training.reranker_data import Choice, Pair, choices_of, generated, read_pairs, scored
from models.types import Language, Passage

Doubles = NDArray[np.float64]
RARITY_BITS = 17
ROUNDS = 5  # of expectation maximisation
LEAST_CHANCE = 0.004  # associations below it are forgotten
GENERATED = 1_200  # questions of each language
GENERATED_WEIGHT = (
    0.1  # of a generated question beside a real one; of 0, .1, .3 and 1 the best mean over the calibration files and the demo
)
HELD_OUT = 300
RIDGE = 0.002
PRIOR = 0.5  # meetings that are taken off every word of evidence: rare ones explain little
_NOTHING = 0  # the word of evidence that stands for none


def train(
    out: Path,
    *,
    pairs: Path | None = None,
    calibrate: Sequence[Path] = (),
    credit: str = "",
    text_embedder: Path = Path("models/zoo/text_embedder"),
    seed: int = 7,
) -> Mapping[str, float]:
    """Learn from generated questions and from `pairs`, calibrate two numbers on `calibrate`, save to `out` with a manifest.

    Two minutes on one core with 3,500 pairs. Raises ModelInputError for data that cannot be read.
    """
    embedder = TextEmbedder.load(text_embedder)
    told = read_pairs(pairs) if pairs else []
    judged = {path.stem: [_near(asked, embedder) for asked in read_questions(path)] for path in calibrate}
    choices = _choices(told, embedder, seed)
    ranker = _learnt(told, choices, judged)
    metrics = _measured(ranker, judged, embedder, random.Random(seed + 1))
    ranker.save(out)
    write_manifest(
        out,
        kind=KIND,
        schema=SCHEMA,
        command=_command(out, pairs, calibrate, credit, seed),
        seed=seed,
        data=_sources(credit, len(told), len(choices), judged),
        metrics=metrics,
    )
    return metrics


Judged = tuple[str, Sequence[Passage], frozenset[int]]  # a question, passages, and the places of those that answer
_LANGUAGES: tuple[Language, ...] = ("zh", "en")


def _folds(told: Sequence[Pair]) -> dict[str, int]:
    """The half of the pairs that each product belongs to."""
    return {product: crc32(product.encode()) % 2 for product in sorted({pair.product for pair in told})}


def _choices(told: Sequence[Pair], embedder: TextEmbedder, seed: int) -> list[Choice]:
    """One of each pair, then generated ones, scored as the retriever scores."""
    rng = random.Random(seed)
    choices = [*choices_of(told, rng, _folds(told)), *(c for language in _LANGUAGES for c in generated(language, GENERATED, rng))]
    return [replace(choice, passages=scored(embedder, choice.question, choice.passages)) for choice in choices]


def _learnt(told: Sequence[Pair], choices: Sequence[Choice], judged: Mapping[str, Sequence[Judged]]) -> EvidenceRanker:
    """Statistics and weights from the choices, calibrated on the questions of the files; without any, on the choices themselves."""
    made = ((choice.question, _told(choice.passages[0]), choice.fold) for choice in choices[len(told) :])
    learnt = [*_associated(told, _folds(told)), *made]
    weights, statistics = _fit(choices, learnt, real=len(told)), _count(choices, learnt)
    every = [question for questions in judged.values() for question in questions]
    return EvidenceRanker(
        statistics, _calibrated(statistics, weights, every or [(c.question, c.passages, frozenset({0})) for c in choices])
    )


def _sources(credit: str, told: int, choices: int, judged: Mapping[str, Sequence[Judged]]) -> dict[str, object]:
    """What the manifest says of the data."""
    return {
        "source": f"models/training/corpus{'; ' + credit if credit else ''}",
        "pairs": told,
        "generated": choices - told,
        "calibrated_on": ", ".join(f"{name} ({len(questions)} questions; two numbers)" for name, questions in judged.items()),
        "measured": "held-out families of the corpus; the calibration files, from which nothing else was learnt",
    }


def _command(out: Path, pairs: Path | None, calibrate: Sequence[Path], credit: str, seed: int) -> str:
    files = [f"--pairs {pairs.name}"] if pairs else []
    files += [f"--calibrate {path.name}" for path in calibrate]
    files += [f"--credit '{credit}'"] if credit else []
    return " ".join(["livecart train reranker", f"--out {out.as_posix()}", *files, f"--seed {seed}"])


def _associated(pairs: Sequence[Pair], folds: Mapping[str, int]) -> Iterable[tuple[str, str, int]]:
    """Question with evidence, and with the answer that was written from it."""
    for pair in pairs:
        yield pair.question, _told(pair.evidence), folds[pair.product]
        if pair.answer:
            yield pair.question, pair.answer, folds[pair.product]


def _told(passage: Passage) -> str:
    return f"{passage.question} {passage.answer or passage.text}" if passage.question else passage.text


# --- statistics ------------------------------------------------------------------------------------------------------------


def _count(choices: Sequence[Choice], learnt: Sequence[tuple[str, str, int]], *, without: int | None = None) -> Statistics:
    """Rarity over all texts; associations from the pairs of the other fold, or from all."""
    texts = list(dict.fromkeys(text for choice in choices for text in (choice.question, *map(_told, choice.passages))))
    translations, unexplained = _associations([(question, told) for question, told, fold in learnt if fold != without])
    return Statistics(
        _rarity(ids_of(words(text)) for text in texts), _rarity(ids_of(grams(text)) for text in texts), translations, unexplained
    )


def _rarity(texts: Iterable[Ids]) -> Floats:
    """log(1 + (n - df + .5) / (df + .5)), as in BM25; what was never seen is the rarest."""
    seen = np.zeros(1 << RARITY_BITS, dtype=np.float64)
    count = 0
    for ids in texts:
        seen[np.unique(ids & np.uint32(len(seen) - 1))] += 1
        count += 1
    return np.log1p((count - seen + 0.5) / (seen + 0.5)).astype(np.float32)


def _associations(learnt: Sequence[tuple[str, str]]) -> tuple[dict[int, tuple[Ids, Floats]], dict[int, float]]:
    """IBM model 1 (Brown et al., 1993) by expectation maximisation: asked word -> words of evidence with their chances.

    Every asked word of every question meets every word of its evidence, and nothing: one row each, all rows in arrays.
    """
    frequent = Counter(word for question, _ in learnt for word in matter_of(question).tolist())
    meetings: list[NDArray[np.uint32]] = []
    slots: list[NDArray[np.int64]] = []  # which asked word of which question a row is about
    count = 0
    for question, told in learnt:
        asked = np.array([word for word in matter_of(question).tolist() if frequent[word] > 1], dtype=np.uint32)
        sources = np.append(matter_of(told), np.uint32(_NOTHING))
        meetings.append(np.stack([np.repeat(asked, len(sources)), np.tile(sources, len(asked))], axis=1))
        slots.append(np.repeat(np.arange(count, count + len(asked)), len(sources)))
        count += len(asked)
    if not count:
        return {}, {}
    words_met, which = np.unique(np.concatenate(meetings), axis=0, return_inverse=True)
    _, source_of = np.unique(words_met[:, 1], return_inverse=True)
    slot = np.concatenate(slots)
    chances = np.ones(len(words_met))
    for _ in range(ROUNDS):
        row = chances[which]
        whole = np.bincount(slot, weights=row)[slot]
        shares = np.bincount(which, weights=np.divide(row, whole, out=np.zeros_like(row), where=whole > 0), minlength=len(words_met))
        chances = shares / (np.bincount(source_of, weights=shares)[source_of] + PRIOR)
    return _tabled(words_met, chances)


def _tabled(words_met: NDArray[np.uint32], chances: Doubles) -> tuple[dict[int, tuple[Ids, Floats]], dict[int, float]]:
    """`words_met`: uint32 (n, 2), sorted: an asked word and one of evidence."""
    told = words_met[:, 1] != _NOTHING
    kept = told & (chances >= LEAST_CHANCE)
    asked, starts = np.unique(words_met[kept, 0], return_index=True)
    sources = np.split(words_met[kept, 1], starts[1:])
    rows = np.split(chances[kept].astype(np.float32), starts[1:])
    table = dict(zip(asked.tolist(), zip(sources, rows, strict=True), strict=True)) if len(asked) else {}
    unexplained = dict(zip(words_met[~told, 0].tolist(), chances[~told].tolist(), strict=True))
    return table, {word: unexplained[word] for word in table}


# --- weights ---------------------------------------------------------------------------------------------------------------


def _fit(choices: Sequence[Choice], learnt: Sequence[tuple[str, str, int]], *, real: int) -> Weights:
    """A softmax over each question's passages, the first `real` questions counting fully.

    The associations behind a question's features come from the other fold's pairs: it must not profit from its own.
    """
    rows: dict[int, Floats] = {}
    for fold in (0, 1):
        statistics = _count(choices, learnt, without=fold)
        rows |= {n: features(c.question, c.passages, statistics) for n, c in enumerate(choices) if c.fold == fold}
    every = np.concatenate(list(rows.values()))
    mean, scale = every.mean(axis=0), every.std(axis=0) + 1e-6
    cube = np.zeros((len(rows), max(map(len, rows.values())), every.shape[1]))
    absent = np.full(cube.shape[:2], -np.inf)
    for place, row in rows.items():
        cube[place, : len(row)] = (row - mean) / scale
        absent[place, : len(row)] = 0.0
    shares = np.where(np.arange(len(rows)) < real, 1.0, GENERATED_WEIGHT if real else 1.0)
    found = minimize(_loss, np.zeros(every.shape[1]), args=(cube, absent, shares / shares.sum()), jac=True, method="L-BFGS-B").x / scale
    return Weights(found.astype(np.float32), float(-(found @ mean)))


def _loss(weights: Doubles, cube: Doubles, absent: Doubles, shares: Doubles) -> tuple[float, Doubles]:
    """Cross-entropy of the first passage, each question counting by its share, and its gradient."""
    logits = cube @ weights + absent
    chances = np.exp(logits - logsumexp(logits, axis=1, keepdims=True))
    loss = -shares @ np.log(np.maximum(chances[:, 0], 1e-12)) + RIDGE * weights @ weights
    gradient = shares @ (np.einsum("nk,nkd->nd", chances, cube) - cube[:, 0]) + 2 * RIDGE * weights
    return float(loss), np.asarray(gradient, dtype=np.float64)


def _calibrated(statistics: Statistics, weights: Weights, judged: Sequence[Judged]) -> Weights:
    """Platt scaling (1999): the slope and the bias under which the logits are those of probabilities."""
    logits: list[float] = []
    answers: list[bool] = []
    for question, passages, relevant in judged:
        logits += (features(question, passages, statistics) @ weights.of_feature + weights.bias).tolist()
        answers += [place in relevant for place in range(len(passages))]
    x, y = np.array(logits), np.array(answers)
    targets = np.where(y, (y.sum() + 1) / (y.sum() + 2), 1 / ((~y).sum() + 2))  # his, so that few answers do not make certainty

    def loss(line: Doubles) -> float:
        z = line[0] * x + line[1]
        return float(np.mean(np.logaddexp(0.0, z) - targets * z))

    slope, bias = minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B").x
    return Weights(weights.of_feature * np.float32(slope), float(weights.bias * slope + bias))


def _near(asked: Asked, embedder: TextEmbedder) -> Judged:
    return asked.question, scored(embedder, asked.question, passages_of(asked)), asked.relevant


# --- what it scores --------------------------------------------------------------------------------------------------------


def _measured(
    ranker: EvidenceRanker, judged: Mapping[str, Sequence[Judged]], embedder: TextEmbedder, rng: random.Random
) -> dict[str, float]:
    sets = dict(judged)
    for language in _LANGUAGES:
        held_out = generated(language, HELD_OUT, rng, held_out=True)
        sets[f"held_out_{language}"] = [(c.question, scored(embedder, c.question, c.passages), frozenset({0})) for c in held_out]
    metrics: dict[str, float] = {}
    for name, questions in sets.items():
        right = [int(ranker.relevance(question, passages).argmax()) in relevant for question, passages, relevant in questions if relevant]
        metrics[f"p_at_1_{name}"] = round(float(np.mean(right)) if right else 0.0, 4)
    return metrics
