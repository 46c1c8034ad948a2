"""Train the re-ranker: word associations, then the weights of what speaks for a passage, then their calibration."""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from models.artifacts import write_manifest
from models.evaluation.retrieval import Asked, passages_of, read_questions
from models.language.rerank_evidence import KIND, SCHEMA, EvidenceRanker, Weights
from models.language.rerank_features import Floats, Ids, Statistics, features, ids_of, matter_of, read_passage, read_question
from models.language.segment import grams, words
from models.training.reranker_data import Choice, Pair, choices_of, generated, read_pairs
from models.types import Language, Passage

Doubles = NDArray[np.float64]
RARITY_BITS = 17
ROUNDS = 5  # of expectation maximisation
LEAST_CHANCE = 0.004  # associations below it are forgotten
GENERATED = 1_200  # questions of each language
HELD_OUT = 300
RIDGE = 0.002
_NOTHING = 0  # the word of evidence that stands for none


def train(
    out: Path,
    *,
    pairs: Path | None = None,
    calibrate: Sequence[Path] = (),
    credit: str = "",
    seed: int = 7,
) -> Mapping[str, float]:
    """Learn from generated questions and from `pairs`, calibrate two numbers on `calibrate`, save to `out` with a manifest.

    Two minutes on one core with 3,500 pairs. Raises ModelInputError for data that cannot be read.
    """
    told = read_pairs(pairs) if pairs else []
    judged = {path.stem: read_questions(path) for path in calibrate}
    rng = random.Random(seed)
    folds = {product: crc32(product.encode()) % 2 for product in sorted({pair.product for pair in told})}
    choices = [*choices_of(told, rng, folds), *(c for language in _LANGUAGES for c in generated(language, GENERATED, rng))]
    learnt = [*_associated(told, folds), *((choice.question, _told(choice.passages[0]), choice.fold) for choice in choices[len(told) :])]
    weights = _fit(choices, learnt)
    statistics = _count(choices, learnt)
    weights = _calibrated(statistics, weights, [question for questions in judged.values() for question in questions] or _as_asked(choices))
    ranker = EvidenceRanker(statistics, weights)
    ranker.save(out)
    metrics = _measured(ranker, judged, random.Random(seed + 1))
    write_manifest(
        out,
        kind=KIND,
        schema=SCHEMA,
        command=_command(out, pairs, calibrate, credit, seed),
        seed=seed,
        data={
            "source": f"models/training/corpus{'; ' + credit if credit else ''}",
            "pairs": len(told),
            "generated": len(choices) - len(told),
            "calibrated_on": ", ".join(f"{name} ({len(questions)} questions; two numbers)" for name, questions in judged.items()),
            "measured": "held-out families of the corpus; the calibration files, from which nothing else was learnt",
        },
        metrics=metrics,
    )
    return metrics


_LANGUAGES: tuple[Language, ...] = ("zh", "en")


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
    """IBM model 1 (Brown et al., 1993) by expectation maximisation: asked word -> words of evidence with their chances."""
    frequent = Counter(word for question, _ in learnt for word in matter_of(question).tolist())
    read = [
        ([w for w in matter_of(question).tolist() if frequent[w] > 1], [_NOTHING, *matter_of(told).tolist()]) for question, told in learnt
    ]
    chance: defaultdict[tuple[int, int], float] = defaultdict(lambda: 1.0)
    for _ in range(ROUNDS):
        shares: defaultdict[tuple[int, int], float] = defaultdict(float)
        totals: defaultdict[int, float] = defaultdict(float)
        for asked, told in read:
            for word in asked:
                whole = sum(chance[word, source] for source in told)
                for source in told:
                    share = chance[word, source] / whole if whole else 0.0
                    shares[word, source] += share
                    totals[source] += share
        fresh = {key: share / (totals[key[1]] + 0.5) for key, share in shares.items()}
        chance = defaultdict(float, {key: value for key, value in fresh.items() if value > 1e-4})
    return _tabled(chance)


def _tabled(chance: Mapping[tuple[int, int], float]) -> tuple[dict[int, tuple[Ids, Floats]], dict[int, float]]:
    rows: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    unexplained: dict[int, float] = {}
    for (word, source), value in chance.items():
        if source == _NOTHING:
            unexplained[word] = value
        elif value >= LEAST_CHANCE:
            rows[word].append((source, value))
    table = {}
    for word, row in rows.items():
        sources, chances = zip(*sorted(row), strict=True)
        table[word] = (np.array(sources, dtype=np.uint32), np.array(chances, dtype=np.float32))
    return table, {word: value for word, value in unexplained.items() if word in table}


# --- weights ---------------------------------------------------------------------------------------------------------------


def _fit(choices: Sequence[Choice], learnt: Sequence[tuple[str, str, int]]) -> Weights:
    """A softmax over each question's passages; the associations of a question's features come from the other fold's pairs."""
    rows: list[Floats] = []
    for fold in (0, 1):
        statistics = _count(choices, learnt, without=fold)
        rows += [_features(choice, statistics) for choice in choices if choice.fold == fold]
    width = max(map(len, rows))
    every = np.concatenate(rows)
    mean, scale = every.mean(axis=0), every.std(axis=0) + 1e-6
    cube = np.zeros((len(rows), width, every.shape[1]))
    absent = np.full((len(rows), width), -np.inf)
    for place, row in enumerate(rows):
        cube[place, : len(row)] = (row - mean) / scale
        absent[place, : len(row)] = 0.0
    found = minimize(_loss, np.zeros(every.shape[1]), args=(cube, absent), jac=True, method="L-BFGS-B").x / scale
    return Weights(found.astype(np.float32), float(-(found @ mean)))


def _loss(weights: Doubles, cube: Doubles, absent: Doubles) -> tuple[float, Doubles]:
    """Mean cross-entropy of the first passage, and its gradient."""
    logits = cube @ weights + absent
    chances = np.exp(logits - logsumexp(logits, axis=1, keepdims=True))
    loss = -np.log(np.maximum(chances[:, 0], 1e-12)).mean() + RIDGE * weights @ weights
    gradient = (np.einsum("nk,nkd->nd", chances, cube) - cube[:, 0]).mean(axis=0) + 2 * RIDGE * weights
    return float(loss), np.asarray(gradient, dtype=np.float64)


def _features(choice: Choice, statistics: Statistics) -> Floats:
    return features(read_question(choice.question), [read_passage(passage) for passage in choice.passages], statistics)


def _calibrated(statistics: Statistics, weights: Weights, judged: Sequence[Asked]) -> Weights:
    """Platt scaling (1999): the slope and the bias under which the logits are those of probabilities."""
    logits: list[float] = []
    answers: list[bool] = []
    for asked in judged:
        told = [read_passage(passage) for passage in passages_of(asked)]
        logits += (features(read_question(asked.question), told, statistics) @ weights.of_feature + weights.bias).tolist()
        answers += [place in asked.relevant for place in range(len(told))]
    x, y = np.array(logits), np.array(answers)

    def loss(line: Doubles) -> float:
        z = line[0] * x + line[1]
        return float(np.mean(np.logaddexp(0.0, np.where(y, -z, z))))

    slope, bias = minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B").x
    return Weights(weights.of_feature * np.float32(slope), float(weights.bias * slope + bias))


def _as_asked(choices: Sequence[Choice]) -> list[Asked]:
    return [Asked(choice.question, tuple(map(_told, choice.passages)), frozenset({0})) for choice in choices]


# --- what it scores --------------------------------------------------------------------------------------------------------


def _measured(ranker: EvidenceRanker, judged: Mapping[str, Sequence[Asked]], rng: random.Random) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for language in _LANGUAGES:
        held_out = generated(language, HELD_OUT, rng, held_out=True)
        right = [ranker.relevance(choice.question, choice.passages).argmax() == 0 for choice in held_out]
        metrics[f"p_at_1_held_out_{language}"] = round(float(np.mean(right)), 4)
    for name, questions in judged.items():
        answered = [asked for asked in questions if asked.relevant]
        right = [int(ranker.relevance(asked.question, passages_of(asked)).argmax()) in asked.relevant for asked in answered]
        metrics[f"p_at_1_{name}"] = round(float(np.mean(right)) if right else math.nan, 4)
    return metrics
