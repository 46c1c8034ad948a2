"""The data keeps its promises: no pattern runs away, none is passed over wrongly, each has its law, and the page shows it."""

import re
from collections.abc import Iterator

import pytest

from graphs.compliance.checking import check
from graphs.compliance.rules import SEVERITIES, RuleRow, extended, rule_rows, shipped
from graphs.compliance.sounds import Guard
from tests.graphs.compliance.page import PAGE, written
from tests.graphs.compliance.patterns import needs, unbounded

ROWS = {row["rule"]: row for row in rule_rows()}


def patterns(row: RuleRow) -> Iterator[str]:
    yield from (wording["pattern"] for wording in row["wordings"])
    yield from row["exceptions"]
    yield row.get("unless", "")


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_no_repetition_is_without_an_end(row: RuleRow) -> None:
    assert [pattern for pattern in patterns(row) if unbounded(pattern)] == []


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_a_wording_needs_is_in_all_its_matches(row: RuleRow) -> None:
    assert {w["pattern"]: list(w["needs"]) for w in row["wordings"]} == {w["pattern"]: needs(w["pattern"]) for w in row["wordings"]}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_rule_tells_its_law_and_its_advice_in_both_languages(row: RuleRow) -> None:
    assert row["severity"] in SEVERITIES
    assert all(row[told].keys() == {"zh", "en"} and all(row[told].values()) for told in ("about", "law", "advice"))


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_its_examples_are_found_and_its_counterexamples_pass(row: RuleRow) -> None:
    for text in row["examples"]["found"]:
        assert row["rule"] in [finding.rule for finding in check(text, "zh").findings], text
    for text in row["examples"]["fine"]:
        assert check(text, "zh").findings == (), text


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_patterns_are_written_in_the_form_that_texts_are_folded_to(row: RuleRow) -> None:
    assert [pattern for pattern in patterns(row) if re.search(r"(?<!\\)(?<!\?)[A-Z]|[，！？；：（）]", pattern)] == []


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_every_guarded_word_can_be_spoken(row: RuleRow) -> None:
    assert all(Guard([word]).knows(word) for word in row["guarded"])


def test_no_additions_change_nothing() -> None:
    assert extended(shipped(), ()) == shipped()


def test_the_page_shows_the_rules_that_run() -> None:
    assert PAGE.read_text(encoding="utf-8") == written(), "python -m tests.graphs.compliance.page writes it"
