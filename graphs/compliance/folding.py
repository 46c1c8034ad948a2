"""A text in the one form that rules are matched in, whatever disguise it wears, and the way back to the text as given."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple, TypedDict, cast

from graphs.reading.characters import CJK

_SEPARATORS = " \t\u3000*._~·•|/-+=^`'\"“”‘’#&\\"  # put between characters to slip past a check
_LONGEST_SEPARATION = 8
_LONGEST_SPREAD = 4  # plain characters that one character may stand for
_SPACED_WORD = re.compile(r"(?<![a-z0-9])[a-z0-9@$](?:(?P<gap>[ .*_-])[a-z0-9@$](?:(?P=gap)[a-z0-9@$])+)(?![a-z0-9])")
_MIXED_WORD = re.compile(r"(?<![a-z0-9@$])[a-z0-9@$]{3,40}(?![a-z0-9@$])")
_O_IN_FIGURE = re.compile(r"(?<=[0-9])o{1,3}(?=[0-9%])")  # 1OO%
_LEET = re.compile(r"[a-z][0-9@$]{1,3}[a-z]|[a-z]{3}[0-9@$]$")  # a digit among letters, or behind three
_AS_LETTERS = (str.maketrans("013457@$", "oieastas"), str.maketrans("013457@$", "oleastas"))  # a 1 is an i or an l

# What looks like another character and is not folded by Unicode's own compatibility forms.
_LOOKALIKES = dict(
    zip(
        "аеорсухіѕјһԁɡκοανρτιᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ’‘￥価朂冣㝡蕞",
        "aeopcyxisjhdgkoavptiabcdefghijklmnoprstuvwyz''¥价最最最最",
        strict=True,
    )
)
# A character taken apart into its halves.
_HALVES = {"亻圭": "佳", "弓虽": "强", "女子": "好", "木及": "极", "纟及": "级", "亻言": "信", "氵台": "治", "日取": "最", "曰取": "最"}
_HALVED = re.compile("|".join(map(re.escape, _HALVES)))


class CharacterTable(TypedDict):
    """As `models/training/characters.py` writes it."""

    traditional: str
    simplified: str
    common: Mapping[str, str]
    rare: Mapping[str, str]


class Letter(NamedTuple):
    """One character of a folded text and the code points `start` to `end` of the given text that it stands for."""

    character: str
    start: int
    end: int


class Folded:
    def __init__(self, letters: Sequence[Letter]) -> None:
        self.letters = letters
        self.text = _text(letters)
        self.readings = _readings(self.text)  # of one length: `text`, and with the digits in words read as letters (b3st, mirac1e)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]` (not empty) stands in the text as given."""
        return self.letters[start].start, self.letters[end - 1].end


def fold(text: str) -> Folded:
    """Small letters without accents, in their plain forms; simplified characters; nothing between characters that only hides a word.

    >>> fold("Ｂ e s t，第①，最*佳，國家級").text
    'best,第1,最佳,国家级'
    """
    letters = _joined(_without_separators(_letters(text)), _HALVED)
    return Folded(tuple(_joined(letters, _SPACED_WORD)))


def _letters(text: str) -> list[Letter]:
    letters: list[Letter] = []
    for at, character in enumerate(text):
        plain = _plain(character)
        letters += [Letter(c, at, at + 1) for c in plain]
        if not plain and letters and unicodedata.category(character) in ("Mn", "Me"):
            letters[-1] = letters[-1]._replace(end=at + 1)  # a mark belongs to the character it is drawn on
    return letters


def _readings(text: str) -> tuple[str, ...]:
    figures = _O_IN_FIGURE.sub(lambda run: "0" * len(run[0]), text)
    hidden = [word for word in _MIXED_WORD.finditer(text) if _LEET.search(word[0])]
    words = (_translated(text, hidden, table) for table in _AS_LETTERS) if hidden else ()
    return tuple(dict.fromkeys((text, figures, *words)))


def _translated(text: str, words: list[re.Match[str]], table: Mapping[int, int]) -> str:
    """`text` with the characters of some words replaced one by one."""
    pieces: list[str] = []
    end = 0
    for word in words:
        pieces += (text[end : word.start()], word[0].translate(table))
        end = word.end()
    return "".join((*pieces, text[end:]))


@lru_cache(maxsize=65_536)
def _plain(character: str) -> str:
    """What one character is read as: nothing for marks and invisible ones."""
    if character in _LOOKALIKES:
        return _LOOKALIKES[character]
    number = unicodedata.digit(character, None) if unicodedata.category(character) == "No" else None
    if number is not None:
        return str(number)
    spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", character).lower())
    kept = "".join(c for c in spread if unicodedata.category(c) not in ("Cf", "Mn", "Me", "Cc") or c in "\n\t")
    if len(kept) == 3 and kept[0] == "(" and kept[2] == ")":  # ⑴, ㈠
        kept = kept[1]
    return "".join(_LOOKALIKES.get(c, _simplified().get(c, c)) for c in kept[:_LONGEST_SPREAD])


def _without_separators(letters: list[Letter]) -> list[Letter]:
    """Drop short runs of separators and symbols between two Chinese characters."""
    kept: list[Letter] = []
    run = 0  # separators at the end of `kept`
    for letter in letters:
        if _separates(letter.character):
            run += 1
        else:
            if 0 < run <= _LONGEST_SEPARATION and run < len(kept) and is_chinese(letter.character) and is_chinese(kept[-run - 1].character):
                del kept[-run:]
            run = 0
        kept.append(letter)
    return kept


def _joined(letters: list[Letter], pattern: re.Pattern[str]) -> list[Letter]:
    """Halves of a character made whole; the single letters of a spaced word put side by side."""
    text = _text(letters)
    kept: list[Letter] = []
    end = 0
    for match in pattern.finditer(text):
        kept += letters[end : match.start()]
        end = match.end()
        whole = _HALVES.get(match[0])
        if whole:
            kept.append(Letter(whole, letters[match.start()].start, letters[end - 1].end))
        else:
            kept += letters[match.start() : end : 2]
    return kept + letters[end:]


def _text(letters: Sequence[Letter]) -> str:
    return "".join(letter.character for letter in letters)


@lru_cache(maxsize=65_536)
def _separates(character: str) -> bool:
    return character in _SEPARATORS or unicodedata.category(character) in ("So", "Sk", "Sm", "Co", "Cn")


def is_chinese(character: str) -> bool:
    return CJK.match(character) is not None


@cache
def character_table() -> CharacterTable:
    text = resources.files("graphs").joinpath("data", "characters.json").read_text(encoding="utf-8")
    return cast(CharacterTable, json.loads(text))


@cache
def _simplified() -> Mapping[str, str]:
    table = character_table()
    return dict(zip(table["traditional"], table["simplified"], strict=True))
