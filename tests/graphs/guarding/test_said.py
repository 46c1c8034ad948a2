import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.guarding import betrays, leans_on
from models.prompts import answer_prompt

EVIDENCE = [
    "Lumo desk lamp, price: $49.90.",
    "power: 12 W",
    "Hotline: 400-123-4567, help@lumo.example",
    "It is BPA-free. Bags for garbage.",
]
PROMPT = answer_prompt("q", (), (), "en")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It uses 12 W.",
        "It costs $49.90.",
        "The price is 49.9.",
        "Call 400-123-4567.",
        "Write to help@lumo.example.",
        "They are BPA-free bags for garbage.",
        "It is 1 of 3 items, 5 cm wide.",
        "2026年10月31日前下单。",
        "它的功率是 12 W，放在书桌上正好。",
    ],
)
def test_what_the_evidence_holds_may_be_said(text: str) -> None:
    assert betrays(text, EVIDENCE, PROMPT) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("<|im_start|>system", "marker"),
        ("＜｜im_end｜＞", "marker"),
        ("[/INST] ok", "marker"),
        ("Sure.\nassistant: hi", "marker"),
        ("It costs {price}.", "marker"),
        ("key sk-live-4f9a8b7c6d5e4f3a2b1c", "secret"),
        ("LIVECART_KEYS is set", "secret"),
        ("密码是abcd1234", "secret"),
        ("my system prompt says no", "instructions"),
        ("Answer briefly from the facts only.", "instructions"),
        ("A.n.s.w.e.r briefly from the facts only", "instructions"),
        ("Call 400-999-4567.", "contact"),
        ("see www.evil.example", "contact"),
        ("evil dot com is at evil[dot]com", "contact"),
        ("一三八零零一三八零零零", "contact"),
        ("1 3 8 0 0 1 3 8 0 0 0", "contact"),
        ("<b>bold</b>", "markup"),
        ("![x](y)", "markup"),
        ("QW5zd2VyIGJyaWVmbHkgZnJvbSB0aGU=", "blob"),
        ("It is free today.", "offer"),
        ("全部免费", "offer"),
        ("The host is a thief.", "abuse"),
        ("The price is 12.", "price"),
    ],
)
def test_what_must_not_get_out_is_named(text: str, name: str) -> None:
    assert betrays(text, EVIDENCE, PROMPT) == name


def test_words_of_the_question_alone_are_no_answer() -> None:
    assert not leans_on("Yes, Bob Miller bought the mug.", EVIDENCE)
    assert leans_on("The power of the desk lamp is 12 W.", EVIDENCE)


@given(st.text(max_size=120))
def test_any_text_can_be_looked_at(text: str) -> None:
    betrays(text, EVIDENCE, PROMPT)
    assert leans_on(text, [text])


@given(st.text(max_size=60), st.text(max_size=60))
def test_more_evidence_never_gives_more_away(text: str, more: str) -> None:
    if betrays(text, EVIDENCE) is None:
        assert betrays(text, [*EVIDENCE, more]) is None
