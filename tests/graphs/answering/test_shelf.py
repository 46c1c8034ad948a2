"""Answers over a shelf are the store's."""

from dataclasses import replace
from decimal import Decimal

import pytest

from graphs.answering.shelf import extreme_answer, link_answer, mentioned_together, several_answer
from graphs.reading.slots import detect_language
from models.types import Money, Product, ProductId
from tests.graphs.world import LAMP, MUG, PEN

GLAZE = Product(ProductId("z1"), "绯屿雾面唇釉", "beauty", Money(Decimal(89), "CNY"), tags=("唇釉", "口红"), stock=3)
CUSHION = Product(ProductId("z2"), "澄果小圆气垫粉底", "beauty", Money(Decimal(139), "CNY"), tags=("气垫", "粉底"), stock=5)
BALM = Product(ProductId("z3"), "苔语润唇膏", "beauty", Money(Decimal(19), "CNY"), tags=("润唇膏", "口红"), stock=0)
SHOES = Product(ProductId("z4"), "岚野登山鞋", "shoes", Money(Decimal(299), "CNY"), stock=4)
ROOM_ZH, ROOM_EN = (GLAZE, CUSHION, BALM), (LAMP, MUG, PEN)


@pytest.mark.parametrize(
    ("question", "shelf", "said"),
    [
        ("哪个最便宜", ROOM_ZH, "最便宜的是绯屿雾面唇釉，89元。"),
        ("你们家最贵的是哪款？", ROOM_ZH, "最贵的是澄果小圆气垫粉底，139元。"),
        ("which is the cheapest?", ROOM_EN, "The cheapest is Inkwell pen at $5."),
        ("最便宜的粉底是哪个", ROOM_ZH, "最便宜的是澄果小圆气垫粉底，139元。"),
        ("最便宜的鞋", (*ROOM_ZH, SHOES), "最便宜的是岚野登山鞋，299元。"),
        ("鞋哪个最便宜", (*ROOM_ZH, SHOES), "最便宜的是岚野登山鞋，299元。"),
        ("想买最便宜的", ROOM_ZH, "最便宜的是绯屿雾面唇釉，89元。"),
        ("推荐最便宜的粉底", ROOM_ZH, "最便宜的是澄果小圆气垫粉底，139元。"),
        ("I want the cheapest", ROOM_EN, "The cheapest is Inkwell pen at $5."),
        ("哪款价格最低", ROOM_ZH, "最便宜的是绯屿雾面唇釉，89元。"),
        ("最便宜那款多少钱", ROOM_ZH, "最便宜的是绯屿雾面唇釉，89元。"),
        ("which one has the lowest price", ROOM_EN, "The cheapest is Inkwell pen at $5."),
        ("which lamp is the cheapest", ROOM_EN, "The cheapest is Lumo desk lamp at $49.90."),
        ("what is the most expensive one", ROOM_EN, "The most expensive is Lumo desk lamp at $49.90."),
    ],
)
def test_the_cheapest_and_the_dearest_that_can_be_had(question: str, shelf: tuple[Product, ...], said: str) -> None:
    found = extreme_answer(question, shelf, detect_language(question))
    assert found is not None
    assert (found.text, found.attribute) == (said, "price")


def test_prices_of_two_currencies_are_not_compared() -> None:
    found = extreme_answer("which is the cheapest", (*ROOM_EN, GLAZE), "en")
    assert found is not None
    assert found.text == "The prices are in different currencies; the cheapest in each: Inkwell pen at $5; 绯屿雾面唇釉 at CNY 89."
    found = extreme_answer("哪个最贵", (PEN, GLAZE), "zh")
    assert found is not None
    assert "币种不同" in found.text


@pytest.mark.parametrize(
    "question",
    [
        "最便宜的快递",
        "最便宜的鞋子",
        "最便宜的充电宝",
        "cheapest shoes",
        "哪个便宜",
        "cheapest shipping?",
        "is it cheaper elsewhere",
        "多少钱",
        "最便宜还是最贵",
        "最便宜的鞋",
        "最便宜的包有吗",
        "这款最低价多少",
        "能给个最低价吗",
        "is this the lowest price?",
        "can you give me the lowest price",
    ],
)
def test_the_extreme_of_something_else_is_not_told(question: str) -> None:
    assert extreme_answer(question, (*ROOM_EN, *ROOM_ZH), detect_language(question)) is None


def test_nothing_is_the_cheapest_of_nothing() -> None:
    assert extreme_answer("哪个最便宜", (), "zh") is None
    assert extreme_answer("哪个最便宜", (replace(GLAZE, stock=0),), "zh") is None


@pytest.mark.parametrize(
    ("question", "shelf", "named"),
    [
        ("唇釉和气垫多少钱", ROOM_ZH, (GLAZE, CUSHION)),
        ("how much are the desk lamp and the travel mug", ROOM_EN, (LAMP, MUG)),
        ("how much is the desk lamp", ROOM_EN, (LAMP,)),
    ],
)
def test_two_names_are_two_products(question: str, shelf: tuple[Product, ...], named: tuple[Product, ...]) -> None:
    assert mentioned_together(question, shelf) == tuple(product.product_id for product in named)


@pytest.mark.parametrize(
    ("question", "products", "values"),
    [
        ("唇釉和气垫多少钱", (GLAZE, CUSHION), ("89元", "139元")),
        ("how much are the desk lamp and the travel mug", (LAMP, MUG), ("$49.90", "$19")),
        ("are the lamp and the mug in stock", (LAMP, MUG), ("8 left", "sold out")),
    ],
)
def test_values_of_both(question: str, products: tuple[Product, ...], values: tuple[str, ...]) -> None:
    found = several_answer(question, products, detect_language(question))
    assert found is not None
    assert all(value in found.text for value in values)
    assert len(found.beside) == len(products) - 1


@pytest.mark.parametrize("question", ["唇釉和气垫的运费多少", "唇釉和气垫哪个好用", "how heavy are the lamp and the mug"])
def test_of_several_only_price_and_stock_are_told(question: str) -> None:
    assert several_answer(question, (GLAZE, CUSHION), "zh") is None


def test_links_are_told_with_title_and_price() -> None:
    assert link_answer((2,), (MUG,), "en").text == "Number 2 is Terra travel mug, $19 right now."
    assert link_answer((1, 2), (GLAZE, CUSHION), "zh").text == (
        "1号链接是绯屿雾面唇釉，现在的价格是89元哦。2号链接是澄果小圆气垫粉底，现在的价格是139元哦。"
    )
