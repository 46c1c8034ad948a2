"""What a comment wants and how it feels: a linear classifier over hashed n-grams, with calibrated probabilities."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from models.artifacts import open_artifact
from models.language.comment_ngrams import CommentNgrams
from models.types import Label

KIND = "text-classifier"
SCHEMA = 2
_WEIGHTS = "weights.safetensors"
_LABELS = "labels.json"

Floats = NDArray[np.float32]


class TextClassifier:
    """(1 - a) softmax((x W + b) / T) + a / labels, with x the n-grams of a text; T and a are fitted on held-out texts.

    a is the share of labels that look arbitrary: where people labelled carelessly, no model may be sure.
    """

    def __init__(
        self,
        labels: Sequence[str],
        columns: NDArray[np.int32],
        weights: Floats,
        bias: Floats,
        *,
        temperature: float = 1.0,
        arbitrary: float = 0.0,
    ) -> None:
        """`columns`: int32 (k,), of `frequent_columns`; `weights`: float32 (k, labels); `bias`: float32 (labels,)."""
        self.labels = tuple(labels)
        self._arbitrary = np.float32(arbitrary)
        self._columns = columns
        self._features = CommentNgrams(columns)
        self._weights = weights / np.float32(temperature)
        self._bias = bias / np.float32(temperature)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read an artifact: a folder or a URL. Raises ArtifactError."""
        path = open_artifact(folder, kind=KIND, schema=SCHEMA)
        tensors = load_file(path / _WEIGHTS)
        labels = json.loads((path / _LABELS).read_text(encoding="utf-8"))
        weights = tensors["weights"].astype(np.float32) * tensors["scale"]
        return cls(labels, tensors["columns"], weights, tensors["bias"], arbitrary=float(tensors["arbitrary"][0]))

    def save(self, folder: Path) -> None:
        """Write the weights as float16 with one scale a label, the temperature in them; the manifest is the trainer's."""
        folder.mkdir(parents=True, exist_ok=True)
        scale = np.maximum(np.abs(self._weights).max(axis=0, initial=0.0), np.float32(1e-6))
        tensors = {
            "columns": self._columns,
            "weights": np.ascontiguousarray(self._weights / scale, dtype=np.float16),  # safetensors writes the buffer, whatever its order
            "scale": scale,
            "bias": self._bias,
            "arbitrary": np.array([self._arbitrary], dtype=np.float32),
        }
        save_file(tensors, folder / _WEIGHTS)
        (folder / _LABELS).write_text(json.dumps(list(self.labels), ensure_ascii=False) + "\n", encoding="utf-8")

    def classify(self, texts: Sequence[str]) -> list[Label]:
        """The likeliest label of each text, with its probability."""
        probabilities = self.probabilities(texts)
        best = probabilities.argmax(axis=1)
        return [Label(self.labels[i], float(row[i])) for i, row in zip(best, probabilities, strict=True)]

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """float32 (len(texts), len(labels)), rows sum to 1."""
        logits = self._features(texts) @ self._weights + self._bias
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        certain = exponents / exponents.sum(axis=1, keepdims=True)
        return np.asarray((1 - self._arbitrary) * certain + self._arbitrary / np.float32(len(self.labels)), dtype=np.float32)
