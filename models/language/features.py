"""Text -> hashed character n-grams and words: what the small text models see, in training and in serving."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import cast

import numpy as np
from scipy import sparse
from sklearn.feature_extraction import FeatureHasher

MAX_CHARACTERS = 2000  # of a text that are looked at
_PIECE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+|[a-z]+(?:'[a-z]+)?|\d+(?:\.\d+)?|[^\w\s]")
_LONG_REPEAT = re.compile(r"(.)\1{2,}")


class HashedNgrams:
    """Bag of n-grams hashed into `2 ** bits` columns, square-root damped and L2-normalised; the same for every process and run."""

    def __init__(self, bits: int) -> None:
        self.size = 1 << bits
        self._hasher = FeatureHasher(n_features=self.size, input_type="string", alternate_sign=False, dtype=np.float32)

    def __call__(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """float32 (len(texts), 2 ** bits); a text without any n-gram is a row of zeros."""
        if not texts:
            return sparse.csr_matrix(np.zeros((0, self.size), dtype=np.float32))
        counts = cast(sparse.csr_matrix, self._hasher.transform(ngrams(text) for text in texts))
        counts.data = np.sqrt(counts.data)
        return _unit_rows(counts)


def ngrams(text: str) -> list[str]:
    """Words, word pairs, and character n-grams: 1 to 3 of a Chinese run, 3 and 4 of a Latin word with its borders.

    >>> ngrams("Ａ锅?")
    ['w:a', '锅', '?', 'p:a ?']
    """
    folded = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).lower().replace("’", "'")
    pieces = _PIECE.findall(_LONG_REPEAT.sub(r"\1\1", folded))
    grams = [gram for piece in pieces for gram in _of_piece(piece)]
    words = [piece for piece in pieces if not _is_chinese(piece)]
    grams += [f"p:{first} {second}" for first, second in pairwise(words)]
    return grams


def _of_piece(piece: str) -> Iterator[str]:
    if _is_chinese(piece):
        for n in (1, 2, 3):
            yield from (piece[i : i + n] for i in range(len(piece) - n + 1))
    elif piece[0].isalpha():
        yield f"w:{piece}"
        bordered = f"<{piece}>"
        for n in (3, 4):
            yield from (bordered[i : i + n] for i in range(len(bordered) - n + 1) if len(piece) >= n)
    else:
        yield piece


def _is_chinese(piece: str) -> bool:
    return "\u3040" <= piece[0] <= "\u9fff"


def _unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    norms = np.sqrt(np.add.reduceat(np.append(matrix.data**2, 0.0), matrix.indptr[:-1]))
    lengths = np.diff(matrix.indptr)
    matrix.data /= np.repeat(np.where(lengths > 0, norms, 1.0), lengths).astype(np.float32)
    return matrix
