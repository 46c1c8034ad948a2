"""Words hidden behind their sound: by syllables in Latin letters (zui好, weixin), or by rare characters that sound alike (薇信)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from graphs.compliance.folding import Folded, Letter, character_table, is_chinese

_LATIN_RUN = re.compile(r"(?<![a-z0-9])[a-z]{2,16}(?![a-z0-9])")
_LEAST_LATIN = 5  # letters of a word that is written in nothing but pinyin
_LONGEST_WORD = 6

Spoken = tuple[str, ...]  # syllables without tones


class _Syllable(NamedTuple):
    sound: str
    start: int  # in the folded text
    end: int
    character: str | None  # None: spelled in Latin letters
    common: bool = False  # an everyday character, which means itself; any other may stand for one of the same sound

    def may_be(self, character: str) -> bool:
        return self.character == character or not self.common


class Guard:
    """The words to be looked for, by their sound. Words of other than 2 to 6 characters of GB 2312 are left out."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words: dict[Spoken, list[str]] = {}
        for word in dict.fromkeys(words):
            sounds = tuple(_sound(character) for character in word)
            if 2 <= len(word) <= _LONGEST_WORD and all(sounds):
                self._words.setdefault(sounds, []).append(word)
        self._lengths = sorted({len(sounds) for sounds in self._words}, reverse=True)

    def knows(self, word: str) -> bool:
        return any(word in words for words in self._words.values())

    def restored(self, folded: Folded) -> Folded:
        """The text with every hidden word in its own characters; the same object when nothing is hidden.

        >>> from graphs.compliance.folding import fold
        >>> Guard(["最好", "微信"]).restored(fold("zui好的，薇信，最好")).text
        '最好的,微信,最好'
        """
        hidden = self._hidden(folded.text) if self._words else []
        if not hidden:
            return folded
        letters: list[Letter] = []
        end = 0
        for word, syllables in hidden:
            letters += folded.letters[end : syllables[0].start]
            letters += (Letter(c, *folded.origin(s.start, s.end)) for c, s in zip(word, syllables, strict=True))
            end = syllables[-1].end
        return Folded((*letters, *folded.letters[end:]))

    def _hidden(self, text: str) -> list[tuple[str, Sequence[_Syllable]]]:
        """The hidden words and the syllables that they stand for, in order."""
        found: list[tuple[str, Sequence[_Syllable]]] = []
        for run in _runs(text):
            at = 0
            while at < len(run):
                word = self._word_at(run, at)
                if word:
                    found.append((word, run[at : at + len(word)]))
                at += max(1, len(word))
        return found

    def _word_at(self, run: Sequence[_Syllable], at: int) -> str:
        """The hidden word whose first syllable this is, or nothing."""
        for length in self._lengths:
            syllables = run[at : at + length]
            if len(syllables) < length or all(s.common for s in syllables) or _too_short(syllables):
                continue
            for word in self._words.get(tuple(s.sound for s in syllables), ()):
                if all(s.may_be(character) for s, character in zip(syllables, word, strict=True)):
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
            if not all(s.common for s in run):
                yield run
            run = []
        run.append(syllable)
    if not all(s.common for s in run):
        yield run


def _syllables(text: str) -> Iterator[_Syllable]:
    latin = {run.start(): run[0] for run in _LATIN_RUN.finditer(text)}
    for at, character in enumerate(text):
        if is_chinese(character):
            sound = _sound(character)
            if sound:
                yield _Syllable(sound, at, at + 1, character, common=character in _sounds("common"))
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


def _sound(character: str) -> str:
    """The syllable of a character without tone, or nothing."""
    return _sounds("common").get(character) or _sounds("rare").get(character, "")


@cache
def _sounds(kind: Literal["common", "rare"]) -> Mapping[str, str]:
    return {character: sound for sound, characters in character_table()[kind].items() for character in characters}
