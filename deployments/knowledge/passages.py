"""Blocks as passages: of a size that an answer can show whole, each with its headings in front; questions with their answers apart."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from deployments.knowledge.blocks import Block

HEADING_SHARE = 1 / 3  # of a passage: a longer path of headings is cut to its last one
_QUESTION = re.compile(r"^\s*(?:q(?:uestion)?|问题?|提问)\s*\d*\s*[:：.、)）]\s*(?=\S)", re.IGNORECASE)
_ANSWER = re.compile(r"^\s*(?:a(?:nswer)?|答案?|回答)\s*\d*\s*[:：.、)）]\s*(?=\S)", re.IGNORECASE)
_SENTENCE = re.compile(r"[^。！？!?；;\n]*?(?:[。！？!?；;]+[”’」』\"')）]*|\.(?=\s)|\n|$)\s*")
_CLAUSE = re.compile(r"[^，,、：:\s]*[，,、：:\s]*")


@dataclass(frozen=True, slots=True)
class Passage:
    headings: tuple[str, ...]  # from the outermost
    text: str  # of a document, its headings included; of a question its answer
    question: str | None = None


@dataclass(frozen=True, slots=True)
class _Section:
    headings: tuple[str, ...]
    blocks: tuple[Block, ...]


def passages_of(blocks: Iterable[Block], max_bytes: int) -> list[Passage]:
    """Passages of at most `max_bytes` of UTF-8, in order. Answers to questions are kept whole."""
    return [passage for section in _sections(blocks) for passage in _of_section(section, max_bytes)]


def _sections(blocks: Iterable[Block]) -> Iterator[_Section]:
    path: list[tuple[int, str]] = []
    body: list[Block] = []
    for block in blocks:
        if block.kind != "heading":
            body.append(block)
            continue
        if body:
            yield _Section(tuple(text for _, text in path), tuple(body))
        path = [(level, text) for level, text in path if level < block.level] + [(block.level, block.flat)]
        body = []
    if body:
        yield _Section(tuple(text for _, text in path), tuple(body))


def _of_section(section: _Section, max_bytes: int) -> Iterator[Passage]:
    pairs, rest = _pairs(section.blocks)
    body = "\n".join(block.flat for block in rest)
    if section.headings and section.headings[-1].endswith(("?", "？")) and not pairs and _size(body) <= max_bytes:
        yield Passage(section.headings, body, _unmarked(_QUESTION, section.headings[-1]))
        return
    for question, answer in pairs:
        yield Passage(section.headings, answer, question)
    front = _front(section.headings, max_bytes)
    for text in _packed([block.flat for block in rest], max_bytes - _size(front)):
        yield Passage(section.headings, front + text)


def _pairs(blocks: Sequence[Block]) -> tuple[list[tuple[str, str]], list[Block]]:
    """Questions with their answers, and the blocks that belong to none.

    An answer is what follows its mark in the same block, and the lines right after that block.
    """
    pairs: list[tuple[str, str]] = []
    rest: list[Block] = []
    question: str | None = None
    answer: list[str] = []

    def close() -> None:
        nonlocal question
        if question is not None and answer:
            pairs.append((question, "\n".join(answer)))
        elif question is not None:
            rest.append(Block("paragraph", question))
        question = None
        answer.clear()

    for block in blocks:
        for part in _marked_parts(block.text):
            if _QUESTION.match(part):
                close()
                question = _unmarked(_QUESTION, part)
            elif question is not None and (_ANSWER.match(part) or (answer and block.kind == "line")):
                answer.append(_unmarked(_ANSWER, part))
            else:
                close()
                rest.append(Block(block.kind, part))
    close()
    return pairs, rest


def _marked_parts(text: str) -> list[str]:
    """The text cut before each line that is marked as a question or an answer."""
    parts: list[str] = []
    for line in text.split("\n"):
        if parts and not _QUESTION.match(line) and not _ANSWER.match(line):
            parts[-1] += f"\n{line}"
        else:
            parts.append(line)
    return parts


def _unmarked(mark: re.Pattern[str], text: str) -> str:
    return Block("paragraph", mark.sub("", text, count=1)).flat


def _front(headings: Sequence[str], max_bytes: int) -> str:
    """The headings, as they stand before a passage."""
    budget = int(max_bytes * HEADING_SHARE)
    for shown in (headings, headings[-1:]):
        front = f"{' / '.join(shown)}: " if shown else ""
        if _size(front) <= budget:
            return front
    return _cut(headings[-1], budget - 2)[0] + ": "


def _packed(texts: Iterable[str], max_bytes: int) -> Iterator[str]:
    """Texts joined with line breaks as long as they fit; one that is too long alone is cut between sentences, clauses or characters."""
    held = ""
    for text in texts:
        for number, piece in enumerate(_pieces(text, max_bytes)):
            joined = f"{held}\n{piece}" if held and number == 0 else held + piece
            if _size(joined.strip()) <= max_bytes:
                held = joined
                continue
            if held.strip():
                yield held.strip()
            held = piece
    if held.strip():
        yield held.strip()


def _pieces(text: str, max_bytes: int) -> Iterator[str]:
    if _size(text) <= max_bytes:
        yield text
        return
    for sentence in filter(None, _SENTENCE.findall(text)):
        if _size(sentence) <= max_bytes:
            yield sentence
            continue
        for clause in filter(None, _CLAUSE.findall(sentence)):
            left = clause
            while left:
                piece, left = _cut(left, max_bytes)
                yield piece


def _cut(text: str, max_bytes: int) -> tuple[str, str]:
    """The longest beginning of at most `max_bytes`, at least one character, and the rest."""
    head = text.encode()[:max_bytes].decode(errors="ignore") or text[:1]
    return head, text[len(head) :]


def _size(text: str) -> int:
    return len(text.encode())
