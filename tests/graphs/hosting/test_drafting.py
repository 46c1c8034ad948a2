import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.hosting.drafting import Bounds, sentences_in, speakable
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


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(st.text(alphabet='ab 好"\\\n{}，。', min_size=1, max_size=12), max_size=4), st.integers(0, 60))
def test_any_cut_of_any_answer_is_read_without_an_error(texts: list[str], cut: int) -> None:
    whole = str({"sentences": texts}).replace("'", '"')
    for written in (whole, whole[:cut]):
        for sentence in sentences_in(written):
            assert sentence.strip()


def test_the_whole_sentences_of_an_answer_that_was_cut_are_a_part_of_its_sentences() -> None:
    whole = '{"sentences": ["Power: 12 W.", "The material is \\"aluminium\\".", "It is {price}."]}'
    for cut in range(len(whole)):
        assert sentences_in(whole)[: len(sentences_in(whole[:cut]))] == sentences_in(whole[:cut])
