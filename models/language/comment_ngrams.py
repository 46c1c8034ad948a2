"""A comment -> the n-grams that the small classifiers know: of Chinese characters, words and signs, with the ends marked."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction import FeatureHasher

MAX_CHARACTERS = 2000  # of a text that are looked at
LONGEST = 3
_BUCKETS = 1 << 20
_CHINESE = r"\u3040-\u30ff\u3400-\u9fff"
_PIECE = re.compile(rf"[{_CHINESE}]|[^\W\d_{_CHINESE}]+(?:'[a-z]+)?|\d+(?:\.\d+)?|[^\w\s]")
_LONG_REPEAT = re.compile(r"(.)\1{2,}")
_LATIN = re.compile(r"[^\W\d_]{2,}")


class CommentNgrams:
    """The n-grams of comments, hashed: the same for every process and run."""

    def __init__(self, columns: NDArray[np.int32]) -> None:
        """`columns`: int32 (k,), ascending: the hashes that a classifier has weights for."""
        self._columns = columns

    def __call__(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """float32 (len(texts), k): square roots of counts, L2-normalised over the known n-grams; zeros where none is known."""
        counted = hashed(texts)
        place = np.searchsorted(self._columns, counted.indices).clip(max=max(0, len(self._columns) - 1))
        known = self._columns[place] == counted.indices
        damped = np.where(known, np.sqrt(counted.data), np.float32(0))
        row = np.repeat(np.arange(len(texts)), np.diff(counted.indptr))
        norms = np.sqrt(np.bincount(row, damped**2, minlength=len(texts))).astype(np.float32)
        scaled = damped / np.where(norms > 0, norms, np.float32(1))[row]
        return sparse.csr_matrix((scaled[known], (row[known], place[known])), shape=(len(texts), len(self._columns)))


def hashed(texts: Sequence[str], longest: int = LONGEST) -> sparse.csr_matrix:
    """float32 (len(texts), 2 ** 20): how often each n-gram stands in each text."""
    if not texts:
        return sparse.csr_matrix(np.zeros((0, _BUCKETS), dtype=np.float32))
    hasher = FeatureHasher(n_features=_BUCKETS, input_type="string", alternate_sign=False, dtype=np.float32)
    return cast(sparse.csr_matrix, hasher.transform(ngrams(text, longest) for text in texts))


def frequent_columns(texts: Sequence[str], *, longest: int, least_texts: int) -> NDArray[np.int32]:
    """int32 (k,), ascending: the hashes of n-grams up to `longest` that stand in at least `least_texts` of the texts."""
    held = np.bincount(hashed(texts, longest).indices, minlength=_BUCKETS)
    return np.flatnonzero(held >= least_texts).astype(np.int32)


def ngrams(text: str, longest: int = LONGEST) -> list[str]:
    """Runs of 1 to `longest` pieces, ends marked, and 3 and 4 letters of each word.

    >>> ngrams("￥12 off", 2)
    ['¥', '#2', 'off', '^ ¥', '¥ #2', '#2 off', 'off $', '~<of', '~off', '~ff>', '~<off', '~off>']
    """
    folded = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).lower().replace("’", "'")
    pieces = [_piece(piece) for piece in _PIECE.findall(_LONG_REPEAT.sub(r"\1\1", folded))]
    marked = ["^", *pieces, "$"]
    runs = (" ".join(marked[i : i + n]) for n in range(2, longest + 1) for i in range(len(marked) - n + 1))
    return [*pieces, *runs, *_letters(pieces)]


def _piece(piece: str) -> str:
    """Numbers are told by how many digits they have: prices and sizes differ, what is asked does not."""
    return f"#{min(len(piece), 6)}" if piece[0].isdigit() else piece


def _letters(pieces: Iterable[str]) -> Iterator[str]:
    for piece in pieces:
        if _LATIN.match(piece):
            bordered = f"<{piece}>"
            for n in (3, 4):
                yield from (f"~{bordered[i : i + n]}" for i in range(len(bordered) - n + 1))
