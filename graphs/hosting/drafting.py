"""Let the writer draft sentences, and keep those that may be said: with the price from the store, supported, lawful, whole."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from graphs.checking.support import is_broken
from graphs.checking.verdicts import OnWriter, WriterEvent, asking, unheard
from graphs.errors import Internal, LivecartError
from graphs.flow import remaining_s
from graphs.guarding import betrays
from graphs.hosting.judging import Bounds, PutAside, judged
from graphs.hosting.pacing import sentences_of
from graphs.ports import Writer
from models.types import Prompt

LOOP_EVERY = 24  # characters after which the writer is looked at for loops
LOOP_WITHIN = 72  # its last characters
SPARE_S = 0.25  # of the node's time, kept for what comes after the writer
_LIST_BEGUN = re.compile(r"\s*(?:\[|\{[^:\[]*:)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, slots=True)
class Brief:
    """What the writer is asked for."""

    prompt: Prompt
    stand_in: str | None = None  # a plain name that the prompt gives the product; its title is put back where the writer says it
    whole_part: Callable[[str], str] = str  # of a sentence with the title in it: what is judged and kept of it


async def draft(
    writer: Writer,
    briefs: tuple[Brief, Brief],
    bounds: Bounds,
    *,
    enough: Callable[[Sequence[str]], bool],
    on_writer: OnWriter = unheard,
) -> tuple[str, ...]:
    """The sentences of the writer that may be said, in order. Where one may not be, or there are not `enough`, the second brief is
    written as well and the better draft taken.

    Ends in the time that the running node has left; what was whole by then counts. Raises what the writer raised when nothing
    came, Internal when nothing that came may be said.
    """
    first = await _attempt(writer, briefs[0], bounds, on_writer)
    if first.is_clean and enough(first.kept):
        return first.kept
    try:
        second = await _attempt(writer, briefs[1], bounds, on_writer)
    except (LivecartError, TimeoutError):
        second = first
    best = max(first, second, key=lambda attempt: (enough(attempt.kept), len(attempt.kept)))
    for attempt in {id(each): each for each in (first, second) if each is not best}.values():
        _repeated(on_writer, "unused", len(attempt.kept))
    if not best.kept:
        raise Internal("nothing that the writer said is supported by the product's facts")
    return best.kept


def taken(on_writer: OnWriter, sentences: Sequence[str], kept: int) -> None:
    """Tell how many of the sentences of a draft a text has in the end."""
    _repeated(on_writer, "kept", kept)
    _repeated(on_writer, "unused", len(sentences) - kept)


def _repeated(on_writer: OnWriter, event: WriterEvent, times: int) -> None:
    for _ in range(times):
        on_writer(event)


@dataclass(frozen=True, slots=True)
class _Attempt:
    kept: tuple[str, ...]
    is_clean: bool  # whether every sentence could be kept


async def _attempt(writer: Writer, brief: Brief, bounds: Bounds, on_writer: OnWriter) -> _Attempt:
    with asking(on_writer):
        sentences = sentences_in(await _written(writer, brief.prompt, within_s=remaining_s() - SPARE_S))
    if not sentences:
        on_writer("unfinished")
    evidence = (*bounds.titles, *bounds.evidence, bounds.price or "")
    kept: list[str] = []
    for sentence in sentences:
        said = judged(_named(sentence, brief, bounds), bounds)
        if not isinstance(said, PutAside) and betrays(said, evidence, brief.prompt) is not None:
            said = PutAside("guarding")
        if isinstance(said, PutAside):
            on_writer(said.why)
        else:
            kept.append(said)
    return _Attempt(tuple(dict.fromkeys(kept)), is_clean=len(kept) == len(sentences))


def _named(sentence: str, brief: Brief, bounds: Bounds) -> str:
    """What is judged of a sentence, with the product's title where the writer says its stand-in."""
    return brief.whole_part(sentence.replace(brief.stand_in, bounds.titles[0]) if brief.stand_in else sentence)


async def _written(writer: Writer, prompt: Prompt, within_s: float) -> str:
    """What the writer wrote in the time there was. Raises its error, or TimeoutError, only when that is nothing."""
    text = ""
    if within_s <= 0:
        raise TimeoutError
    try:
        async with asyncio.timeout(None if within_s == float("inf") else within_s), aclosing(writer.write(prompt)) as deltas:
            async for delta in deltas:
                text += delta.text
                if len(text) % LOOP_EVERY < len(delta.text) and is_broken(text[-LOOP_WITHIN:]):
                    break  # the same again and again: it would go on until its tokens are spent
    except (TimeoutError, LivecartError):
        if not text:
            raise
    return text


def sentences_in(text: str) -> tuple[str, ...]:
    """The sentences of a writer's answer: of its JSON, cut off or not, or of plain text where a checkpoint writes no JSON.

    >>> sentences_in('{"sentences": ["One. Two.", "Three."]}'), sentences_in('{"sentences": ["大家好。", "价格是'), sentences_in("One. Two")
    (('One.', 'Two.', 'Three.'), ('大家好。',), ('One.', 'Two'))
    """
    body = re.sub(r"^\s*```(?:json)?|```\s*$", "", text.strip()).strip()
    found = [*_strings_of(body), *_cut_string_of(body)] if body.startswith(("{", "[")) else [body]
    return tuple(part for piece in found for sentence in sentences_of(piece) if (part := " ".join(sentence.split())))


def _strings_of(body: str) -> Iterator[str]:
    """The strings of the list that is, or should have become, the value of `sentences`."""
    for match in _STRING.finditer(body, _begin(body)):
        yield from _decoded(match[0])


def _cut_string_of(body: str) -> Iterator[str]:
    """What is whole of a string that never ended: all sentences but its last, of which a figure may be missing the end."""
    rest = _STRING.sub("", body[_begin(body) :])
    _, quote, cut = rest.partition('"')
    for string in _decoded(f'"{cut.rstrip(chr(92))}"') if quote else ():
        yield "".join(sentences_of(string)[:-1])


def _begin(body: str) -> int:
    begun = _LIST_BEGUN.match(body)
    return begun.end() if begun else len(body)


def _decoded(literal: str) -> Iterator[str]:
    """The string that a JSON literal stands for; nothing when it is none."""
    try:
        value = json.loads(literal, strict=False)
    except ValueError:  # an escape that is none
        return
    yield str(value).encode("utf-8", "replace").decode("utf-8")
