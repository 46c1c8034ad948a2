"""Text -> terms: stemmed words, Chinese words, numbers, and character n-grams; the same for what is stored and what is asked."""

import re
import unicodedata
from collections.abc import Iterator

import rjieba
import Stemmer  # type: ignore[import-not-found]  # compiled, without stubs

MAX_CHARACTERS = 2000  # of a text that are looked at
_GRAM = 4  # characters of a Latin word, its borders included
_PIECE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+|\d+(?:\.\d+)?|[^\W\d_]+(?:'[a-z]+)?")
_CHINESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


def folded(text: str) -> str:
    """NFKC, lower case, at most `MAX_CHARACTERS`; `_` parts words, as in the names of attributes."""
    return unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).lower().replace("’", "'").replace("_", " ")


def words(text: str) -> list[str]:
    """Words in their order, punctuation left out: English by stem (Snowball), Chinese by dictionary (jieba), numbers as written.

    >>> words("Batteries required: 2 AAA"), words("这款手机防水吗")
    (['batteri', 'requir', '2', 'aaa'], ['这', '款', '手机', '防水', '吗'])
    """
    stemmer = Stemmer.Stemmer("english")  # not shared: it is not thread-safe, and costs a microsecond
    found: list[str] = []
    for piece in pieces(text):
        found += rjieba.cut(piece) if is_chinese(piece) else [stemmer.stemWord(piece)]
    return found


def grams(text: str) -> list[str]:
    """Character n-grams: pairs of Chinese characters, fours of a word or number with its borders.

    >>> grams("AAA 防水吗")
    ['<aaa', 'aaa>', '防水', '水吗']
    """
    return [gram for piece in pieces(text) for gram in _of_piece(piece)]


def terms(text: str) -> list[str]:
    """What a text is indexed under: its words and its n-grams, told apart by `w:` and `g:`."""
    return [*(f"w:{word}" for word in words(text)), *(f"g:{gram}" for gram in grams(text))]


def pieces(text: str) -> list[str]:
    """Runs of Chinese, numbers, and words, not yet stemmed."""
    return _PIECE.findall(folded(text))


def is_chinese(text: str) -> bool:
    """Whether a text begins with a Chinese character or Japanese kana."""
    return _CHINESE.match(text) is not None


def _of_piece(piece: str) -> Iterator[str]:
    bordered, size = (piece, 2) if is_chinese(piece) else (f"<{piece}>", _GRAM)
    yield from (bordered[start : start + size] for start in range(max(1, len(bordered) - size + 1)))
