"""Words hidden behind their sound: by syllables in Latin letters (zui好, weixin), or by rare characters that sound alike (薇信)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from graphs.compliance.folding import Folded, Letter, character_table, is_chinese

_LATIN_RUN = re.compile(r"(?<![a-z0-9])[a-z]{2,16}(?![a-z0-9])")
_LEAST_LATIN = 5  # letters of a word that is written in nothing but pinyin
_LONGEST_WORD = 6

Spoken = tuple[str, ...]  # syllables without tones


class _Syllable(NamedTuple):
    sound: str
    start: int  # in the folded text
    end: int
    character: str | None  # None: it is hidden, any character of that sound may be meant


class Guard:
    """The words to be looked for, by their sound. Words of other than 2 to 6 everyday characters are left out."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words: dict[Spoken, list[str]] = {}
        for word in dict.fromkeys(words):
            sounds = tuple(_sound(character) or "" for character in word)
            if 2 <= len(word) <= _LONGEST_WORD and all(sounds):
                self._words.setdefault(sounds, []).append(word)
        self._lengths = sorted({len(sounds) for sounds in self._words}, reverse=True)

    def restored(self, folded: Folded) -> Folded:
        """The text with every hidden word in its own characters; the same object when nothing is hidden.

        >>> from graphs.compliance.folding import fold
        >>> Guard(["最好", "微信"]).restored(fold("zui好的，薇信，最好")).text
        '最好的,微信,最好'
        """
        replaced = self._hidden(folded.text) if self._words else []
        if not replaced:
            return folded
        letters: list[Letter] = []
        end = 0
        for character, syllable in replaced:
            letters += folded.letters[end : syllable.start]
            end = syllable.end
            letters.append(Letter(character, *folded.origin(syllable.start, syllable.end)))
        return Folded((*letters, *folded.letters[end:]))

    def _hidden(self, text: str) -> list[tuple[str, _Syllable]]:
        """Characters of hidden words and the syllables that they take the place of, in order."""
        found: list[tuple[str, _Syllable]] = []
        for run in _runs(text):
            at = 0
            while at < len(run):
                word = self._word_at(run, at)
                found += zip(word, run[at : at + len(word)], strict=True)
                at += max(1, len(word))
        return found

    def _word_at(self, run: Sequence[_Syllable], at: int) -> str:
        """The hidden word whose first syllable this is, or nothing."""
        for length in self._lengths:
            syllables = run[at : at + length]
            if len(syllables) < length or all(s.character for s in syllables) or _too_short(syllables):
                continue
            for word in self._words.get(tuple(s.sound for s in syllables), ()):
                if all(s.character in (None, character) for s, character in zip(syllables, word, strict=True)):
                    return word
        return ""


def _too_short(syllables: Sequence[_Syllable]) -> bool:
    """Nothing but a few Latin letters: too likely to be a word of another language."""
    return sum(s.end - s.start for s in syllables) < _LEAST_LATIN and all(s.end - s.start > 1 for s in syllables)


def _runs(text: str) -> Iterator[list[_Syllable]]:
    """Stretches of syllables that follow one another, at most a space apart, when at least one of them is hidden."""
    run: list[_Syllable] = []
    for syllable in _syllables(text):
        if run and text[run[-1].end : syllable.start].strip(" "):
            if any(s.character is None for s in run):
                yield run
            run = []
        run.append(syllable)
    if any(s.character is None for s in run):
        yield run


def _syllables(text: str) -> Iterator[_Syllable]:
    latin = {run.start(): run[0] for run in _LATIN_RUN.finditer(text)}
    for at, character in enumerate(text):
        if is_chinese(character):
            common = _sound(character)
            sound = common or _rare_sounds().get(character)
            if sound:
                yield _Syllable(sound, at, at + 1, character if common else None)
        elif at in latin:
            start = at
            for sound in _spelled(latin[at]):
                yield _Syllable(sound, start, start + len(sound), None)
                start += len(sound)


@lru_cache(maxsize=4_096)
def _spelled(word: str) -> Spoken:
    """A Latin word as syllables, the longest first; empty when it is none.

    >>> _spelled("zuihao"), _spelled("lamp")
    (('zui', 'hao'), ())
    """
    known = character_table()["common"]
    for cut in range(min(len(word), 6), 1, -1):
        if word[:cut] in known:
            rest = _spelled(word[cut:])
            if rest or cut == len(word):
                return (word[:cut], *rest)
    return ()


def _sound(character: str) -> str | None:
    return _common_sounds().get(character)


@cache
def _common_sounds() -> Mapping[str, str]:
    return {character: sound for sound, characters in character_table()["common"].items() for character in characters}


@cache
def _rare_sounds() -> Mapping[str, str]:
    return {character: sound for sound, characters in character_table()["rare"].items() for character in characters}
