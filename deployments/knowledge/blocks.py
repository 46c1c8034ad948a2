"""What files of every kind are read into: headings, paragraphs and lines, in reading order."""

import re
from dataclasses import dataclass
from typing import Literal

_CJK = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f]"
_BREAK_IN_CJK = re.compile(rf"(?<={_CJK})[ \t]*\n[ \t]*(?={_CJK})")
_BREAK = re.compile(r"[ \t]*\n[ \t]*")


@dataclass(frozen=True, slots=True)
class Block:
    kind: Literal["heading", "paragraph", "line"]  # a line is an item of a list or a row of a table: it is never joined with another
    text: str
    level: int = 0  # of a heading, from 1

    @property
    def flat(self) -> str:
        """The text on one line.

        >>> Block("paragraph", "不要\\n漂白, do\\nnot bleach").flat
        '不要漂白, do not bleach'
        """
        return _BREAK.sub(" ", _BREAK_IN_CJK.sub("", self.text)).strip()


def plain_blocks(text: str) -> list[Block]:
    """Paragraphs of a text without markup: what stands between empty lines."""
    return [Block("paragraph", part.strip()) for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if part.strip()]
