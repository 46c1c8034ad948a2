from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from graphs.analyze import AnalyzeNodes, AnalyzeReply, AnalyzeRequest, analyze_graph
from graphs.errors import Unavailable
from graphs.fakes import FakeRetriever, FakeSegmenter, FakeShop
from models.types import Money, Passage, Product, ProductId
from tests.graphs.world import LAMP, MUG, POWER

CREAM = Product(
    ProductId("sku-cream"),
    "露砚玻尿酸补水精华 30ml",
    "skincare",
    Money(Decimal("168.00"), "CNY"),
    brand="露砚",
    attributes={"净含量": "30 ml", "香精": "不含香精", "产地": "中国上海", "保质期": "36 个月"},
    tags=("精华", "补水"),
)
SHOP = (LAMP, MUG, CREAM)
KNOWN = (
    POWER,
    Passage("sku-mug#capacity", "spec", "Terra travel mug, capacity: 350 ml", 0.5, MUG.product_id),
    Passage("sku-cream#a", "spec", "露砚玻尿酸补水精华的净含量是 30 ml。", 0.5, CREAM.product_id),
    Passage("D-1", "qa", "全店满99元包邮。", 0.5, None, question="包邮吗", answer="全店满99元包邮。"),
)


async def analysis(text: str, products: Sequence[Product] = SHOP, segmenter: FakeSegmenter | None = None) -> AnalyzeReply:
    nodes = AnalyzeNodes(FakeShop(tuple(products)), FakeRetriever(known=KNOWN), segmenter or FakeSegmenter())
    return (await analyze_graph(nodes).run(AnalyzeRequest(text), budget_s=5)).output


async def test_claims_are_checked_against_the_catalogue() -> None:
    reply = await analysis("The Lumo desk lamp uses 12 W. It lasts 99 years. Thank you.")
    assert reply.product_ids == (LAMP.product_id,)
    assert [(claim.text, claim.grounded, claim.kinds) for claim in reply.claims] == [
        ("The Lumo desk lamp uses 12 W.", True, ("figure", "property")),
        ("It lasts 99 years.", False, ("figure",)),
    ]
    assert "Lumo desk lamp" in reply.keywords


async def test_a_forbidden_claim_is_never_grounded() -> None:
    reply = await analysis("这是全国第一的台灯。")
    assert not reply.compliance.passed
    assert [(claim.grounded, "finding" in claim.kinds) for claim in reply.claims] == [(False, True)]


@pytest.mark.parametrize(
    ("clause", "grounded", "kind"),
    [
        ("净含量 30 ml", True, "figure"),
        ("净含量是 50 ml", False, "figure"),
        ("不含香精", True, "property"),
        ("含有香精", False, "property"),
        ("不含酒精", False, "property"),
        ("产地是中国上海", True, "property"),
        ("产地是法国", False, "property"),
        ("价格只要168元", True, "figure"),
        ("价格只要99元", False, "figure"),
        ("还能美白淡斑", False, "effect"),
        ("补水很快", True, "effect"),
        ("保质期三年", True, "figure"),
        ("全店满99元包邮", True, "offer"),
        ("买一送一", False, "offer"),
        ("不含防腐成分", False, "absence"),
        ("比同类好用", False, "comparison"),
    ],
)
async def test_figures_properties_negations_effects_and_offers_are_claims(clause: str, *, grounded: bool, kind: str) -> None:
    reply = await analysis(f"大家好，今天聊聊露砚玻尿酸补水精华，{clause}。")
    claims = {claim.text.rstrip("。"): claim for claim in reply.claims}
    assert claims[clause].grounded is grounded
    assert kind in claims[clause].kinds
    assert "大家好" not in claims


async def test_each_product_has_to_carry_its_own_claims() -> None:
    reply = await analysis("Here is the Lumo desk lamp. It uses 12 W. And the Terra travel mug, it uses 12 W too and holds 350 ml.")
    assert set(reply.product_ids) == {LAMP.product_id, MUG.product_id}
    assert [claim.grounded for claim in reply.claims if "12 W" in claim.text] == [True, False]


async def test_products_are_found_by_title_brand_and_else_by_tag() -> None:
    assert (await analysis("露砚今天有货")).product_ids == (CREAM.product_id,)
    assert (await analysis("这支玻尿酸补水精华很好")).product_ids == (CREAM.product_id,)
    assert (await analysis("这支精华很好")).product_ids == (CREAM.product_id,)
    assert (await analysis("Lumo 和 露砚 一起聊")).product_ids == (LAMP.product_id, CREAM.product_id)
    assert (await analysis("今天聊聊天气")).product_ids == ()


async def test_a_long_text_is_searched_to_its_end() -> None:
    text = "今天我们慢慢聊，先说说生活里的小事。" * 60 + "最后是露砚玻尿酸补水精华。"
    reply = await analysis(text)
    assert reply.product_ids == (CREAM.product_id,)
    assert len(reply.summary) < 200


async def test_keywords_are_the_catalogues_words_then_the_texts_own() -> None:
    reply = await analysis("Hello everyone! The Lumo desk lamp has a dimmer. The dimmer is smooth. Many viewers love the dimmer.")
    assert reply.keywords[0] == "Lumo desk lamp"
    assert "dimmer" in reply.keywords
    assert not {"hello", "the", "everyone"} & set(reply.keywords)
    assert "dimmer" in reply.summary


async def test_without_segmentation_the_catalogues_words_remain() -> None:
    nodes = AnalyzeNodes(FakeShop(SHOP), FakeRetriever(known=KNOWN), FakeSegmenter(failure=Unavailable("away")))
    run = await analyze_graph(nodes).run(AnalyzeRequest("The Lumo desk lamp has a dimmer."), budget_s=5)
    assert run.degraded
    assert run.output.keywords == ("Lumo desk lamp", "Lumo")


async def test_a_price_that_changed_is_no_longer_grounded() -> None:
    dearer = replace(LAMP, price=Money(Decimal("59.90"), "USD"))
    before = await analysis("The Lumo desk lamp is $49.90.")
    after = await analysis("The Lumo desk lamp is $49.90.", products=(dearer, MUG, CREAM))
    assert [claim.grounded for claim in (*before.claims, *after.claims)] == [True, False]


async def test_a_text_of_marks_alone_has_nothing() -> None:
    reply = await analysis("？！……")
    assert (reply.keywords, reply.product_ids, reply.claims) == ((), (), ())
