from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.hosting.sayings import closed, has_mark, holds_value, sayings_of, sentences_about, unmarked
from models.demo.catalog import demo_products
from models.types import Language
from tests.graphs.world import LAMP


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_saying_is_told_by_the_sentences_about_them(language: Language) -> None:
    for product in demo_products():
        told = sayings_of(product, language)
        text = " ".join(sentences_about(told, language))
        assert [saying.name for saying in told if not saying.is_told_by(text) and saying.value.lower() not in ("yes", "no", "none")] == []


def test_a_value_is_not_found_within_another_one() -> None:
    assert holds_value("重 1.2 kg", "1.2kg")
    assert not holds_value("重 11.2 kg", "1.2 kg")
    assert not holds_value("a leaden weight", "lead")


def test_a_bare_value_is_told_beside_its_label_only() -> None:
    pieces = replace(LAMP, attributes={"Pieces": "68", "Vegan": "yes"})
    told = {saying.name: saying for saying in sayings_of(pieces, "en")}
    assert told["Pieces"].is_told_by("In all 68 pieces.")
    assert not told["Pieces"].is_told_by("It costs 68.")
    assert not told["Vegan"].is_told_by("Yes, you heard right.")


def test_values_of_the_other_language_are_said_as_figures_or_not_at_all() -> None:
    product = replace(LAMP, title="山岚水壶", attributes={"保质期": "36 个月", "材质": "实木", "笔头直径": "0.1 mm", "尺码": "S、M"})
    assert {s.label: s.value for s in sayings_of(product, "en")} == {"shelf life": "36 months", "sizes": "S, M"}


@pytest.mark.parametrize("typed", ["{price}", "{ Price }", "｛price｝"])
def test_the_mark_of_a_price_is_never_taken_from_the_shops_text(typed: str) -> None:
    assert has_mark(f"only {typed}")
    assert not has_mark(unmarked(f"only {typed} {{A}}"))
    assert unmarked("{A}") == "{A}"
    assert sayings_of(replace(LAMP, description=f"Now {typed}.", attributes={"note": typed}), "en") == ()


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(max_size=60), st.sampled_from(["zh", "en"]))
def test_closing_a_closed_sentence_changes_nothing(sentence: str, language: Language) -> None:
    assert closed(closed(sentence, language), language) == closed(sentence, language)


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(max_size=60))
def test_a_text_holds_itself(text: str) -> None:
    assert holds_value(text, text) or not text.strip()
