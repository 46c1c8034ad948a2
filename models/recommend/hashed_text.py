"""Text vectors without training: hashed character n-grams. The floor for trained embedders, and the stand-in where none is loaded."""

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer

from models.types import Vectors


class HashedTextEmbedder:
    """Character 2- to 3-grams hashed to `dim` signed buckets (Weinberger et al. 2009), L2-normalised; Chinese and English alike."""

    def __init__(self, dim: int = 256) -> None:
        self.dim = dim
        self._vectorizer = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 3), n_features=dim, norm="l2", dtype=np.float32)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """float32 (n, dim), L2-normalised; a text without letters is a zero vector."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        return np.asarray(self._vectorizer.transform(texts).toarray(), dtype=np.float32)
