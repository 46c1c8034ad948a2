"""What answers are worth: right, rightly declined, grounded, and without a wrong figure."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from deployments.answering.rows import Row
from graphs.answer import AnswerReply
from graphs.checking.grounding import ungrounded
from graphs.checking.support import is_carried
from graphs.reading.slots import facts_of

_BETWEEN_DIGITS = re.compile(r"(?<=\d),(?=\d{3})")
_NEEDLESS_ZEROS = re.compile(r"(?<=\d)\.0+(?!\d)|(?<=\.\d)0+(?!\d)")
_MARKS = re.compile(r"(?<!\d)\.|\.(?!\d)|[^\w.%°¥$€+/×*' -]|_")
_BLANK = re.compile(r"(?<![a-z']) +| +(?![a-z'])")  # between two words it stays
_NEGATION = re.compile(r"(?:不|没|无|非|未|勿|别|\bnot|\bno|\bnon-?|\bnever|n't|\bcannot|\bwithout) ?$")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row with its answer, judged."""

    row: Row
    reply: AnswerReply
    degraded: bool
    took_s: float

    @property
    def declined(self) -> bool:
        """Nothing was claimed: the polite sentence, or small talk."""
        return self.reply.abstained or self.reply.source == "none"

    @property
    def is_right(self) -> bool:
        return self.declined if not self.row.accept else not self.declined and accepts(self.reply.answer, self.row.accept)

    @property
    def wrong_figures(self) -> tuple[str, ...]:
        """Figures that nothing known holds, and those of an answer that should have held another figure, or none."""
        if self.declined:
            return ()
        invented = ungrounded(self.reply.answer, [*_known(self.row), self.row.question])
        return invented or (() if self.is_right else self._misplaced())

    def _misplaced(self) -> tuple[str, ...]:
        """The figures of a wrong answer, unless only words were wanted: they are true of something else."""
        asked_for_words = self.row.accept and not any(map(_figures, self.row.accept))
        titles = [self.row.product.title] if self.row.product else []
        return () if asked_for_words else ungrounded(self.reply.answer, [*self.row.accept, *titles, self.row.question])

    @property
    def is_grounded(self) -> bool:
        """Every figure and, of a model's text, nearly every word is in what is known; what is declined claims nothing."""
        known = [*_known(self.row), self.row.question]
        carried = self.reply.source != "llm" or is_carried(self.reply.answer, known)
        return self.declined or (carried and not ungrounded(self.reply.answer, known))


def report(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Shares between 0 and 1, with the counts that they come from; None where there is nothing to be measured on."""
    kinds = sorted({outcome.row.kind for outcome in outcomes if outcome.row.kind})
    return {
        **_scores(outcomes),
        "degraded": sum(outcome.degraded for outcome in outcomes),
        "by_source": _split(outcomes, ("slot", "bank", "llm", "none"), lambda outcome: outcome.reply.source),
        "by_language": _split(outcomes, ("zh", "en"), lambda outcome: outcome.row.language),
        **({"by_kind": _split(outcomes, kinds, lambda outcome: outcome.row.kind or "")} if kinds else {}),
    }


def accepts(answer: str, accepted: Iterable[str]) -> bool:
    """Whether an answer holds one of the accepted texts: not behind a negation, a figure not within a longer one.

    Width, case, blanks, marks and needless zeros do not count; a text that is one figure is also found in another unit.

    >>> accepts("重量是 1.0 kg。", ["1kg"]), accepts("It is 1000 g.", ["1 kg"]), accepts("3120 ml", ["120ml"]), accepts("不防水", ["防水"])
    (True, True, False, False)
    """
    said = normal(answer)
    return any(_holds(said, normal(text)) or (_is_figure(text) and not ungrounded(text, [answer])) for text in accepted)


def normal(text: str) -> str:
    """What answers are compared in.

    >>> normal("¥１，２９９.00 元！ It is 1 kg, by UPS.")
    '¥1299元it is1kg by ups'
    """
    folded = unicodedata.normalize("NFKC", text).replace("￥", "¥").lower()
    plain = _MARKS.sub(" ", _NEEDLESS_ZEROS.sub("", _BETWEEN_DIGITS.sub("", folded)))
    return _BLANK.sub("", " ".join(plain.split()))


def _holds(said: str, wanted: str) -> bool:
    before = r"(?<![\d.])" if wanted[:1].isdigit() else r"(?<![a-z])" if "a" <= wanted[:1] <= "z" else ""
    after = r"(?!\d|\.\d)" if wanted[-1:].isdigit() else ""
    found = re.finditer(before + re.escape(wanted) + after, said) if wanted else ()
    return any(_NEGATION.search(said[: match.start()]) is None for match in found)


def _is_figure(text: str) -> bool:
    """Whether a text is one figure with its unit and nothing else."""
    figures = _figures(text)
    return len(figures) == 1 and normal(figures[0]) == normal(text) and len(normal(text)) > 1


def _figures(text: str) -> tuple[str, ...]:
    return ungrounded(text, [])


def _known(row: Row) -> list[str]:
    pieces = [part for document in row.documents for part in (document.text, document.question, document.answer) if part]
    if row.product is None:
        return pieces
    return [*pieces, row.product.title, *(fact.text for fact in facts_of(row.product))]


def _scores(outcomes: Sequence[Outcome]) -> dict[str, object]:
    answerable = [outcome for outcome in outcomes if outcome.row.accept]
    open_ones = [outcome for outcome in outcomes if not outcome.row.accept]
    given = [outcome for outcome in outcomes if not outcome.declined]
    return {
        "rows": len(outcomes),
        "answerable": len(answerable),
        "unanswerable": len(open_ones),
        "correct": _share(answerable, lambda outcome: outcome.is_right),
        "wrongly_abstained": _share(answerable, lambda outcome: outcome.declined),
        "abstained_rightly": _share(open_ones, lambda outcome: outcome.declined),
        "grounded": _share(given, lambda outcome: outcome.is_grounded),
        "wrong_figures": sum(bool(outcome.wrong_figures) for outcome in outcomes),
    }


def _split(outcomes: Sequence[Outcome], names: Sequence[str], name_of: Callable[[Outcome], str]) -> Mapping[str, object]:
    parts = {name: [outcome for outcome in outcomes if name_of(outcome) == name] for name in names}
    return {name: _scores(part) for name, part in parts.items() if part}


def _share(outcomes: Sequence[Outcome], holds: Callable[[Outcome], bool]) -> float | None:
    return sum(map(holds, outcomes)) / len(outcomes) if outcomes else None
