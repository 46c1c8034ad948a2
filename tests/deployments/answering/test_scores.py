"""What counts as right, as declined, as a wrong figure."""

import pytest

from deployments.answering.rows import Row, row_from
from deployments.answering.scores import Outcome, accepts, report
from graphs.answer import AnswerReply
from models.types import Label

FACTS = ["Weight: 390 g", "Capacity: 750 ml", "It is not waterproof."]


def _row(answer: str | None, *accept: str) -> Row:
    return row_from({"question": "how big is it?", "facts": FACTS, "answer": answer, "accept": list(accept)}, line=1)


def _outcome(row: Row, text: str, source: str = "llm") -> Outcome:
    label = Label("spec", 1.0)
    declined = source == "none"
    reply = AnswerReply(text, not declined, declined, source, (), label, label, (), source == "llm")
    return Outcome(row, reply, degraded=False, took_s=0.1)


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("It holds 750 ml.", ["750ml"]),
        ("容量是０.75 升。", ["750 ml"]),
        ("现在的价格是1,299元哦。", ["1299"]),
        ("$89.00 right now", ["89"]),
        ("Orders ship by UPS.", ["ups"]),
        ("产地是浙江杭州。", ["杭州", "x"]),
        ("Music stand, temperature: -38 to 41 °C.", ["-38 to 41 °C"]),
    ],
)
def test_an_accepted_text_is_found_however_it_is_written(answer: str, accepted: list[str]) -> None:
    assert accepts(answer, accepted)


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("3750 ml", ["750 ml"]),
        ("750.5 ml", ["750"]),
        ("不防水", ["防水"]),
        ("It is not waterproof", ["waterproof"]),
        ("cups", ["ups"]),
        ("", ["x"]),
    ],
)
def test_a_longer_figure_a_negation_and_a_part_of_a_word_are_not_it(answer: str, accepted: list[str]) -> None:
    assert not accepts(answer, accepted)


def test_a_figure_of_another_property_is_wrong_though_it_is_known() -> None:
    row = _row("750 ml", "750 ml")
    assert _outcome(row, "It holds 390 g.").wrong_figures == ("390 g",)
    assert _outcome(row, "It holds 99 l.").wrong_figures == ("99 l",)
    assert _outcome(row, "It holds 750 ml.").wrong_figures == ()
    assert _outcome(_row(None), "It weighs 390 g.").wrong_figures == ("390 g",)
    assert _outcome(_row(None), "No idea, 42.", source="none").wrong_figures == ()


def test_the_report_tells_rows_sources_and_languages_apart() -> None:
    outcomes = [
        _outcome(_row("750 ml", "750 ml"), "It holds 750 ml.", "slot"),
        _outcome(_row("750 ml", "750 ml"), "Sorry.", "none"),
        _outcome(_row(None), "Sorry.", "none"),
        _outcome(_row(None), "Blue skies.", "llm"),
    ]
    found = report(outcomes)
    assert (found["rows"], found["answerable"], found["unanswerable"]) == (4, 2, 2)
    assert (found["correct"], found["wrongly_abstained"], found["abstained_rightly"]) == (0.5, 0.5, 0.5)
    assert found["grounded"] == 0.5
    assert found["wrong_figures"] == 0
    by_source = found["by_source"]
    assert isinstance(by_source, dict)
    assert set(by_source) == {"slot", "llm", "none"}
    assert by_source["slot"]["correct"] == 1.0
    assert by_source["slot"]["abstained_rightly"] is None
