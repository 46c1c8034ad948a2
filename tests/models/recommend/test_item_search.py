"""Many items are searched almost as well as if all were looked at."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logsumexp

from models.recommend.item_search import EXACT_UP_TO, AllItems, NearCells, item_search

ITEMS, DIM, ASKED = 5_000, 16, 20
Rows = NDArray[np.float32]


@pytest.fixture(scope="module")
def world() -> tuple[Rows, Rows, Rows]:
    """Items in clumps as trained ones lie, their biases, and states near them."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(100, DIM))
    vectors = centres[rng.integers(0, len(centres), ITEMS + ASKED)] + 0.4 * rng.normal(size=(ITEMS + ASKED, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return (8 * vectors[:ITEMS]).astype(np.float32), rng.gumbel(size=ITEMS).astype(np.float32), vectors[ITEMS:].astype(np.float32)


@pytest.mark.parametrize(("kind", "least", "off"), [(AllItems, 1.0, 0.05), (NearCells, 0.9, 0.1)])
def test_the_best_are_found_with_their_logits_and_the_sum_of_all(
    world: tuple[Rows, Rows, Rows], kind: type[AllItems] | type[NearCells], least: float, off: float
) -> None:
    items, bias, states = world
    search, shared = kind(items, bias), 0
    for state in states:
        exact = items @ state + bias
        places, logits, log_sum = search.best(state, 50)
        assert np.allclose(logits, exact[places], atol=1e-4)
        assert (np.diff(logits) <= 0).all()
        assert log_sum == pytest.approx(logsumexp(exact), abs=off)
        shared += len({*places.tolist()} & {*np.argsort(-exact)[:50].tolist()})
    assert shared / (50 * ASKED) >= least


@pytest.mark.parametrize("kind", [AllItems, NearCells])
def test_more_than_there_are_is_all_there_is(kind: type[AllItems] | type[NearCells]) -> None:
    items, bias = np.eye(3, dtype=np.float32), np.zeros(3, dtype=np.float32)
    places, _, log_sum = kind(items, bias).best(np.array([0, 1, 0], dtype=np.float32), 10)
    assert places[0] == 1
    assert len(places) <= 3
    assert log_sum <= float(logsumexp([0, 1, 0])) + 1e-5


def test_few_items_are_looked_at_one_by_one() -> None:
    assert isinstance(item_search(np.ones((10, 2), dtype=np.float32), np.zeros(10, dtype=np.float32)), AllItems)
    assert EXACT_UP_TO > 10
