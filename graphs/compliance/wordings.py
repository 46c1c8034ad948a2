"""One pattern, or one phrase of a shop's own, over folded text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphs.compliance.folding import Folded, fold


@dataclass(frozen=True, slots=True)
class Wording:
    pattern: re.Pattern[str]
    needs: tuple[str, ...] = ()  # one of these is in every match: texts without them are passed over; empty: unknown
    instead: str | None = None  # what may stand in its place; `{rest}` is the group of that name

    def search(self, folded: Folded) -> Iterator[re.Match[str]]:
        """Matches that are not empty, in every reading of the text."""
        for reading in folded.readings:
            if not self.needs or any(need in reading for need in self.needs):
                yield from (match for match in self.pattern.finditer(reading) if match[0])


def wording(pattern: str, needs: Sequence[str] = (), instead: str | None = None) -> Wording:
    """Compile a pattern of the shipped rules: small letters, no repetition without an upper bound. Raises re.error."""
    return Wording(re.compile(pattern, re.ASCII), tuple(needs), instead)


def phrase(text: str, instead: str | None = None) -> Wording:
    """The wording that is these words and no pattern, as a shop writes them. Raises ValueError when nothing is left to find."""
    plain = fold(text).text.strip()
    if not plain:
        raise ValueError(f"{text!r} holds no character that could be found")
    start = r"(?<![a-z0-9])" if plain[0].isascii() else ""
    end = r"(?![a-z0-9])" if plain[-1].isascii() else ""
    return wording(start + re.escape(plain) + end, [plain], instead and instead.replace("{", "{{").replace("}", "}}"))
