"""Yes and no are said only where the store says it."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from graphs.answering.whether import whether_answer
from graphs.reading.slots import detect_language
from models.types import Money, Product, ProductId


def _product(
    title: str = "Fjellmark Trail Shoes",
    description: str | None = None,
    tags: tuple[str, ...] = (),
    attributes: Mapping[str, str] | None = None,
) -> Product:
    return Product(
        ProductId("p"), title, "shoes", Money(Decimal(9), "USD"), description=description, tags=tags, attributes=attributes or {}
    )


SHOES = _product(description="Grippy, waterproof trail shoes that need no breaking in.", attributes={"Lining": "leather", "Vegan": "no"})
SHIRT = _product("山织短袖T恤", tags=("纯棉", "透气"), attributes={"材质": "棉", "防水": "不支持"})
PEN = _product("墨鹿极细防水眼线笔", attributes={"防水性": "防水防汗", "酒精": "不含酒精"})


def _toner(**attributes: str) -> Product:
    return _product("Dawn toner", attributes={name.replace("_", " "): value for name, value in attributes.items()})


@pytest.mark.parametrize(
    ("question", "product", "opens"),
    [
        ("Are these waterproof?", SHOES, "Yes: Grippy, waterproof trail shoes"),
        ("is it waterproof", SHOES, "Yes: "),
        ("这个防水吗", SHOES, "是的，"),
        ("is it vegan?", SHOES, "No: "),
        ("是纯棉的吗", SHIRT, "是的，山织短袖T恤标注了“纯棉”。"),
        ("透不透气", SHIRT, "是的，"),
        ("is it breathable?", SHIRT, "Yes: "),
        ("防水吗", SHIRT, "不是的，"),
        ("这款眼线笔防水吗", PEN, "是的，墨鹿极细防水眼线笔的防水性是防水防汗。"),
        ("does it contain alcohol", _toner(ingredients="water, alcohol, glycerin"), "Yes: "),
        ("is it alcohol free", _toner(ingredients="water, alcohol, glycerin"), "No: "),
        ("does it contain alcohol?", _toner(alcohol_free="yes"), "No: "),
        ("is it alcohol free?", _toner(alcohol_free="yes"), "Yes: "),
        ("is there alcohol in it", _toner(alcohol="none"), "No: "),
        ("does it have alcohol", _product("Dawn toner", tags=("alcohol free",)), "No: "),
        ("含酒精吗", _product("晨屿爽肤水", attributes={"成分": "水、酒精、甘油"}), "是的，"),
        ("含不含酒精", PEN, "不含，"),
        ("含酒精吗", PEN, "不含，"),
        ("有酒精吗", PEN, "没有，"),
    ],
)
def test_a_plain_statement_of_the_store_answers(question: str, product: Product, opens: str) -> None:
    found = whether_answer(question, product, detect_language(question))
    assert found is not None
    assert found.text.startswith(opens)
    assert found.evidence.product_id == product.product_id


@pytest.mark.parametrize(
    ("question", "product"),
    [
        ("is it leather?", SHOES),  # its lining is
        ("does it contain alcohol", _toner(ingredients="water, cetearyl alcohol")),
        ("does it contain alcohol", _toner(ingredients="water, glycerin")),  # a list may leave things out
        ("is it cruelty free?", SHOES),
        ("is the tongue waterproof", SHOES),
        ("is it waterproof up to 10 m", SHOES),
        ("is it waterproof or breathable", SHOES),
        ("isn't it waterproof", SHOES),
        ("how waterproof is it", SHOES),
        ("is it windproof", SHOES),
        ("袖口纯棉吗", SHIRT),
        ("是不是真丝的", SHIRT),
        ("是纯棉还是真丝", SHIRT),
        ("is it waterproof", _product(description="Comes with a waterproof pouch.")),
        ("is it waterproof", _product(description="Waterproof only when closed.", tags=("trail",))),
        ("is it waterproof", _product(description="Waterproof shoes.", attributes={"Waterproof": "no"})),
        ("is it leather", _product(attributes={"Material": "PU leather"})),
        ("is it leather", _product("Leather Look Bag", attributes={"Material": "polyurethane"})),
        ("is it leather", _product("Genuine leather bag", attributes={"Material": "polyurethane"})),
        ("is it waterproof", _product("Waterproof shoes", attributes={"Waterproof": "light rain only"})),
        ("防水吗", _product("防水登山鞋", tags=("防水",), attributes={"防水": "仅限小雨"})),
        ("墨鹿极细防水眼线笔还有吗", PEN),
        ("防水眼线笔有货吗", PEN),
        ("防水吗", _product("登山鞋", description="附送防水收纳袋。")),
    ],
)
def test_what_is_not_said_plainly_gets_no_verdict(question: str, product: Product) -> None:
    assert whether_answer(question, product, detect_language(question)) is None
