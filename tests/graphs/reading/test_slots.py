"""Slot answers say what the store holds, and nothing else."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.reading.slots import detect_language, facts_of, format_price, mentioned, slot_answer
from models.types import Language, Money, Product, ProductId, Room, RoomId

POT = Product(
    product_id=ProductId("p1"),
    title="铁禾不粘炒锅",
    category="kitchen",
    price=Money(Decimal("199.00"), "CNY"),
    brand="铁禾",
    attributes={"材质": "陶瓷涂层", "直径": "28 cm", "保质期": "36 个月"},
    tags=("炒锅",),
    stock=75,
)
WATCH = Product(
    product_id=ProductId("p2"),
    title="Halvyn Smart Watch",
    category="electronics",
    price=Money(Decimal("89.50"), "USD"),
    brand="Halvyn",
    attributes={"Battery life": "12 days", "Weight": "31 g", "Strap": "silicone"},
    tags=("watch",),
    stock=0,
)
ROOM = Room(RoomId("r"), "room", "host", live=True, shelf=(WATCH.product_id, POT.product_id))

amounts = st.decimals(min_value=0, max_value=99999, places=2)
languages: st.SearchStrategy[Language] = st.sampled_from(["zh", "en"])


@pytest.mark.parametrize(
    ("question", "product", "attribute", "value"),
    [
        ("这个多少钱？", POT, "price", "199元"),
        ("ＨＯＷ much is it?", WATCH, "price", "$89.50"),
        ("还有货吗", POT, "stock", "75"),
        ("is it in stock?", WATCH, "stock", "sold out"),
        ("几号链接", POT, "shelf_position", "2"),
        ("which number is it", WATCH, "shelf_position", "1"),
        ("什么材质的", POT, "材质", "陶瓷涂层"),
        ("what is it made of", POT, "材质", "陶瓷涂层"),
        ("续航多久", WATCH, "Battery life", "12 days"),
        ("how heavy is it", WATCH, "Weight", "31 g"),
        ("what strap does it have", WATCH, "Strap", "silicone"),
        ("什么牌子的", POT, "brand", "铁禾"),
    ],
)
def test_the_value_asked_for_is_given_with_its_evidence(question: str, product: Product, attribute: str, value: str) -> None:
    found = slot_answer(question, "spec", product, room=ROOM, language=detect_language(question))
    assert found is not None
    assert found.attribute == attribute
    assert value in found.text
    assert found.evidence.source_id == f"{product.product_id}#{attribute}"
    assert value in found.evidence.text


@pytest.mark.parametrize(
    "question",
    [
        "",
        "你好呀",
        "多久能到",
        "能便宜点吗",
        "明年会卖多少钱",
        "什么时候补货",
        "几号发货",
        "黑色有货吗",
        "含铁量是多少",
        "what is the clock speed",
        "运费多少钱",
    ],
)
@pytest.mark.parametrize("product", [POT, WATCH])
def test_unsure_or_missing_is_left_to_the_graph(question: str, product: Product) -> None:
    assert slot_answer(question, "spec", product, room=ROOM, language="zh") is None


def test_an_opened_package_is_not_answered_with_the_closed_ones_shelf_life() -> None:
    assert slot_answer("保质期多久", "spec", POT, room=None, language="zh") is not None
    assert slot_answer("开封后能放多久", "spec", POT, room=None, language="zh") is None


def test_praise_that_names_an_attribute_is_no_question() -> None:
    assert slot_answer("材质真好", "praise", POT, room=None, language="zh") is None


def test_no_stock_answer_when_stock_is_not_tracked() -> None:
    untracked = Product(ProductId("p3"), "Thing", "home", Money(Decimal(1), "EUR"))
    assert slot_answer("in stock?", "stock", untracked, room=None, language="en") is None


@given(
    question=st.sampled_from(["多少钱", "库存多少", "几号链接", "材质", "how much is it", "in stock?"]),
    price=amounts,
    stock=st.integers(0, 10**6),
    language=languages,
)
def test_numbers_of_an_answer_are_the_products(question: str, price: Decimal, stock: int, language: Language) -> None:
    product = Product(ProductId("p"), "炒锅", "kitchen", Money(price, "CNY"), attributes={"材质": "铁"}, stock=stock)
    room = Room(RoomId("r"), "room", "host", shelf=(product.product_id,))
    found = slot_answer(question, "spec", product, room=room, language=language)
    assert found is not None
    numbers = {Decimal(number) for number in re.findall(r"\d+(?:\.\d+)?", found.text.replace(",", ""))}
    assert numbers <= {price, Decimal(stock), Decimal(1)}


@given(text=st.text(max_size=60), language=languages)
def test_any_text_may_be_asked(text: str, language: Language) -> None:
    found = slot_answer(text, "spec", POT, room=ROOM, language=language)
    assert found is None or found.evidence.product_id == POT.product_id
    assert detect_language(text) in ("zh", "en")
    assert set(mentioned(text, (POT, WATCH))) <= {POT.product_id, WATCH.product_id}


@given(amount=amounts, currency=st.sampled_from(["CNY", "USD", "EUR", "CHF"]), language=languages)
def test_a_formatted_price_keeps_its_amount(amount: Decimal, currency: str, language: Language) -> None:
    said = format_price(Money(amount, currency), language).replace(",", "")
    assert [Decimal(number) for number in re.findall(r"\d+(?:\.\d+)?", said)] == [amount]


def test_facts_hold_every_attribute_the_price_and_the_stock() -> None:
    facts = {fact.source_id: fact.text for fact in facts_of(POT)}
    assert {f"p1#{name}" for name in ("price", "stock", "brand", *POT.attributes)} <= facts.keys()
    assert all(value in facts[f"p1#{name}"] for name, value in POT.attributes.items())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("铁禾的锅怎么样", ("p1",)),
        ("炒锅能用电磁炉吗", ("p1",)),
        ("is the watch waterproof", ("p2",)),
        ("HALVYN 和铁禾哪个好", ("p1", "p2")),
        ("今天天气不错", ()),
        ("what a nice day", ()),
    ],
)
def test_products_are_found_by_brand_or_noun(text: str, expected: tuple[str, ...]) -> None:
    assert mentioned(text, (POT, WATCH)) == expected


def test_one_claim_is_no_answer_to_another() -> None:
    cream = replace(WATCH, title="Dawn cream", attributes={"Vegan": "yes", "Organic": "no"})
    assert slot_answer("is it cruelty free?", "", cream, room=None, language="en") is None
    assert slot_answer("is it tested on animals", "", cream, room=None, language="en") is None
