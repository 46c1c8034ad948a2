"""The index answers like brute force, whatever was inserted and removed before, in whatever size."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.index import IndexOptions, VectorIndex
from models.types import Vectors

DIM = 8


def unit(count: int, seed: int, dim: int = DIM) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def oracle(stored: dict[str, Vectors], query: Vectors) -> dict[str, float]:
    return {key: float((vectors @ query).max()) for key, vectors in stored.items()}


def assert_like_oracle(found: list[tuple[str, float]], truth: dict[str, float], k: int) -> None:
    assert len(found) == min(k, len(truth))
    assert [score for _, score in found] == pytest.approx(sorted(truth.values(), reverse=True)[: len(found)], abs=1e-5)
    assert all(score == pytest.approx(truth[key], abs=1e-5) for key, score in found)
    assert len({key for key, _ in found}) == len(found)


keys = st.sampled_from([f"p{number}" for number in range(12)])
step = st.one_of(
    st.tuples(st.just("put"), keys, st.integers(1, 4), st.integers(0, 5)),
    st.tuples(st.just("drop"), keys, st.just(0), st.just(0)),
)


SEALED_SOON = IndexOptions(exact_up_to=4, rebuild_from=4, rebuild_fraction=0.5)


@pytest.mark.parametrize("options", [IndexOptions(), SEALED_SOON], ids=["exact", "sealed"])
@given(steps=st.lists(step, max_size=40), k=st.integers(0, 20), among=st.none() | st.sets(keys))
@settings(max_examples=60, deadline=None)
def test_any_history_answers_like_brute_force(
    options: IndexOptions, steps: list[tuple[str, str, int, int]], k: int, among: set[str] | None
) -> None:
    index, stored = VectorIndex(DIM, options), dict[str, Vectors]()
    for verb, key, count, seed in steps:
        if verb == "put":
            stored[key] = unit(count, seed)  # few seeds: duplicates across keys happen
            index.upsert(key, stored[key])
        else:
            stored.pop(key, None)
            index.remove(key)
        assert len(index) == len(stored)
    queries = unit(3, 99)
    allowed = {key: vectors for key, vectors in stored.items() if among is None or key in among}
    for query, found in zip(queries, index.search(queries, k, among=among), strict=True):
        assert_like_oracle(found, oracle(allowed, query), k)
    assert set(index.keys()) == set(stored)
    index.settle()
    for query, found in zip(queries, index.search(queries, k), strict=True):
        assert_like_oracle(found, oracle(stored, query), k)


@given(count=st.integers(1, 40), k=st.integers(1, 10))
@settings(max_examples=30, deadline=None)
def test_a_batch_answers_like_its_queries_one_by_one(count: int, k: int) -> None:
    index = VectorIndex(DIM)
    index.apply({f"p{number}": vector for number, vector in enumerate(unit(50, 1))})
    queries = unit(count, 2)
    batch = index.search(queries, k)
    for query, found in zip(queries, batch, strict=True):
        single = index.search(query, k)[0]
        assert [key for key, _ in single] == [key for key, _ in found]
        assert [score for _, score in single] == pytest.approx([score for _, score in found], abs=1e-5)


def test_an_empty_index_and_an_empty_batch_answer_nothing() -> None:
    index = VectorIndex(DIM)
    assert index.search(unit(2, 0), 5) == [[], []]
    index.upsert("a", unit(1, 0))
    assert index.search(np.zeros((0, DIM), np.float32), 5) == []
    assert index.search(unit(1, 0), 5, among=()) == [[]]
    assert index.search(unit(1, 0), 5, among=("unknown",)) == [[]]


def test_a_key_of_many_views_does_not_crowd_out_the_others() -> None:
    index = VectorIndex(DIM)
    index.upsert("crowd", np.repeat(unit(1, 0), 500, axis=0))
    index.upsert("other", unit(1, 1))
    assert [key for key, _ in index.search(unit(1, 0), 2)[0]] == ["crowd", "other"]


def test_an_upsert_with_no_vectors_removes_the_key() -> None:
    index = VectorIndex(DIM)
    index.upsert("a", unit(2, 0))
    index.upsert("a", np.zeros((0, DIM), np.float32))
    assert len(index) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused_and_nothing_changes(bad: float) -> None:
    index = VectorIndex(DIM)
    index.upsert("a", unit(1, 0))
    poisoned = unit(1, 1)
    poisoned[0, 3] = bad
    with pytest.raises(ValueError, match="NaN or infinity"):
        index.apply({"b": unit(1, 2), "c": poisoned}, removes=("a",))
    with pytest.raises(ValueError, match="NaN or infinity"):
        index.search(poisoned, 1)
    assert index.keys() == ("a",)


def test_another_width_and_a_negative_k_are_refused() -> None:
    index = VectorIndex(DIM)
    with pytest.raises(ValueError, match="this index holds"):
        index.upsert("a", unit(1, 0, dim=DIM + 1))
    with pytest.raises(ValueError, match="this index holds"):
        index.search(unit(1, 0, dim=DIM - 1), 1)
    with pytest.raises(ValueError, match="negative"):
        index.search(unit(1, 0), -1)


def test_the_caller_may_reuse_its_array() -> None:
    index, vectors = VectorIndex(DIM), unit(1, 0)
    index.upsert("a", vectors)
    vectors[:] = 0
    assert index.search(unit(1, 0), 1, among=("a",))[0][0][1] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("options", [IndexOptions(exact_up_to=500), IndexOptions(exact_up_to=500, ivf_from=600)], ids=["hnsw", "ivf"])
def test_a_large_index_finds_nearly_all_that_brute_force_finds(options: IndexOptions) -> None:
    stored = {f"p{number}": vector[None] for number, vector in enumerate(unit(2000, 3, dim=16))}
    index = VectorIndex(16, options)
    index.apply(stored)
    index.settle()
    index.apply({}, removes=[f"p{number}" for number in range(0, 300)])
    queries = unit(50, 4, dim=16)
    alive = {key: vectors for key, vectors in stored.items() if int(key[1:]) >= 300}
    hits = 0
    for query, found in zip(queries, index.search(queries, 10), strict=True):
        truth = oracle(alive, query)
        assert {key for key, _ in found} <= truth.keys()
        hits += len({key for key, _ in found} & set(sorted(truth, key=lambda key: -truth[key])[:10]))
    assert hits >= 0.9 * 500


def test_searches_during_updates_see_all_or_nothing_of_a_change() -> None:
    index = VectorIndex(DIM, IndexOptions(exact_up_to=64))
    pair = unit(2, 5)
    index.apply({"left0": pair[0], "right0": pair[1]})
    stop, torn = threading.Event(), list[list[str]]()

    def look() -> None:
        while not stop.is_set():
            names = sorted(key for key, _ in index.search(unit(1, 6), 10)[0])
            if len(names) != 2 or names[0][4:] != names[1][5:]:
                torn.append(names)

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    for turn in range(1, 400):
        index.apply({f"left{turn}": pair[0], f"right{turn}": pair[1]}, removes=(f"left{turn - 1}", f"right{turn - 1}"))
    stop.set()
    for looker in lookers:
        looker.join()
    assert torn == []


@given(names=st.lists(st.text(max_size=5), unique=True, max_size=5))
@settings(max_examples=25, deadline=None)
def test_a_saved_index_comes_back_the_same(names: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    index = VectorIndex(DIM)
    index.apply({name: unit(1 + number, number) for number, name in enumerate(names)})
    path = tmp_path_factory.mktemp("index") / "index"
    index.save(path)
    loaded = VectorIndex.load(path)
    assert loaded.keys() == index.keys()
    assert loaded.search(unit(2, 9), 5) == index.search(unit(2, 9), 5)


def test_growth_moves_into_the_sealed_part_which_is_not_built_again() -> None:
    index = VectorIndex(DIM, IndexOptions(exact_up_to=200, rebuild_from=50))
    index.apply({f"a{number}": row for number, row in enumerate(unit(300, 1))})
    index.settle()
    sealed = index._sealed
    index.apply({f"b{number}": row for number, row in enumerate(unit(400, 2))})
    index.settle()
    assert index._sealed is sealed
    assert sealed is not None
    assert len(sealed) == 700
    index.apply({}, [f"b{number}" for number in range(300)])  # much is removed: now it is
    index.settle()
    assert index._sealed is not sealed
    queries = unit(50, 3)
    everything = {f"a{number}": row for number, row in enumerate(unit(300, 1))} | {
        f"b{n}": row for n, row in enumerate(unit(400, 2)) if n >= 300
    }
    names, rows = list(everything), np.stack(list(everything.values()))
    exact = [{names[place] for place in np.argsort(-query @ rows.T)[:10]} for query in queries]
    found = [{key for key, _ in best} for best in index.search(queries, 10)]
    assert sum(len(one & other) for one, other in zip(exact, found, strict=True)) / 500 >= 0.95
