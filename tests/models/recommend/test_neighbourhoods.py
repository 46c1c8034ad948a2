"""Neighbours that were looked up are remembered within a bound of memory."""

import tracemalloc

import pytest

from models.recommend.neighbourhoods import KEPT_BYTES, Neighbourhoods
from models.types import ProductId

IDS = tuple(ProductId(f"p{number}") for number in range(60_000))


def test_what_was_kept_is_found_by_product_and_count() -> None:
    near = Neighbourhoods()
    near.keep(IDS[0], 16, {IDS[1]})
    assert near.get(IDS[0], 16) == (IDS[1],)
    assert near.get(IDS[0], 32) is None
    assert len(near) == 1


@pytest.mark.parametrize("neighbours", [8, 256, 2_000])
def test_they_take_no_more_memory_than_they_may(neighbours: int) -> None:
    near, most = Neighbourhoods(KEPT_BYTES // 8), 0
    tracemalloc.start()
    for product_id in IDS[: 40_000_000 // 8 // neighbours]:
        near.keep(product_id, 16, IDS[:neighbours])
        most = max(most, len(near))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most > 100
    assert peak <= 1.1 * KEPT_BYTES // 8


def test_one_that_is_larger_than_all_of_them_may_be_is_not_kept() -> None:
    near = Neighbourhoods(1_000)
    near.keep(IDS[0], 16, IDS[:1_000])
    assert len(near) == 0
