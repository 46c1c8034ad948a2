"""Say a draft: fixed text at once, generated text clause by clause, each clause checked against the evidence before it is released."""

import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, Protocol

from graphs.answering.phrases import decline
from graphs.checking.contradiction import contradicts
from graphs.checking.grounding import ungrounded
from graphs.checking.language import is_glued, is_in_language
from graphs.checking.support import is_broken, is_carried
from graphs.checking.verdicts import Fault, OnWriter, asking, unheard
from graphs.compliance import check
from graphs.guarding import betrays, leans_on
from graphs.ports import Writer
from graphs.reading.quantities import is_but_a_figure
from graphs.reading.question import asks_for_a_figure
from models.prompts import REFUSALS, answer_prompt, in_other_words, is_refusal
from models.types import Language, Passage, Prompt, RoomId, TextDelta

Source = Literal["slot", "bank", "llm", "none"]
CLAUSE_BREAK = re.compile(r"[。！？；，!?;\n]|[.,](?=\s)")
FULL_STOP: dict[Language, str] = {"zh": "。", "en": "."}


@dataclass(frozen=True, slots=True)
class Said:
    """The finished text and what supports it."""

    text: str
    source: Source
    citations: tuple[Passage, ...] = ()
    abstained: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be said: fixed text (`said`), or a question for the LLM with its evidence."""

    language: Language
    said: Said | None = None
    question: str = ""
    evidence: tuple[Passage, ...] = field(default=())
    facts: tuple[str, ...] = ()  # all specifications of the subject: figures in them are true too
    titles: tuple[str, ...] = ()
    instead: Said | None = None  # said where the LLM declines or cannot be trusted
    charged_to: RoomId | None = None  # the room whose generation this is


Step = str | Said  # pieces of text as they are released; `Said` comes last and holds the whole


class NotSupported(Exception):  # noqa: N818 - a signal inside this file, not an error of the platform
    """The model said something that may not be said."""

    def __init__(self, clause: str, fault: Fault) -> None:
        super().__init__(clause)
        self.fault = fault


class Speaks(Protocol):
    def generate(self, draft: Draft) -> AsyncGenerator[Step, None]:
        """Yield text as it becomes certain, then the whole. Closing the iterator aborts the generation."""
        ...


@dataclass(frozen=True, slots=True)
class Speaker:
    writer: Writer
    on_writer: OnWriter = unheard
    charge: Callable[[RoomId], None] = lambda _: None  # raises QuotaSpent for a room that has had its generations

    async def generate(self, draft: Draft) -> AsyncGenerator[Step, None]:
        """Yield text as it becomes certain, then the whole. Closing the iterator aborts the generation."""
        if draft.charged_to is not None:
            self.charge(draft.charged_to)
        text = ""
        async with aclosing(self._generated(draft)) as clauses:
            async for clause in clauses:
                text += clause
                yield clause
        if text.strip():
            self.on_writer("kept")
            yield Said(text, "llm", _supporting(text, draft.evidence))
        else:
            said = draft.instead or declined(draft)
            yield said.text
            yield said

    async def _generated(self, draft: Draft) -> AsyncGenerator[str, None]:
        """Checked clauses of at most two attempts; nothing at all when the model declines or cannot be trusted."""
        prompt = answer_prompt(draft.question, draft.evidence, draft.titles, draft.language)
        for attempt in (prompt, in_other_words(prompt)):
            released = False
            try:
                with asking(self.on_writer):
                    async with aclosing(self._checked(attempt, draft)) as clauses:
                        async for clause in clauses:
                            released = True
                            yield clause
            except NotSupported as put_aside:
                self.on_writer(put_aside.fault)
                if not released:
                    continue
                yield FULL_STOP[draft.language]  # the clauses so far stand; the rest is left out
            return

    async def _checked(self, prompt: Prompt, draft: Draft) -> AsyncGenerator[str, None]:
        """Clauses up to the first one that fails. Raises NotSupported there."""
        evidence = (*(p.text for p in draft.evidence), *(p.answer for p in draft.evidence if p.answer), *draft.facts, *draft.titles)
        said = held = ""
        async with aclosing(clauses_streamed(self.writer.write(prompt))) as clauses:
            async for clause in clauses:
                held += clause
                if is_refusal(held):
                    self.on_writer("declined")
                    return
                if _may_be_refusal(held):
                    continue
                fault = _fault(said + held, evidence, draft, prompt)
                if fault is not None:
                    raise NotSupported(held, fault)
                said += held
                yield held
                held = ""
        if not said.strip():
            self.on_writer("unfinished")


async def quote(draft: Draft) -> AsyncGenerator[Step, None]:
    """Say text that is settled: one piece, then the whole."""
    if draft.said is not None:
        yield draft.said.text
        yield draft.said


def whole(steps: Sequence[Step]) -> Said:
    """What was said in the end. Raises TypeError when the last step is no whole, which no speaker does."""
    last = steps[-1]
    if not isinstance(last, Said):
        raise TypeError(f"a speaker ended with a piece of text: {last!r}")
    return last


async def clauses_streamed(deltas: AsyncGenerator[TextDelta, None]) -> AsyncGenerator[str, None]:
    """Cut a stream of deltas before every break between clauses. Joined they are the deltas joined; a figure is never cut in two.

    The break opens the next clause, so that a text may end after any clause without a dangling comma.
    """
    held = ""
    async with aclosing(deltas):
        async for delta in deltas:
            held += delta.text
            breaks = [m.start() for m in CLAUSE_BREAK.finditer(held) if m.start() > 0]
            if breaks:
                yield held[: breaks[-1]]
                held = held[breaks[-1] :]
    if held:
        yield held


def declined(draft: Draft) -> Said:
    """The polite sentence for a question that nothing supports; also the fallback when the LLM is out of reach."""
    return Said(decline(draft.language), "none", abstained=True)


def _fault(text: str, evidence: Sequence[str], draft: Draft, prompt: Prompt) -> Fault | None:
    """Why a text so far may not be said; None when it may: all of it is in the evidence, in words that the law allows."""
    if ungrounded(text, evidence):
        return "grounding"
    if _says_a_question(text, draft) or (is_but_a_figure(text) and not asks_for_a_figure(draft.question)):
        return "support"
    if not is_carried(text, (*evidence, draft.question)) or not leans_on(text, evidence):
        return "support"
    if contradicts(text, evidence, draft.question):
        return "contradiction"
    if is_broken(text) or is_glued(text, (*evidence, draft.question)) or not is_in_language(text, draft.language, draft.titles):
        return "broken"
    if betrays(text, evidence, prompt) is not None:
        return "guarding"
    return None if check(text, draft.language).passed else "compliance"


def _says_a_question(text: str, draft: Draft) -> bool:
    """Whether a text is only the question asked or a stored one, which answers nothing."""
    questions = (draft.question, *(passage.question or "" for passage in draft.evidence))
    return bool(letters := _letters(text)) and letters in map(_letters, questions)


def _may_be_refusal(text: str) -> bool:
    return any(refusal.startswith(text.strip()) for refusal in REFUSALS.values())


def _supporting(text: str, evidence: tuple[Passage, ...]) -> tuple[Passage, ...]:
    """The passages that share most with the text, best first: at least one, at most three."""
    grams = _bigrams(text)
    ranked = sorted(evidence, key=lambda p: -len(grams & _bigrams(p.text + (p.answer or ""))))
    return tuple(p for i, p in enumerate(ranked[:3]) if i == 0 or grams & _bigrams(p.text + (p.answer or "")))


def _bigrams(text: str) -> set[str]:
    letters = _letters(text)
    return {a + b for a, b in pairwise(letters)}


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())
