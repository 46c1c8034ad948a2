"""The BM25 index holds what it was given last, and filters exactly."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.language.lexical import Entry, LexicalIndex

KEYS = st.sampled_from("abcde")
ENTRIES = st.builds(Entry, st.lists(st.sampled_from(["red", "blue", "shoe"]), min_size=1, max_size=4), st.sampled_from([None, "p", "q"]))
CHANGES = st.lists(st.tuples(KEYS, st.none() | ENTRIES), max_size=8)


@settings(max_examples=20, deadline=None)
@given(changes=CHANGES, about=st.none() | st.frozensets(st.sampled_from("pq")))
def test_what_is_found_is_what_was_put_last_within_the_filter(
    changes: list[tuple[str, Entry | None]], about: frozenset[str] | None
) -> None:
    index, held = LexicalIndex(), dict[str, Entry]()
    for key, entry in changes:
        index.apply({key: entry} if entry else {}, () if entry else (key,))
        held.pop(key, None)
        if entry:
            held[key] = entry
    assert len(index) == len(held)
    wanted = {k for k, e in held.items() if "red" in e.terms and (about is None or e.about is None or e.about in about)}
    assert {key for key, _ in index.search(["red"], 10, about=about)} == wanted


def test_rarer_terms_and_more_of_them_rank_first() -> None:
    index = LexicalIndex()
    index.apply({"a": Entry(["red", "shoe"]), "b": Entry(["shoe", "blue"]), "c": Entry(["shoe", "tall"])})
    found = index.search(["red", "shoe"], 3)
    assert found[0][0] == "a"
    assert [key for key, _ in found[1:]] == ["b", "c"]  # a tie, in the order of the keys
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


def test_a_key_removed_and_put_in_one_step_is_there() -> None:
    index = LexicalIndex()
    index.apply({"a": Entry(["red"])})
    index.apply({"a": Entry(["blue"])}, ["a", "unknown"])
    assert index.search(["red"], 5) == []
    assert [key for key, _ in index.search(["blue"], 5)] == ["a"]


def test_nothing_asked_finds_nothing() -> None:
    index = LexicalIndex()
    index.apply({"a": Entry(["red"])})
    assert index.search([], 5) == []
    assert index.search(["red"], 0) == []


def test_a_change_that_cannot_be_indexed_leaves_everything_as_it_was() -> None:
    index = LexicalIndex()
    index.apply({"a": Entry(["red"])})
    with pytest.raises(ValueError, match="unsupported"):
        index.apply({"\ud800": Entry(["blue"])}, ["a"])
    index.apply({"b": Entry(["green"])})
    assert [key for key, _ in index.search(["red", "blue", "green"], 5)] == ["a", "b"]
