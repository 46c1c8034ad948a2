"""Lines of printed pages as blocks: headings by their size or number, paragraphs by where lines end, headers and footers left out."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deployments.knowledge.blocks import Block

HEADING_SIZE = 1.15  # times the body's
HEADING_WIDTH = 80  # columns; a longer line is no heading
FULL_LINE = 0.75  # of the body's width: a shorter line was ended on purpose
MARGIN_LINES = 2  # at the top and at the foot of a page, where what repeats is a header or footer
REPEATED_PAGES = 3  # at least, and half of all
_PAGE_NUMBER = re.compile(r"^[-–—\s]*(?:第\s*)?(?:page\s*)?\d+\s*(?:页)?(?:\s*(?:/|of|共)\s*\d+\s*页?)?[-–—\s]*$", re.IGNORECASE)
_NUMBERED_HEADING = re.compile(r"^(?:第[一二三四五六七八九十百\d]+[章节]|[一二三四五六七八九十]+、|(?P<dotted>\d+(?:\.\d+)+)[\s.、])\s*\S")
_NEW_BLOCK = re.compile(
    r"^(?:[•·●○■□◆▪*–—-]\s|\d+[.、)）]\s*\D|[（(]\d+[)）]|[a-z][.)]\s|(?:q(?:uestion)?|a(?:nswer)?|问题?|答案?|回答|提问)\s*\d*\s*[:：])",
    re.IGNORECASE,
)
_ENDED = tuple("。！？!?；;:：.")
_HYPHENATED = re.compile(r"(?<=[a-z])-$")


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    size: float  # of its font, in points; 0 when empty


def blocks_of_pages(pages: Sequence[Sequence[Line]]) -> list[Block]:
    lines = [line for page in _without_margins(pages) for line in page]
    body = _body_size(lines)
    width = _body_width([line for line in lines if line.size <= body * HEADING_SIZE])
    sizes = sorted({line.size for line in lines if line.size > body * HEADING_SIZE}, reverse=True)
    blocks: list[Block] = []
    held = ""
    for line in lines:
        text = line.text.strip()
        level = _heading_level(text, line.size, sizes)
        if held and (not text or level or _NEW_BLOCK.match(text)):
            blocks.append(Block("paragraph", held))
            held = ""
        if level:
            blocks.append(Block("heading", text, level))
        elif text:
            held = _joined(held, text)
            if columns(text) < FULL_LINE * width or (text.endswith(_ENDED) and columns(text) < width):
                blocks.append(Block("paragraph", held))
                held = ""
    return _headings_joined([*blocks, *([Block("paragraph", held)] if held else [])])


def columns(text: str) -> int:
    """How wide a text is, in halves of a Chinese character.

    >>> columns("容量 ml")
    7
    """
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _without_margins(pages: Sequence[Sequence[Line]]) -> Iterator[list[Line]]:
    """Without page numbers, and without what stands at the top or foot of half of all pages, digits aside."""
    filled = [[line for line in page if line.text.strip()] for page in pages]
    margins = Counter(mark for page in filled for mark in {_mark(line) for line in (*page[:MARGIN_LINES], *page[-MARGIN_LINES:])})
    least = max(REPEATED_PAGES, len(filled) / 2)
    for page in pages:
        kept = [line for line in page if line.text.strip()]
        margin = {id(line) for line in (*kept[:MARGIN_LINES], *kept[-MARGIN_LINES:])}
        yield [line for line in page if id(line) not in margin or not (_PAGE_NUMBER.match(line.text) or margins[_mark(line)] >= least)]


def _mark(line: Line) -> str:
    return re.sub(r"\d+", "#", "".join(line.text.split()))


def _body_size(lines: Sequence[Line]) -> float:
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text.strip())
    return max(sizes, key=sizes.__getitem__, default=0.0)


def _body_width(lines: Sequence[Line]) -> int:
    """Columns that nine lines of ten do not exceed."""
    widths = sorted(columns(line.text.strip()) for line in lines if line.text.strip())
    return widths[int(len(widths) * 0.9)] if widths else 0


def _heading_level(text: str, size: float, sizes: Sequence[float]) -> int:
    """From 1; 0 for a line that is no heading. Larger type ranks before numbers."""
    if not text or columns(text) > HEADING_WIDTH:
        return 0
    if size in sizes:
        return sizes.index(size) + 1
    found = _NUMBERED_HEADING.match(text)
    if found is None or text.endswith(_ENDED):
        return 0
    return len(sizes) + 1 + (found["dotted"] or "").count(".")


def _joined(held: str, text: str) -> str:
    if not held:
        return text
    if _HYPHENATED.search(held) and text[:1].islower():
        return held[:-1] + text
    return f"{held}\n{text}"  # how the break reads is decided where it is flattened


def _headings_joined(blocks: Sequence[Block]) -> list[Block]:
    """A heading that was broken into two lines is one."""
    joined: list[Block] = []
    for block in blocks:
        before = joined[-1] if joined else None
        if before is not None and before.kind == block.kind == "heading" and before.level == block.level:
            joined[-1] = Block("heading", f"{before.text}\n{block.text}", block.level)
        else:
            joined.append(block)
    return joined
