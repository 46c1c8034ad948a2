"""Small talk of a host: words said to the viewers (a greeting, an invitation, thanks), and not merely words."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from graphs.checking.support import OWN_WORDS, content_of, unsupported
from graphs.hosting.sayings import comparable
from models.types import Language

OWN_IN_TALK = 2  # words, or pairs of Chinese characters, that are neither a host's nor of the product; of longer sentences a third
_HALF_ASKED = re.compile(r"最关心(?![^。！？]*[哪什])")  # what is cared for is asked, or it is half a sentence


@dataclass(frozen=True, slots=True)
class _Talk:
    turns: re.Pattern[str]  # wordings that turn to the viewers
    words: frozenset[str]  # content of what hosts say


def is_talk(text: str, titles: Sequence[str], known: Sequence[str], language: Language) -> bool:
    """Whether a sentence that tells no value is a host's small talk: it turns to the viewers, and nearly all of its words are a host's,
    of the product's names or of what is `known`. The wordings are data: `graphs/data/talk.json`.

    >>> talk = lambda text, language: is_talk(text, ("Lumo lamp", "山岚水壶"), (), language)
    >>> talk("喜欢山岚水壶的朋友，链接已经上了。", "zh"), talk("它的艾谷。", "zh"), talk("你最关心山岚水壶，给日常添一件称手的。", "zh")
    (True, False, False)
    >>> talk("Type yes if you want a closer look at Lumo lamp.", "en"), talk("What do you use for Rin.", "en")
    (True, False)
    """
    talk = _talk()[language]
    if not talk.turns.search(comparable(text)) or _HALF_ASKED.search(text):
        return False
    named = frozenset[str]().union(*map(content_of, titles))
    spoken = content_of(text) - named
    own = spoken & unsupported(text, known) - talk.words
    return len(own) <= max(OWN_IN_TALK, OWN_WORDS * len(spoken))


@cache
def _talk() -> dict[Language, _Talk]:
    rows = json.loads(resources.files("graphs").joinpath("data", "talk.json").read_text(encoding="utf-8"))
    languages: tuple[Language, ...] = ("zh", "en")
    return {language: _Talk(_any(rows[language]["turns"]), content_of("\n".join(rows[language]["words"]))) for language in languages}


def _any(wordings: Sequence[str]) -> re.Pattern[str]:
    """Any of the wordings, Latin ones as whole words."""
    return re.compile("|".join(rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word) for word in wordings))
