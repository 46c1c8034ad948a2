"""Texts -> dense vectors: latent semantic analysis of hashed n-grams, small enough to run inside the ingress."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from models.artifacts import open_artifact
from models.language.features import HashedNgrams
from models.types import Vectors

KIND = "text-embedder"
SCHEMA = 1
_WEIGHTS = "weights.safetensors"
_CONFIG = "lexical.json"
_EMPTY_NORM = 1e-6  # below this a text has nothing that the model knows

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LexicalPart:
    seed: int
    dim: int
    share: float  # its weight beside the singular directions


class TextEmbedder:
    """x -> normalise(x diag(idf) [V | R]): V the singular directions (what texts are about), R random signs (which words they use).

    R keeps names and words apart that training never saw; it is not stored but drawn again from its seed.
    """

    def __init__(self, directions: Floats, idf: Floats, lexical: LexicalPart) -> None:
        """`directions`: float32 (2 ** bits, topics), columns of unit length; `idf`: float32 (2 ** bits,)."""
        self._directions = directions
        self._idf = idf
        self._lexical = lexical
        signs = np.random.RandomState(lexical.seed).randint(0, 2, (len(idf), lexical.dim), dtype=np.int8)  # a stream numpy has frozen
        size = np.float32(lexical.share / np.sqrt(lexical.dim))
        self._projection = np.hstack([directions, (2 * signs - 1) * size]) * idf[:, None]
        self._features = HashedNgrams(len(idf).bit_length() - 1)

    @property
    def dim(self) -> int:
        return int(self._projection.shape[1])

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read an artifact: a folder or a URL. Raises ArtifactError."""
        path = open_artifact(folder, kind=KIND, schema=SCHEMA)
        tensors = load_file(path / _WEIGHTS)
        lexical = LexicalPart(**json.loads((path / _CONFIG).read_text(encoding="utf-8")))
        return cls(tensors["directions"].astype(np.float32), tensors["idf"].astype(np.float32), lexical)

    def save(self, folder: Path) -> None:
        """Write the directions as float16; the manifest is the trainer's."""
        folder.mkdir(parents=True, exist_ok=True)
        directions = np.ascontiguousarray(self._directions, dtype=np.float16)  # safetensors writes the buffer, whatever its order
        save_file({"directions": directions, "idf": self._idf}, folder / _WEIGHTS)
        (folder / _CONFIG).write_text(json.dumps(asdict(self._lexical)) + "\n", encoding="utf-8")

    def embed(self, texts: Sequence[str]) -> Vectors:
        """float32 (len(texts), dim), L2-normalised; a text of which nothing is known gets the first unit vector."""
        dense = np.asarray(self._features(texts) @ self._projection, dtype=np.float32).reshape(len(texts), self.dim)
        norms = np.linalg.norm(dense, axis=1, keepdims=True)
        unknown = norms[:, 0] < _EMPTY_NORM
        dense[unknown] = np.eye(1, self.dim, dtype=np.float32)
        norms[unknown] = 1.0
        return np.asarray(dense / norms, dtype=np.float32)
