"""Markdown as blocks, by markdown-it: CommonMark with tables."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from deployments.knowledge.blocks import Block

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*\n", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")


def markdown_blocks(text: str) -> list[Block]:
    """Rows of a table say their columns' names; front matter, comments, HTML tags and link addresses are left out."""
    from markdown_it import MarkdownIt  # noqa: PLC0415  # help is instant

    tokens = MarkdownIt("commonmark").enable("table").parse(_FRONT_MATTER.sub("", text.replace("\r\n", "\n")))
    return [block for block in _Reader().blocks(tokens) if block.text]


class _Reader:
    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._items = 0  # how many lists are open
        self._header: list[str] = []
        self._cells: list[str] = []

    def blocks(self, tokens: Sequence["Token"]) -> list[Block]:
        for place, token in enumerate(tokens):
            match token.type:
                case "list_item_open":
                    self._items += 1
                case "list_item_close":
                    self._items -= 1
                case "tr_open":
                    self._cells = []
                case "thead_close":
                    self._header = self._cells
                case "tr_close":
                    self._row(is_header=tokens[place + 1].type == "thead_close")
                case "inline":
                    self._inline(tokens[place - 1], _text_of(token))
                case "fence" | "code_block":
                    self._blocks += [Block("line", line.strip()) for line in token.content.splitlines() if line.strip()]
                case "html_block":
                    self._blocks.append(Block("paragraph", _without_tags(token.content)))
        return self._blocks

    def _inline(self, opened: "Token", text: str) -> None:
        if opened.type in {"th_open", "td_open"}:
            self._cells.append(" ".join(text.split()))
        elif opened.type == "heading_open":
            self._blocks.append(Block("heading", text, int(opened.tag[1:])))
        else:
            self._blocks.append(Block("line" if self._items else "paragraph", text))

    def _row(self, *, is_header: bool) -> None:
        if is_header:
            return
        named = zip(self._header, self._cells, strict=False)
        cells = [f"{name}: {cell}" if name else cell for name, cell in named if cell]
        self._blocks.append(Block("line", "; ".join(cells)))


def _text_of(inline: "Token") -> str:
    parts: list[str] = []
    for child in inline.children or ():
        match child.type:
            case "softbreak" | "hardbreak":
                parts.append("\n")
            case "text" | "code_inline" | "image":
                parts.append(child.content)
    return "".join(parts).strip()


def _without_tags(html: str) -> str:
    return _TAG.sub(" ", _COMMENT.sub(" ", html)).strip()
