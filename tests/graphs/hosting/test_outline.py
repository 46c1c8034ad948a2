from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.hosting.outline import outline
from models.demo.catalog import demo_products
from models.types import ProductId
from tests.graphs.world import LAMP, MUG

SHOP = demo_products()


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(st.sampled_from(SHOP), min_size=1, max_size=50, unique_by=lambda p: p.product_id), st.floats(10, 3_600))
def test_sections_add_up_and_every_price_and_value_has_one_place(products: list[type(SHOP[0])], duration_s: float) -> None:  # type: ignore[valid-type]  # Product
    sections = outline(products, {}, duration_s, "zh")
    assert sum(section.seconds for section in sections) == pytest.approx(duration_s)
    assert all(section.seconds > 0 for section in sections)
    told = Counter((section.product.product_id, saying.name) for section in sections for saying in section.sayings)
    assert set(told.values()) <= {1}
    priced = [section.product.product_id for section in sections if section.tells_price]
    assert sorted(priced) == sorted(product.product_id for product in products)
    assert [s.product for s in sections if s.kind == "product" and s.part == 0] == products


def test_short_scripts_have_only_products_and_long_ones_everything() -> None:
    assert [s.kind for s in outline([LAMP], {}, 10, "en")] == ["product"]
    assert [s.kind for s in outline([LAMP], {}, 30, "en")] == ["opening", "product"]
    assert [s.kind for s in outline([LAMP], {}, 90, "en")] == ["opening", "product", "interaction", "promotion", "closing"]


def test_a_single_products_price_waits_for_the_promotion() -> None:
    priced = [s.kind for s in outline([LAMP], {}, 90, "en") if s.tells_price]
    assert priced == ["promotion"]
    assert [s.kind for s in outline([LAMP, MUG], {}, 90, "en") if s.tells_price] == ["product", "product"]


def test_nothing_is_promoted_that_is_sold_out() -> None:
    assert "promotion" not in [s.kind for s in outline([MUG], {}, 90, "en")]
    late = [s for s in outline([LAMP, MUG], {}, 90, "en") if s.kind == "promotion"]
    assert [s.product for s in late] == [LAMP]


def test_a_product_with_much_to_tell_is_told_in_parts() -> None:
    rich = replace(LAMP, attributes={f"property {n}": f"{n} W and some more words" for n in range(40)})
    asked = {LAMP.product_id: ["People ask: what? " + "Yes it is so. " * 6] * 6, ProductId("other"): ["no"]}
    parts = [s for s in outline([rich], asked, 300, "en") if s.kind == "product"]
    assert len(parts) > 2
    assert sum(len(part.asked) for part in parts) == 6
    assert [part.is_last_part for part in parts] == [False] * (len(parts) - 1) + [True]
