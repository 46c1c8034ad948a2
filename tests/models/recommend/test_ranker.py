"""The shipped ranker: every candidate once, calibrated chances in order, reasons that add up, the same alone and in a batch."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recommend.features import BUCKETS, DENSE_NAMES, FEATURE_NAMES, SOURCES, ItemVectors, distinct, features, source_columns
from models.recommend.ranker import Ranker
from models.types import Candidate, ModelInputError, ProductId, RankRequest, ViewerId
from tests.models.recommend.conftest import NOW, event

names = st.sampled_from([*(f"sku-10{number:02d}" for number in range(1, 13)), "unknown"]).map(ProductId)
candidates = st.builds(Candidate, names, st.sampled_from(SOURCES), st.floats(0, 100), st.none() | names)
events = st.builds(
    lambda product, kind, ago_s: event(product, kind, ago_s=ago_s),
    names,
    st.sampled_from(["impression", "click", "cart", "purchase", "watch", "like"]),
    st.floats(0, 1e6),
)
requests = st.builds(
    lambda history, found, context, shelf: RankRequest(
        ViewerId("v"), tuple(sorted(history, key=lambda e: e.at)), tuple(found), tuple(context), tuple(shelf), NOW
    ),
    st.lists(events, max_size=8),
    st.lists(candidates, max_size=25),
    st.lists(names, max_size=2),
    st.lists(names, max_size=4),
)
NO_VECTORS = ItemVectors.stacked({}, 4)


@given(request=requests)
@settings(max_examples=60, deadline=None)
def test_every_candidate_comes_back_once_in_order_with_reasons_that_add_up(ranker: Ranker, request: RankRequest) -> None:
    ranked = ranker.rank(request)
    assert sorted(item.product_id for item in ranked) == sorted(distinct(request.candidates))
    assert [item.score for item in ranked] == sorted((item.score for item in ranked), reverse=True)
    for item in ranked:
        assert 0.0 <= item.purchase <= item.cart <= item.click <= 1.0
        assert sum(weight for _, _, weight in item.reasons) == pytest.approx(item.score, rel=1e-4, abs=1e-7)
        assert all(weight >= 0 for _, _, weight in item.reasons)
        assert [w for _, _, w in item.reasons] == sorted((w for _, _, w in item.reasons), reverse=True)
        assert {kind for kind, _, _ in item.reasons} == {c.source for c in request.candidates if c.product_id == item.product_id}


@given(request=requests)
@settings(max_examples=60, deadline=None)
def test_features_are_finite_and_in_their_range_for_any_request(request: RankRequest) -> None:
    rows = features(request, NO_VECTORS)
    assert rows.shape == (len(distinct(request.candidates)), len(FEATURE_NAMES))
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    crosses = rows[:, len(DENSE_NAMES) :]
    assert ((crosses >= 0) & (crosses < BUCKETS) & (crosses == np.round(crosses))).all()


@given(request=requests)
@settings(max_examples=30, deadline=None)
def test_a_batch_scores_like_its_rows_one_by_one(ranker: Ranker, request: RankRequest) -> None:
    rows = features(request, NO_VECTORS)
    batch = ranker.score(rows)
    assert batch.shape == (len(rows), 3)
    for row, expected in zip(rows, batch, strict=True):
        assert ranker.score(row[None])[0] == pytest.approx(expected, rel=1e-4, abs=1e-7)


def request_for(*products: str, source: str = "popular", history: tuple[str, ...] = ()) -> RankRequest:
    found = tuple(Candidate(ProductId(p), "popular" if source == "popular" else "similar_to", 1.0) for p in products)
    log = tuple(event(product, ago_s=60.0 * (len(history) - place)) for place, product in enumerate(history))
    return RankRequest(ViewerId("v"), log, found, (), (), NOW)


def test_a_click_changes_the_next_answer(ranker: Ranker) -> None:
    shop = tuple(f"sku-10{number:02d}" for number in range(1, 61))
    before = {item.product_id: item.score for item in ranker.rank(request_for(*shop))}
    after = {item.product_id: item.score for item in ranker.rank(request_for(*shop, history=("sku-1031", "sku-1032")))}
    order = sorted(after, key=lambda product_id: -after[product_id])
    assert order != sorted(before, key=lambda product_id: -before[product_id])
    assert {f"sku-10{number}" for number in range(31, 36)} & set(order[:5])


def test_without_candidates_nothing_is_ranked(ranker: Ranker) -> None:
    assert ranker.rank(request_for()) == ()


def test_the_ranking_does_not_depend_on_the_order_of_the_candidates(ranker: Ranker) -> None:
    request = request_for("sku-1001", "sku-1002", "sku-1003", history=("sku-1004",))
    turned = replace(request, candidates=request.candidates[::-1])
    assert [item.product_id for item in ranker.rank(request)] == [item.product_id for item in ranker.rank(turned)]


def test_a_reason_names_what_the_best_candidate_of_its_source_named(ranker: Ranker) -> None:
    product = ProductId("sku-1001")
    found = (
        Candidate(product, "similar_to", 0.2, ProductId("sku-1002")),
        Candidate(product, "similar_to", 0.9, ProductId("sku-1003")),
        Candidate(product, "on_shelf", 1.0),
    )
    request = RankRequest(ViewerId("v"), (), found, (), (product,), NOW)
    assert {(kind, because) for kind, because, _ in ranker.rank(request)[0].reasons} == {("similar_to", "sku-1003"), ("on_shelf", None)}


def test_taking_a_sources_word_out_equals_its_never_having_spoken() -> None:
    both = RankRequest(
        ViewerId("v"),
        (),
        (Candidate(ProductId("a"), "popular", 1.0), Candidate(ProductId("a"), "bought_together", 1.0, ProductId("b"))),
        (),
        (),
        NOW,
    )
    rows = features(both, NO_VECTORS)
    rows[:, source_columns("bought_together")] = 0.0
    assert np.array_equal(rows, features(replace(both, candidates=both.candidates[:1]), NO_VECTORS))


def test_interest_ages_with_the_time_of_the_request() -> None:
    request = request_for("sku-1001", history=("sku-1001",))
    column = FEATURE_NAMES.index("seen_lately")
    soon = features(request, NO_VECTORS)[0, column]
    late = features(replace(request, at=NOW + timedelta(days=2)), NO_VECTORS)[0, column]
    assert soon > 0.9 > late > 0.0


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (np.zeros((2, 3), np.float32), "shape"),
        (np.full((1, len(FEATURE_NAMES)), np.nan, np.float32), "NaN"),
        (np.full((1, len(FEATURE_NAMES)), -1.0, np.float32), "bucket"),
        (np.full((1, len(FEATURE_NAMES)), BUCKETS, np.float32), "bucket"),
    ],
)
def test_rows_that_no_request_can_give_are_refused(ranker: Ranker, rows: np.ndarray, said: str) -> None:
    with pytest.raises(ModelInputError, match=said):
        ranker.score(rows)


def test_an_empty_batch_of_rows_is_scored_as_empty(ranker: Ranker) -> None:
    assert ranker.score(np.zeros((0, ranker.feature_count), np.float32)).shape == (0, 3)


def test_what_was_saved_ranks_the_same(ranker: Ranker, tmp_path: Path) -> None:
    ranker.save(tmp_path)
    request = request_for("sku-1001", "sku-1031", history=("sku-1032",))
    assert Ranker.load(tmp_path).rank(request) == ranker.rank(request)
