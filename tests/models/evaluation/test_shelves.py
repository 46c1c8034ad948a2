"""Recognition's arithmetic: rank-1 is at most rank-5, chance is chance, thresholds trade false accepts for false rejects."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation.shelves import Seen, dealt, identification, product_similarity, rank_one, ranks, unknowns
from models.types import Vectors

PRODUCTS, VIEWS, QUERIES = 12, 3, 4


def seen_at(noise: float, *, products: int = PRODUCTS, strangers: int = 0, seed: int = 0) -> Seen:
    """Queries near to their products' vectors, the farther the more noise; `strangers` products are sought and not enrolled."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(products + strangers, 32))
    owners, truth = np.repeat(np.arange(products), VIEWS), np.repeat(np.arange(products + strangers), QUERIES)
    gallery, queries = (unit(centres[of] + noise * rng.normal(size=(len(of), 32))) for of in (owners, truth))
    return Seen(queries @ gallery.T, owners, truth)


def unit(vectors: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Vectors:
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    units: Vectors = vectors.astype(np.float32)
    return units


@settings(max_examples=10, deadline=None)
@given(noise=st.floats(0, 5), size=st.integers(2, PRODUCTS), seed=st.integers(0, 99))
def test_rank_one_is_at_most_rank_five_and_all_stay_in_range(noise: float, size: int, seed: int) -> None:
    numbers = identification(seen_at(noise, seed=seed), size, seed=seed)
    assert 0 <= numbers["rank1"] <= numbers["rank5"] <= 1
    assert 0 < numbers["map"] <= 1 + 1e-9
    assert numbers["queries"] == PRODUCTS * QUERIES


def test_clear_vectors_are_always_named_right() -> None:
    numbers = identification(seen_at(0.01), 5)
    assert [numbers[name] for name in ("rank1", "rank5", "map")] == pytest.approx([1, 1, 1])


def test_noise_is_named_by_chance() -> None:
    rng = np.random.default_rng(0)
    owners, truth = np.repeat(np.arange(40), VIEWS), np.repeat(np.arange(40), 10)
    seen = Seen(rng.random((len(truth), len(owners)), dtype=np.float32), owners, truth)
    for size in (10, 40):
        assert identification(seen, size)["rank1"] == pytest.approx(1 / size, abs=0.03)


def test_a_method_that_says_the_same_of_everything_names_nothing() -> None:
    seen = Seen(np.ones((8, 8), dtype=np.float32), np.arange(8), np.arange(8))
    assert identification(seen, 4)["rank1"] == 0


def test_larger_shelves_are_harder() -> None:
    seen = seen_at(1.5, products=40)
    small, large = (identification(seen, size)["rank1"] for size in (5, 40))
    assert small > large


@given(products=st.integers(1, 30), size=st.integers(1, 40), seed=st.integers(0, 99))
def test_each_product_is_asked_for_on_one_shelf_of_the_right_size(products: int, size: int, seed: int) -> None:
    shelves = dealt(np.arange(products), size, np.random.default_rng(seed))
    assert sorted(int(each) for shelf in shelves for each in shelf.asked) == list(range(products))
    for shelf in shelves:
        assert len(set(shelf.products.tolist())) == len(shelf.products) == min(size, products)
        assert set(shelf.asked.tolist()) <= set(shelf.products.tolist())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.permutations(range(PRODUCTS * VIEWS)))
def test_similarity_of_a_product_is_that_of_its_best_picture_in_any_order(seed: int, order: list[int]) -> None:
    seen = seen_at(1.0, seed=seed)
    best, products = product_similarity(seen.similarity, seen.owners)
    mixed, same = product_similarity(seen.similarity[:, order], seen.owners[order])
    assert np.array_equal(best, mixed)
    assert np.array_equal(products, same)
    assert np.array_equal(best[:, 3], seen.similarity[:, seen.owners == 3].max(axis=1))


def test_rank_one_is_the_share_of_first_ranks() -> None:
    gallery = np.eye(3, dtype=np.float32)
    assert rank_one(gallery, [0, 1, 0], gallery, [0, 1, 2]) == pytest.approx(2 / 3)
    assert ranks(gallery, np.asarray([0, 0, 2])).tolist() == [1, 3, 1]


def test_clear_vectors_tell_strangers_from_products() -> None:
    numbers = unknowns(seen_at(0.05, strangers=3), 6, share=0.25, threshold=0.8)
    assert (numbers["false_accept"], numbers["false_reject"], numbers["mistaken"]) == (0, 0, 0)
    assert numbers["false_reject_at_fa_0.01"] == 0
    assert numbers["right_at_fa_0.01"] == 1


@settings(max_examples=15, deadline=None)
@given(noise=st.floats(0.1, 3), low=st.floats(-1, 1), high=st.floats(-1, 1))
def test_a_higher_threshold_accepts_less_and_rejects_more(noise: float, low: float, high: float) -> None:
    low, high = sorted((low, high))
    loose, strict = (unknowns(seen_at(noise), 6, share=0.3, threshold=value) for value in (low, high))
    assert strict["false_accept"] <= loose["false_accept"]
    assert strict["false_reject"] >= loose["false_reject"]
    assert loose["false_reject_at_fa_0.10"] <= loose["false_reject_at_fa_0.05"] <= loose["false_reject_at_fa_0.01"]
    assert loose["false_reject"] + loose["mistaken"] <= 1 + 1e-9


def test_without_strangers_or_threshold_their_numbers_are_left_out() -> None:
    assert "false_accept" not in unknowns(seen_at(0.1), 6, share=0.0, threshold=0.5)
    floor = unknowns(seen_at(0.1), 6, share=0.3, threshold=None)
    assert "false_accept" not in floor
    assert "false_reject_at_fa_0.05" in floor
