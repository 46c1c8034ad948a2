"""What is written down about a question: what answers it word for word, and what an answer may be generated from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from graphs.answering.agreement import RELEVANT, agreement
from graphs.answering.speaking import Said
from graphs.checking.support import asked_beyond, content_of
from graphs.compliance import check
from graphs.reading.asking import head_of
from graphs.reading.matching import Match, matches, sure_matches
from graphs.reading.question import Question, read_question
from graphs.reading.slots import names_of
from graphs.reading.statements import Statement, statements_in
from models.types import Language, Passage, Product

EVIDENCE = 3  # passages that the LLM is shown: more distract a small model
SAME_QUESTION = 0.5  # share of what is asked that a stored question must ask too
SAME_SUBJECT = 0.7  # share of what is asked that a less near question and its answer must name
LIKELY_OPEN = 2  # words of a question that a statement on its matter may leave open
_NAMES = frozenset({"name", "brand"})


class Nearness(NamedTuple):
    """What is near enough."""

    bank_threshold: float  # question similarity from which on a stored answer is given as it is
    bank_agreement: float  # how far a stored question has to ask the same; see graphs/answering/agreement.py
    evidence_threshold: float  # similarity from which on a passage may support an answer


@dataclass(frozen=True, slots=True)
class Known:
    """A question beside the passages that were found for it."""

    question: Question
    titles: tuple[str, ...]  # names of what it is about
    passages: tuple[Passage, ...]
    matches: tuple[Match, ...]  # of all their statements, best first
    beyond: frozenset[str]  # content of the question without the names of the products

    @classmethod
    def read(cls, question: str, subject: Sequence[Product], passages: tuple[Passage, ...]) -> Self:
        statements = statements_in(passages)
        titles = (*(name for product in subject for name in names_of(product)), *_names_in(statements))
        read = read_question(question, titles)
        return cls(read, titles, passages, matches(read, statements), asked_beyond(question, titles))

    def quoted(self, language: Language, nearness: Nearness) -> Said | None:
        """Stored words that surely answer: a statement on what is asked, else the answer of a stored question that is the same."""
        agreeing = [match for match in self.matches if self._agrees(match.statement.passage, nearness)]
        sure = sure_matches(self.question, [match.statement for match in agreeing])
        if sure:
            said = _said([match.statement for match in sure], language)
            if check(said.text, language).passed:
                return said
        banked = self._banked(nearness) or self._relevant_answer(agreeing)
        if banked is not None and banked.answer is not None and check(banked.answer, language).passed:
            return Said(banked.answer, "bank", (banked,))
        return None

    def likely(self, language: Language, nearness: Nearness) -> Said | None:
        """A statement on the matter asked about that leaves a word or two open: better than nothing where the LLM has nothing to say."""
        agreeing = [match for match in self.matches if self._agrees(match.statement.passage, nearness)]
        near = (match for match in agreeing if match.is_all_told and not match.is_bare_figure and len(match.open) <= LIKELY_OPEN)
        best = next(near, None) or self._relevant(agreeing)
        said = _said([best.statement], language) if best is not None else None
        return said if said is not None and check(said.text, language).passed else None

    def _agrees(self, passage: Passage, nearness: Nearness) -> bool:
        """Whether a passage is no stored question, or one that asks what is asked."""
        return passage.question is None or agreement(self.question, passage, self.titles) >= nearness.bank_agreement

    def evidence(self, nearness: Nearness) -> tuple[Passage, ...]:
        """What the LLM may answer from, what meets the question best first."""
        supporting = [match for match in self.matches if self._may_support(match, nearness)]
        return tuple({match.statement.passage.source_id: match.statement.passage for match in supporting}.values())[:EVIDENCE]

    def _may_support(self, match: Match, nearness: Nearness) -> bool:
        """On the matter asked about, or near; no property of another part, and none beside the one that is asked for.

        A bare figure that nobody asks for is none of these where it merely shares a word: a delivery charge for charging a computer.
        """
        passage = match.statement.passage
        if match.told:
            return not match.is_bare_figure and match.is_of_part_named and (match.is_on_matter or not match.open)
        near = passage.score if passage.relevance is None else passage.relevance
        least = RELEVANT if self.question.asked else nearness.evidence_threshold  # what is asked for by name is seldom told without it
        shares = not match.is_bare_figure and (bool(match.held) or (passage.relevance is not None and match.statement.name is None))
        is_near = passage.score >= nearness.bank_threshold or (near >= least and shares)
        return match.fits and is_near and not any(asked.concept.is_of_parts for asked in self.question.asked)

    def _banked(self, nearness: Nearness) -> Passage | None:
        """A stored question that is surely the same, or one near it whose question and answer name most of what is asked.

        Nearness alone is not enough: the name of a product makes all questions about it near.
        """
        asked = self.beyond
        strays = {match.statement.passage.source_id for match in self.matches if match.is_stray_figure}
        stored = [p for p in self.passages if p.question and p.source_id not in strays and self._agrees(p, nearness)]
        same = (p for p in stored if p.score >= nearness.bank_threshold and _covers(asked, p.question or "", SAME_QUESTION))
        about = (
            p for p in stored if p.score >= nearness.evidence_threshold and asked and _covers(asked, f"{p.question} {p.text}", SAME_SUBJECT)
        )
        return next(same, None) or next(about, None)

    def _relevant_answer(self, agreeing: Iterable[Match]) -> Passage | None:
        best = self._relevant([match for match in agreeing if match.statement.question is not None])
        return best.statement.passage if best is not None else None

    def _relevant(self, matches: Iterable[Match]) -> Match | None:
        """The statement that the re-ranker holds for an answer, if any; none on another property, no figure that is not asked for."""
        properties = {asked.concept.key for asked in self.question.asked if asked.concept.is_of_parts}
        fitting = (
            match
            for match in matches
            if match.fits
            and not match.is_stray_figure
            and properties <= match.told
            and _relevance(match) >= RELEVANT
            and not self._is_of_another(match.statement)
        )
        return max(fitting, key=_relevance, default=None)

    def _is_of_another(self, statement: Statement) -> bool:
        """Whether a value has a name that is known, and something else is asked for."""
        concept = head_of(statement.name)[0] if statement.name is not None else None
        return concept is not None and bool(self.question.asked) and concept.key not in self.question.keys


def _relevance(match: Match) -> float:
    return match.statement.passage.relevance or 0.0


def of_one_product(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """The passages about the product of the best one, and those about the shop as a whole: an answer never mixes two products."""
    first = next((passage.product_id for passage in passages if passage.product_id is not None), None)
    return tuple(passage for passage in passages if passage.product_id is None or passage.product_id == first)


def _names_in(statements: Iterable[Statement]) -> list[str]:
    """What documents say that the product is called."""
    heads = [(statement.value, *head_of(statement.name)) for statement in statements if statement.name is not None]
    return [value for value, concept, part in heads if value and concept is not None and concept.key in _NAMES and not part]


def _said(statements: Sequence[Statement], language: Language) -> Said:
    glue = "" if language == "zh" else " "
    return Said(glue.join(_sentence(each, language) for each in statements), "bank", tuple(each.passage for each in statements))


def _sentence(statement: Statement, language: Language) -> str:
    """Word for word; only a value under a heading becomes a sentence."""
    if statement.name is None or statement.value is None or statement.text.endswith(("。", ".", "！", "!")):
        return statement.text
    return f"{statement.name}：{statement.value}。" if language == "zh" else f"{statement.name}: {statement.value}."


def _covers(asked: frozenset[str], text: str, share: float) -> bool:
    return len(asked & content_of(text)) >= share * len(asked)
