"""Evidence is found by words and by meaning, within the products asked about, and put in order by a re-ranker."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recommend.hashed_text import HashedTextEmbedder
from models.recommend.passages import PassageIndex, Way, fuse
from models.types import Passage, ProductId, Vectors

RANKINGS = st.lists(st.lists(st.sampled_from("abcdefg"), unique=True), max_size=4)


class PrefersLong:
    """A re-ranker that judges by length."""

    def relevance(self, question: str, passages: Sequence[Passage]) -> Vectors:
        return np.array([len(passage.text) / 100 for passage in passages], dtype=np.float32)


def passage(source: str, text: str, product: str | None = None, question: str | None = None) -> Passage:
    return Passage(source, "qa" if question else "document", text, 0.0, ProductId(product) if product else None, question)


def names(found: Sequence[Passage]) -> list[str]:
    return [each.source_id for each in found]


PASSAGES = (
    passage("mug-washing", "goes into the dishwasher", "mug"),
    passage("mug-size", "volume: 350 ml", "mug"),
    passage("cup-washing", "wash it by hand, never in a dishwasher", "cup"),
    passage("returns", "send it back within 14 days", None, "Can I return it?"),
)


@pytest.fixture
def index() -> PassageIndex:
    made = PassageIndex(HashedTextEmbedder())
    made.put(PASSAGES)
    return made


@given(rankings=RANKINGS)
def test_fusion_does_not_depend_on_the_order_of_the_rankings(rankings: list[list[str]]) -> None:
    forward, backward = fuse(rankings), fuse(rankings[::-1])
    assert [key for key, _ in forward] == [key for key, _ in backward]
    assert {key for key, _ in forward} == {key for ranking in rankings for key in ranking}
    assert [score for _, score in forward] == sorted((score for _, score in forward), reverse=True)


@given(ranking=st.lists(st.sampled_from("abcdefg"), unique=True))
def test_one_ranking_fused_is_itself(ranking: list[str]) -> None:
    assert [key for key, _ in fuse([ranking])] == ranking


@pytest.mark.parametrize("ways", [frozenset({"words"}), frozenset({"meaning"}), frozenset({"words", "meaning"})])
def test_the_filter_is_exact_in_every_way(index: PassageIndex, ways: frozenset[Way]) -> None:
    found = index.search("dishwasher return volume", products=frozenset({ProductId("mug")}), k=10, ways=ways)
    assert {each.product_id for each in found} <= {"mug", None}
    assert "cup-washing" in names(index.search("dishwasher", products=None, k=10, ways=ways))


def test_words_find_what_they_name_and_the_score_is_a_cosine(index: PassageIndex) -> None:
    best = index.search("is it for the dishwasher", products=frozenset({ProductId("mug")}), k=1)[0]
    assert best.source_id == "mug-washing"
    assert best.relevance is None
    assert index.search("Can I return it?", products=frozenset(), k=1)[0].score == pytest.approx(1.0, abs=1e-5)


def test_a_passage_put_again_is_replaced_and_a_removed_one_is_gone(index: PassageIndex) -> None:
    index.put([passage("mug-washing", "by hand only", "cup")])
    assert len(index) == len(PASSAGES)
    assert "mug-washing" not in names(index.search("dishwasher hand", products=frozenset({ProductId("mug")}), k=10))
    assert {each.source_id for each in index.about(ProductId("cup"))} == {"mug-washing", "cup-washing"}
    index.remove({"mug-washing", "never there"})
    assert "mug-washing" not in names(index.search("by hand only", products=None, k=10))
    assert index.about(ProductId("nobody")) == ()


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(PASSAGES), removed=st.sets(st.sampled_from([each.source_id for each in PASSAGES])))
def test_putting_one_by_one_in_any_order_equals_putting_all_at_once(order: list[Passage], removed: set[str]) -> None:
    one_by_one, at_once = PassageIndex(HashedTextEmbedder()), PassageIndex(HashedTextEmbedder())
    for each in order:
        one_by_one.put([each])
    one_by_one.remove(removed)
    at_once.put([each for each in PASSAGES if each.source_id not in removed])
    for question in ("dishwasher", "return"):
        left, right = (made.search(question, products=None, k=10) for made in (one_by_one, at_once))
        assert {(each.source_id, round(each.score, 5)) for each in left} == {(each.source_id, round(each.score, 5)) for each in right}


def test_the_reranker_orders_the_first_and_leaves_the_rest() -> None:
    index = PassageIndex(HashedTextEmbedder(), PrefersLong(), rerank_depth=2)
    index.put(PASSAGES)
    fused = index.search("dishwasher volume", products=None, k=4, rerank=False)
    found = index.search("dishwasher volume", products=None, k=4)
    assert set(names(found[:2])) == set(names(fused[:2]))
    assert names(found[2:]) == names(fused[2:])
    assert [each.relevance is None for each in found] == [False, False, True, True]
    assert len(found[0].text) >= len(found[1].text)
    assert index.search("dishwasher", products=None, k=1)[0] == index.search("dishwasher", products=None, k=4)[0]


def test_an_empty_index_finds_nothing() -> None:
    assert PassageIndex(HashedTextEmbedder(), PrefersLong()).search("anything", products=None, k=3) == ()


def test_searches_beside_changes_see_whole_changes() -> None:
    index = PassageIndex(HashedTextEmbedder())
    torn: list[list[str]] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            found = names(index.search("dishwasher", products=frozenset({ProductId("mug")}), k=10))
            if len(found) not in {0, 2}:
                torn.append(found)

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(30):
        index.put([passage("one", "dishwasher safe", "mug"), passage("two", "dishwasher proof", "mug")])
        index.remove({"one", "two"})
    stop.set()
    reader.join()
    assert torn == []
