"""The shop index follows every change of the shop and answers from nothing else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from models.recommend.hashed_text import HashedTextEmbedder
from models.recommend.retriever import ShopIndex
from models.types import Document, DocumentId, Event, EventId, Money, Product, ProductId, Vectors, ViewerId

PICTURE_DIM, FACTOR_DIM = 8, 4


def product(name: str, title: str, **attributes: str) -> Product:
    return Product(ProductId(name), title, "things", Money(Decimal("9.90"), "CNY"), attributes=attributes)


def axis(place: int, dim: int = PICTURE_DIM) -> Vectors:
    return np.asarray(np.eye(dim, dtype=np.float32)[place])


MUG = product("mug", "stoneware coffee mug", volume="350 ml", colour="blue")
CUP = product("cup", "stoneware coffee cup", volume="200 ml")
BALL = product("ball", "rubber play ball", diameter="20 cm")


@pytest.fixture
def shop() -> ShopIndex:
    index = ShopIndex(HashedTextEmbedder(), picture_dim=PICTURE_DIM, factor_dim=FACTOR_DIM)
    index.put_products((MUG, CUP, BALL))
    return index


def test_a_specification_is_found_as_a_sentence_about_its_product(shop: ShopIndex) -> None:
    best = shop.passages("stoneware coffee mug volume", products=None, k=1)[0]
    assert (best.source_id, best.kind, best.product_id) == ("mug#volume", "spec", "mug")
    assert best.text == "stoneware coffee mug: volume: 350 ml"
    assert 0 < best.score <= 1.001


def test_evidence_is_limited_to_the_products_asked_about_and_the_shop(shop: ShopIndex) -> None:
    shop.put_documents(
        (
            Document(DocumentId("returns"), "qa", question="can I return it", answer="within seven days"),
            Document(DocumentId("washing"), "document", product_id=ProductId("mug"), text="the mug goes into the dishwasher"),
        )
    )
    about_ball = shop.passages("volume of the mug", products=frozenset({ProductId("ball")}), k=10)
    assert {passage.source_id for passage in about_ball} == {"ball#diameter", "returns"}
    assert shop.passages("anything", products=frozenset(), k=10)[0].answer == "within seven days"
    about_mug = shop.passages("dishwasher", products=frozenset({ProductId("mug")}), k=1)
    assert about_mug[0].source_id == "washing"


def test_attributes_that_a_product_no_longer_has_vanish(shop: ShopIndex) -> None:
    shop.put_product(product("mug", "stoneware coffee mug", colour="green"))
    texts = [passage.text for passage in shop.passages("mug", products=frozenset({ProductId("mug")}), k=10)]
    assert texts == ["stoneware coffee mug: colour: green"]


def test_a_document_put_again_is_replaced_even_when_it_changes_its_product(shop: ShopIndex) -> None:
    shop.put_documents((Document(DocumentId("note"), "document", product_id=ProductId("mug"), text="old"),))
    shop.put_documents((Document(DocumentId("note"), "document", product_id=ProductId("cup"), text="new"),))
    assert "note" not in {p.source_id for p in shop.passages("old", products=frozenset({ProductId("mug")}), k=10)}
    assert "new" in {p.text for p in shop.passages("new", products=frozenset({ProductId("cup")}), k=10)}
    shop.remove_document(DocumentId("note"))
    assert "note" not in {p.source_id for p in shop.passages("new", products=None, k=20)}


def test_a_removed_product_is_found_nowhere(shop: ShopIndex) -> None:
    shop.put_views(ProductId("mug"), axis(0))
    shop.remove_product(ProductId("mug"))
    assert shop.match(axis(0)[None], among=None, top_k=3) == [()]
    assert not shop.knows(ProductId("mug"))
    assert "mug" not in {c.product_id for c in shop.similar([ProductId("cup")], 5)}
    assert {p.product_id for p in shop.passages("mug", products=None, k=20)} == {"cup", "ball"}
    shop.remove_product(ProductId("mug"))


def test_recognition_is_limited_to_the_shelf(shop: ShopIndex) -> None:
    shop.put_views(ProductId("mug"), np.stack([axis(0), axis(1)]))
    shop.put_views(ProductId("cup"), axis(2))
    queries = np.stack([axis(1), axis(2)])
    assert [[m.product_id for m in best] for best in shop.match(queries, among=None, top_k=1)] == [["mug"], ["cup"]]
    assert [[m.product_id for m in best] for best in shop.match(queries, among=frozenset({ProductId("cup")}), top_k=3)] == [
        ["cup"],
        ["cup"],
    ]
    assert shop.match(queries, among=frozenset(), top_k=3) == [(), ()]


def test_a_text_is_nearest_to_its_product(shop: ShopIndex) -> None:
    products = [ProductId("mug"), ProductId("ball"), ProductId("unknown")]
    assert (shop.embed_texts(["play ball"]) @ shop.text_vectors(products).T)[0].argmax() == 1
    assert [shop.knows(product_id) for product_id in products] == [True, True, False]


def test_similar_products_name_what_they_are_similar_to(shop: ShopIndex) -> None:
    best = shop.similar([ProductId("mug"), ProductId("unknown")], 5)[0]
    assert (best.product_id, best.source, best.because) == ("cup", "similar_to", "mug")
    assert "cup" not in {c.product_id for c in shop.similar([ProductId("mug")], 5, exclude={ProductId("cup")})}
    assert shop.similar([ProductId("unknown")], 5) == ()
    assert shop.similar([], 5) == ()


def test_what_is_similar_follows_the_catalogue_at_once(shop: ShopIndex) -> None:
    assert [found.product_id for found in shop.similar([MUG.product_id], 1)] == ["cup"]
    shop.put_product(product("beaker", "stoneware coffee mug"))
    assert [found.product_id for found in shop.similar([MUG.product_id], 1)] == ["beaker"]
    shop.remove_product(ProductId("beaker"))
    assert [found.product_id for found in shop.similar([MUG.product_id], 1)] == ["cup"]


def test_neighbourhoods_are_kept_while_only_prices_stock_or_attributes_change(shop: ShopIndex) -> None:
    shop.similar([MUG.product_id, CUP.product_id], 1)
    assert shop.neighbourhoods_kept == 2
    shop.put_products((replace(MUG, price=Money(Decimal("1.00"), "CNY"), stock=0), replace(CUP, attributes={"volume": "220 ml"})))
    assert shop.neighbourhoods_kept == 2
    assert "220 ml" in shop.passages("coffee cup volume", products=frozenset({CUP.product_id}), k=1)[0].text


@pytest.mark.parametrize(
    "change",
    [
        lambda shop: shop.put_product(replace(MUG, title="porcelain mug")),
        lambda shop: shop.put_products((MUG, product("plate", "stoneware plate"))),
        lambda shop: shop.remove_product(BALL.product_id),
        lambda shop: shop.put_factors({}),
    ],
)
def test_neighbourhoods_go_when_what_is_near_may_have_changed(shop: ShopIndex, change: Callable[[ShopIndex], None]) -> None:
    shop.similar([MUG.product_id], 1)
    change(shop)
    assert shop.neighbourhoods_kept == 0


def test_behaviour_makes_products_similar_that_texts_do_not(shop: ShopIndex) -> None:
    shop.put_factors(
        {ProductId("mug"): axis(0, FACTOR_DIM), ProductId("ball"): axis(0, FACTOR_DIM), ProductId("cup"): -axis(0, FACTOR_DIM)}
    )
    assert shop.similar([ProductId("mug")], 1)[0].product_id == "ball"
    shop.put_factors({})
    assert shop.similar([ProductId("mug")], 1)[0].product_id == "cup"


def test_candidates_follow_the_latest_interest_and_leave_the_context_out(shop: ShopIndex) -> None:
    click = Event(EventId("1"), ViewerId("v"), "click", datetime(2026, 1, 1, tzinfo=UTC), product_id=ProductId("mug"))
    assert shop.candidates([click], [], k=3, exclude=())[0].product_id == "cup"
    found = shop.candidates([click], [ProductId("cup")], k=3, exclude=())
    assert "cup" not in {candidate.product_id for candidate in found}
    assert shop.candidates([], [], k=3, exclude=()) == ()


def test_vectors_of_another_width_are_refused(shop: ShopIndex) -> None:
    with pytest.raises(ValueError, match="this index holds"):
        shop.put_views(ProductId("mug"), axis(0, PICTURE_DIM + 1))
