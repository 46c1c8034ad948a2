"""A list has several categories, best first, and its reasons still add up."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.recommending.variety import varied
from models.types import ProductId, Ranked


def ranked(name: str, score: float) -> Ranked:
    return Ranked(ProductId(name), score, 0.0, 0.0, 0.0, (("popular", None, score * 0.75), ("fresh", None, score * 0.25)))


CATEGORIES = {ProductId("a1"): "a", ProductId("a2"): "a", ProductId("a3"): "a", ProductId("b1"): "b"}
RANKED = [ranked("a1", 0.9), ranked("a2", 0.8), ranked("a3", 0.79), ranked("b1", 0.7)]


def test_another_category_comes_before_the_third_of_one() -> None:
    assert [item.product_id for item in varied(RANKED, CATEGORIES, k=4, penalty=0.1)] == ["a1", "a2", "b1", "a3"]
    assert [item.product_id for item in varied(RANKED, CATEGORIES, k=2, penalty=1.0)] == ["a1", "b1"]
    assert list(varied(RANKED, CATEGORIES, k=4, penalty=0.0)) == RANKED
    assert list(varied(RANKED, {}, k=3, penalty=0.5)) == RANKED[:3]


@given(
    scores=st.lists(st.floats(0, 1), max_size=30),
    kinds=st.lists(st.sampled_from("abc"), min_size=30, max_size=30),
    k=st.integers(0, 40),
    penalty=st.floats(0, 1),
)
def test_whatever_the_scores_each_comes_once_best_first_with_reasons_that_add_up(
    scores: list[float], kinds: list[str], k: int, penalty: float
) -> None:
    given_ = [ranked(f"p{place}", score) for place, score in enumerate(sorted(scores, reverse=True))]
    category_of = {item.product_id: kind for item, kind in zip(given_, kinds, strict=False)}
    found = varied(given_, category_of, k=k, penalty=penalty)
    assert len(found) == len({item.product_id for item in found}) == min(k, len(given_))
    assert all(before.score >= after.score for before, after in pairwise(found))
    for item in found:
        assert sum(weight for _, _, weight in item.reasons) == pytest.approx(item.score)
