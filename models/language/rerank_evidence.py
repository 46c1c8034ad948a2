"""The re-ranker that ships: a linear model of what speaks for a passage, small enough for every question."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy.special import expit

from models.artifacts import open_artifact
from models.language.rerank_features import FEATURES, Floats, Ids, Statistics, features
from models.types import ArtifactError, Passage, Vectors

KIND = "reranker"
SCHEMA = 1
_TABLES = "statistics.safetensors"
_WEIGHTS = "weights.json"


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the logit: features @ weights + bias; calibrated, so that its sigmoid is a probability."""

    of_feature: Floats  # float32 (len(FEATURES),)
    bias: float


class EvidenceRanker:
    """relevance = sigmoid(features(question, passage) @ weights + bias). Passages already seen cost about 20 microseconds each."""

    def __init__(self, statistics: Statistics, weights: Weights) -> None:
        self._statistics = statistics
        self._weights = weights

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read an artifact: a folder or a URL. Raises ArtifactError."""
        path = open_artifact(folder, kind=KIND, schema=SCHEMA)
        stored = json.loads((path / _WEIGHTS).read_text(encoding="utf-8"))
        if tuple(stored["weights"]) != FEATURES:
            raise ArtifactError(f"{path} weighs other features than this version computes; run: livecart train reranker --out {path}")
        weights = Weights(np.array(list(stored["weights"].values()), dtype=np.float32), float(stored["bias"]))
        return cls(_statistics(load_file(path / _TABLES)), weights)

    def save(self, folder: Path) -> None:
        """Write tables as float16; the manifest is the trainer's."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file(_tables(self._statistics), folder / _TABLES)
        weights = dict(zip(FEATURES, map(float, self._weights.of_feature.round(5)), strict=True))
        text = json.dumps({"weights": weights, "bias": round(self._weights.bias, 5)}, indent=1)
        (folder / _WEIGHTS).write_text(text + "\n", encoding="utf-8")

    def relevance(self, question: str, passages: Sequence[Passage]) -> Vectors:
        """float32 (len(passages),), 0..1; the passages' `score` is looked at too."""
        logits = features(question, passages, self._statistics) @ self._weights.of_feature + self._weights.bias
        return np.asarray(expit(logits), dtype=np.float32)


def _tables(statistics: Statistics) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    asked = sorted(statistics.translations)
    rows = [statistics.translations[word] for word in asked]
    return {
        "word_rarity": statistics.word_rarity.astype(np.float16),
        "gram_rarity": statistics.gram_rarity.astype(np.float16),
        "asked": np.array(asked, dtype=np.uint32),
        "counts": np.array([len(sources) for sources, _ in rows], dtype=np.uint32),
        "told": np.concatenate([np.zeros(0, np.uint32), *(sources for sources, _ in rows)]),
        "chances": np.concatenate([np.zeros(0, np.float32), *(chances for _, chances in rows)]).astype(np.float16),
        "unexplained": np.array([statistics.unexplained.get(word, 0.0) for word in asked], dtype=np.float16),
    }


def _statistics(tables: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]) -> Statistics:
    ends = np.cumsum(tables["counts"])[:-1]
    told: list[Ids] = np.split(tables["told"].astype(np.uint32), ends)
    chances: list[Floats] = np.split(tables["chances"].astype(np.float32), ends)
    asked = [int(word) for word in tables["asked"]]
    return Statistics(
        word_rarity=tables["word_rarity"].astype(np.float32),
        gram_rarity=tables["gram_rarity"].astype(np.float32),
        translations=dict(zip(asked, zip(told, chances, strict=True), strict=False)),
        unexplained=dict(zip(asked, map(float, tables["unexplained"]), strict=False)),
    )
