from dataclasses import replace

from graphs.hosting.outline import Section, outline
from graphs.hosting.sayings import sayings_of
from graphs.hosting.segments import Ledger, composed
from tests.graphs.world import LAMP, MUG

TOLD = sayings_of(LAMP, "en")
SECTION = Section("product", 20.0, LAMP, known=TOLD, sayings=TOLD, tells_price=True)


def text_of(section: Section, *drafted: str, ledger: Ledger | None = None) -> str:
    made = composed(section, drafted, "en", ledger or Ledger())
    if ledger is not None:
        ledger.enter(made.small_talk)
    return made.segment.text


def test_the_price_comes_last_and_once() -> None:
    text = text_of(SECTION, "Let us look at Lumo desk lamp.", "The price is $49.90.", "The power is 12 W.", "It is $49.90.")
    assert text.endswith("The price is $49.90.")
    assert text.count("49.90") == 1


def test_a_value_is_told_once() -> None:
    text = text_of(SECTION, "The power is 12 W.", "Its power is 12 W.", "As I said, 12 W.")
    assert text.count("12 W") == 1


def test_a_product_is_named_before_it_is_told() -> None:
    assert text_of(SECTION, "The power is 12 W.").startswith("Let us look at Lumo desk lamp.")
    assert text_of(SECTION, "What I am holding is Lumo desk lamp.").startswith("What I am holding is Lumo desk lamp.")


def test_the_first_product_is_not_led_over_to() -> None:
    assert text_of(SECTION, "Next up is Lumo desk lamp.").startswith("Let us look at Lumo desk lamp.")


def test_later_products_and_parts_are_led_over_to() -> None:
    later = replace(SECTION, place=1, products=3)
    assert text_of(later, "Let us look at Lumo desk lamp.", "The power is 12 W.").startswith("Next up, Lumo desk lamp. The power")
    assert text_of(replace(SECTION, part=1)).startswith("More about Lumo desk lamp.")


def test_what_another_segment_tells_is_left_to_it() -> None:
    closing = Section("closing", 10.0, LAMP, known=TOLD)
    assert "12 W" not in text_of(closing, "Remember, the power is 12 W.", "That was Lumo desk lamp.")


def test_segments_do_not_repeat_each_other() -> None:
    ledger = Ledger()
    first = text_of(Section("opening", 10.0, LAMP), "Hello, Lumo desk lamp.", "Type your questions.", ledger=ledger)
    second = text_of(Section("interaction", 10.0, LAMP), "Type your questions!", "What matters to you?", ledger=ledger)
    assert "Type your questions." in first
    assert "Type your questions" not in second
    assert "What matters to you?" in second


def test_without_time_a_product_is_named_with_its_price() -> None:
    assert text_of(replace(SECTION, seconds=3.0)) == "Lumo desk lamp, $49.90."
    assert text_of(replace(SECTION, seconds=0.5)) == "Lumo desk lamp."


def test_sold_out_is_said_once_where_the_price_is_told() -> None:
    sections = outline([MUG], {}, 300, "en")
    texts = [text_of(section) for section in sections]
    assert sum("sold out" in text for text in texts) == 1


def test_the_writers_part_is_counted() -> None:
    assert composed(SECTION, ["The power is 12 W."], "en", Ledger()).drafted == 1
    assert composed(SECTION, [], "en", Ledger()).drafted == 0


def test_no_segment_is_empty() -> None:
    said = Ledger()
    for kind in ("opening", "product", "interaction", "promotion", "closing"):
        for _ in range(3):
            assert text_of(Section(kind, 0.1, LAMP), ledger=said)


def test_a_piece_of_the_description_is_not_told() -> None:
    described = replace(LAMP, description="A bright lamp for long evenings at the desk.")
    known = sayings_of(described, "en")
    section = replace(SECTION, product=described, known=known, sayings=known)
    assert "long evenings." not in text_of(section, "A bright lamp for long evenings.", "The power is 12 W.")
    assert text_of(section, "A bright lamp for long evenings at the desk.").count("long evenings") == 1
