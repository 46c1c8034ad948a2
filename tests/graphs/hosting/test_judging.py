from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.hosting.judging import Bounds, PutAside, judged
from graphs.hosting.sayings import evidence_of, sayings_of
from graphs.reading.slots import format_price
from models.types import Language, Product
from tests.graphs.test_script import KETTLE
from tests.graphs.world import LAMP


def bounds_of(product: Product, language: Language, *, price: bool = True, wishes: tuple[str, ...] = ()) -> Bounds:
    told = sayings_of(product, language)
    return Bounds(
        language,
        (product.title,),
        evidence_of(product, told),
        told,
        price=format_price(product.price, language) if price else None,
        wishes=wishes,
    )


def speakable(written: str, bounds: Bounds) -> str | None:
    said = judged(written, bounds)
    return None if isinstance(said, PutAside) else said


EN, ZH = bounds_of(LAMP, "en"), bounds_of(KETTLE, "zh")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("The price is {price}.", "The price is $49.90."),
        ("The price is ${price} today", "The price is $49.90 today."),
        ("It is USD {price} dollars.", "It is $49.90."),
        ("Power: 12 W.", "Power: 12 W."),
        ("Type your questions!", "Type your questions!"),
    ],
)
def test_the_price_of_the_store_takes_the_place_of_its_mark(written: str, said: str) -> None:
    assert speakable(written, EN) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [("价格是{price}。", "价格是149元。"), ("只要{price}元，喜欢就带走", "只要149元，喜欢就带走。"), ("今天￥{price}！", "今天149元！")],
)
def test_units_that_the_writer_adds_to_the_mark_are_not_said_twice(written: str, said: str) -> None:
    assert speakable(written, ZH) == said


@pytest.mark.parametrize(
    "written",
    [
        "It was {price}, now less.",
        "Save {price} today.",
        "From {price} up to {price}.",
        "Half of it: half {price}.",
        "{price} off.",
        "The pric{price",
        "It costs {pric}.",
        "It is {color}.",
        "It costs $9.",
        "It runs 99 hours.",
        "It is cordless.",
        "Made by Nordlicht in the Alps.",
        "Material: steel.",
        "这盏灯很亮。",
        "Audience: students.",
        'He said "sentences".',
        "yes yes yes yes yes yes",
        "Half a \ufffd character.",
        "The Lumovista desk lamp.",
        "Welcome to the Lumo desk la.",
        "TheFor it.",
        "It has a kg of it.",
        "Its origin is aluminium.",
        "It is the best lamp in the world.",
        "...",
        "",
    ],
)
def test_what_may_not_be_said_is_not(written: str) -> None:
    assert speakable(written, EN) is None


@pytest.mark.parametrize(
    "written",
    ["原价{price}。", "立减{price}。", "两件{price}。", "{price}起。", "功率是 900 W。", "材质是陶瓷。", "IPX7 防水。", "只要99元。"],
)
def test_what_may_not_be_said_in_chinese_is_not(written: str) -> None:
    assert speakable(written, ZH) is None


def test_a_text_without_a_price_tells_none() -> None:
    assert speakable("The price is {price}.", bounds_of(LAMP, "en", price=False)) is None


def test_figures_of_a_wish_may_be_repeated_but_prices_and_claims_may_not() -> None:
    def said(wish: str) -> str | None:
        return speakable(f"{wish}的朋友看过来。", bounds_of(KETTLE, "zh", wishes=(wish,)))

    assert said("25到35岁女性") == "25到35岁女性的朋友看过来。"
    assert said("只花9元") is None
    assert said("想要防水") is None


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(max_size=80))
def test_no_text_of_the_writers_becomes_a_price_but_by_the_mark(written: str) -> None:
    said = speakable(written, EN)
    assert said is None or "49.90" not in said or "{price}" in written


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("It runs 99 hours.", "claims"),
        ("Save {price} today.", "grounding"),
        ("Its origin is aluminium.", "contradiction"),
        ("Made by Nordlicht in the Alps.", "support"),
        ("Audience: students.", "guarding"),
        ("It has a kg of it.", "broken"),
        ("No rush today, we take our time.", "idle"),
        ("What do you use for it.", "idle"),
    ],
)
def test_what_is_put_aside_has_a_reason(written: str, why: str) -> None:
    assert judged(written, EN) == PutAside(why)  # type: ignore[arg-type]  # a Fault


@pytest.mark.parametrize(
    "written", ["它的艾谷。", "今天不着急。", "你最关心山岚电热水壶的朋友扣个想看。", "朋友们晚上好，这一场我们聊聊山岚电热水。"]
)
def test_words_that_say_nothing_of_the_product_are_not_said(written: str) -> None:
    assert isinstance(judged(written, ZH), PutAside)


@pytest.mark.parametrize(
    "written",
    ["喜欢山岚电热水壶的朋友，链接已经上了。", "你最关心山岚电热水壶的哪一点，告诉我。", "想看哪个角度，公屏告诉我。", "谢谢大家的陪伴。"],
)
def test_greetings_and_invitations_are(written: str) -> None:
    assert judged(written, ZH) == written


def test_a_word_that_begins_like_a_title_is_no_broken_title() -> None:
    quell = bounds_of(replace(LAMP, title="Quellin desk lamp"), "en")
    assert judged("Let me read a few of your questions.", quell) == "Let me read a few of your questions."
    assert judged("That was Quellin desk la.", quell) == PutAside("broken")
