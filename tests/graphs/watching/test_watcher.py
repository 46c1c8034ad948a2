"""Tracks, votes, displays: what is reported must be right although single frames are not."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.recognize import FrameSize, ProductMatch, RecognizeReply, SeenProduct
from graphs.watching.tracks import intersection_over_union
from graphs.watching.watcher import Displayed, Update, Watch, WatchSettings
from models.types import Box, ProductId

A, B, C = ProductId("A"), ProductId("B"), ProductId("C")
HELD: Box = (100.0, 100.0, 300.0, 300.0)
ASIDE: Box = (400.0, 100.0, 600.0, 300.0)


def thing(product: ProductId | None, box: Box = HELD, similarity: float = 0.8) -> SeenProduct:
    matches = () if product is None else (ProductMatch(product, f"title of {product}", similarity),)
    return SeenProduct(box, 0.9, "product", matches)


def frame(*things: SeenProduct) -> RecognizeReply:
    return RecognizeReply(FrameSize(640, 480), things)


def held(products: Iterable[ProductId | None]) -> list[RecognizeReply]:
    """Frames with one thing in the hand; None: an empty hand."""
    return [frame(thing(product)) if product else frame() for product in products]


def watched(frames: Sequence[RecognizeReply], *, every_s: float = 0.5, watch: Watch | None = None) -> list[Update]:
    watch = watch or Watch()
    updates = [watch.see(seen, number * every_s) for number, seen in enumerate(frames)]
    return [*updates, watch.close(len(frames) * every_s)]


def shown(update: Update) -> list[ProductId]:
    return [seen.matches[0].product_id for seen in update.products if seen.matches]


def reports(updates: Sequence[Update]) -> list[list[ProductId]]:
    """What would be told: the products of each update that says that something has changed."""
    return [shown(update) for update in updates if update.changed]


def displays(updates: Sequence[Update]) -> list[Displayed]:
    return sorted((display for update in updates for display in update.shown), key=lambda display: display.order)


# --- what is reported ----------------------------------------------------------------------------------------------------


def test_a_product_counts_as_shown_when_two_frames_agree() -> None:
    watch = Watch()
    first, second = watch.see(frame(thing(A)), 0.0), watch.see(frame(thing(A)), 0.5)
    assert (first.changed, first.products) == (False, ())
    assert (second.changed, shown(second)) == (True, [A])


def test_each_object_of_a_frame_has_its_track_at_once() -> None:
    watch = Watch()
    first, second = watch.see(frame(thing(A)), 0.0), watch.see(frame(thing(A)), 0.5)
    assert [(seen.track_id, seen.matches) for seen in first.in_frame] == [(1, ())]
    assert [(seen.track_id, seen.matches[0].product_id) for seen in second.in_frame] == [(1, A)]


def test_products_one_after_the_other_are_reported_in_their_order() -> None:
    updates = watched(held([*[A] * 10, *[None] * 5, *[B] * 10, *[None] * 5, *[C] * 10]))
    assert reports(updates) == [[A], [], [B], [], [C], []]


def test_a_product_that_replaces_another_in_the_hand_is_another_track() -> None:
    updates = watched(held([*[A] * 10, *[B] * 10]))
    assert reports(updates) == [[A], [B], []]
    ids = [update.products[0].track_id for update in updates if update.changed and update.products]
    assert len(set(ids)) == 2


def test_several_products_are_shown_at_once() -> None:
    updates = watched([*[frame(thing(A))] * 4, *[frame(thing(A), thing(B, ASIDE))] * 4, *[frame(thing(B, ASIDE))] * 6])
    assert [set(products) for products in reports(updates)] == [{A}, {A, B}, {B}, set()]
    assert [display.product_id for display in displays(updates)] == [A, B]


@pytest.mark.parametrize("flicker", [None, B])
@pytest.mark.parametrize("at", range(3, 18))
def test_one_frame_without_or_with_another_product_changes_nothing(flicker: ProductId | None, at: int) -> None:
    products: list[ProductId | None] = [A] * 20
    products[at] = flicker
    updates = watched(held(products))
    assert reports(updates) == [[A], []]
    assert {update.products[0].track_id for update in updates if update.products} == {1}
    assert [display.dwell_s for display in displays(updates)] == [pytest.approx(9.75, abs=0.5)]


def test_an_object_that_is_not_recognised_is_reported_without_matches_and_is_no_display() -> None:
    updates = watched([*[frame(thing(A), thing(None, ASIDE))] * 4])
    assert reports(updates) == [[A], []]
    told = next(update for update in updates if update.changed)
    assert [seen.matches for seen in told.products if seen.box == ASIDE] == [()]
    assert [display.product_id for display in displays(updates)] == [A]


def test_an_object_that_jumps_is_followed_by_what_it_is() -> None:
    updates = watched([frame(thing(A, HELD if number % 2 else ASIDE)) for number in range(8)])
    assert {seen.track_id for update in updates for seen in update.in_frame} == {1}


def test_two_products_that_change_places_keep_their_tracks() -> None:
    before, after = frame(thing(A), thing(B, ASIDE)), frame(thing(A, ASIDE), thing(B))
    updates = watched([before, before, before, after, after])
    of = {seen.matches[0].product_id: seen.track_id for seen in updates[2].products}
    assert {seen.matches[0].product_id: seen.track_id for seen in updates[4].products} == of


def test_matches_are_voted_over_the_latest_frames() -> None:
    def doubtful(first: ProductId, second: ProductId) -> RecognizeReply:
        seen = SeenProduct(HELD, 0.9, "product", (ProductMatch(first, "one", 0.8), ProductMatch(second, "two", 0.6)))
        return frame(seen)

    updates = watched([doubtful(A, B), doubtful(A, B), doubtful(B, A), doubtful(A, B)])
    matches = updates[3].products[0].matches
    assert [match.product_id for match in matches] == [A, B]
    assert [match.similarity for match in matches] == pytest.approx([0.75, 0.65])


def test_frames_that_come_slower_than_the_grace_still_make_one_display() -> None:
    updates = watched(held([A] * 10), every_s=4.0)
    assert reports(updates) == [[A], []]


def test_after_its_end_a_product_that_comes_back_is_another_display() -> None:
    updates = watched(held([*[A] * 6, *[None] * 6, *[A] * 6]))
    assert [(display.product_id, display.order) for display in displays(updates)] == [(A, 1), (A, 2)]


def test_what_comes_after_an_empty_hand_is_another_object() -> None:
    """The last sight of A was taken for B, which then comes up in the same place."""
    first, second = displays(watched(held([*[A] * 7, B, None, None, None, *[B] * 7])))
    assert (first.product_id, first.began_s, first.ended_s) == (A, 0.0, 3.75)
    assert (second.product_id, second.began_s) == (B, 5.25)


def test_a_watch_goes_on_after_its_close() -> None:
    watch = Watch()
    watched(held([A] * 6), watch=watch)
    later = [watch.see(frame(thing(B)), 60.0 + 0.5 * number) for number in range(4)]
    assert reports(later) == [[B]]
    assert later[1].began[0].order == 2


# --- how long ------------------------------------------------------------------------------------------------------------


@settings(deadline=None)  # a busy machine is no fault
@given(
    st.lists(st.tuples(st.sampled_from([A, B, C]), st.floats(4, 15), st.sampled_from([0.0, 3.0, 5.0])), min_size=1, max_size=6),
    st.sampled_from([0.2, 0.5]),
    st.floats(0, 1),
)
def test_dwell_and_order_are_right_within_a_second(acts: list[tuple[ProductId, float, float]], every_s: float, phase: float) -> None:
    """Any products for any times of four seconds and more, at two and at five frames a second, with and without a gap between them."""
    truth: list[tuple[ProductId, float, float]] = []
    now_s = 1.0
    for product, length_s, gap_s in acts:
        if truth and truth[-1][0] == product and gap_s == 0.0:
            now_s += 5.0  # without a gap it would be one display
        elif truth and truth[-1][0] == product:
            now_s += 3.0
        truth.append((product, now_s, now_s + length_s))
        now_s += length_s + gap_s
    times = [(number + phase) * every_s for number in range(int((now_s + 5.0) / every_s))]
    frames = held(next((product for product, from_s, to_s in truth if from_s <= time_s < to_s), None) for time_s in times)
    watch = Watch()
    updates = [watch.see(seen, time_s) for seen, time_s in zip(frames, times, strict=True)]
    found = displays([*updates, watch.close(times[-1] + every_s)])
    assert [display.product_id for display in found] == [product for product, _, _ in truth]
    for display, (_, from_s, to_s) in zip(found, truth, strict=True):
        assert display.dwell_s == pytest.approx(to_s - from_s, abs=1.0)
        assert display.began_s == pytest.approx(from_s, abs=0.75)


@pytest.mark.parametrize("unknown", [slice(0, 4), slice(16, 20), slice(0, 2), slice(8, 12), slice(17, 20)])
def test_an_object_that_is_not_recognised_for_a_while_is_still_what_it_is(unknown: slice) -> None:
    frames = [frame(thing(A))] * 20
    frames[unknown] = [frame(thing(None))] * (unknown.stop - unknown.start)
    updates = watched([*[frame()] * 4, *frames, *[frame()] * 4])
    assert reports(updates) == [[A], []]
    [display] = displays(updates)
    assert [display.began_s, display.dwell_s] == pytest.approx([1.75, 10.0])


def test_an_object_that_is_not_recognised_for_long_is_another_one() -> None:
    unknown = [frame(thing(None))] * 30
    updates = watched([*unknown, *[frame(thing(A))] * 10, *unknown])
    assert reports(updates) == [[A], []]
    [display] = displays(updates)
    assert [display.began_s, display.dwell_s] == pytest.approx([14.75, 5.0])


def test_what_was_unknown_for_long_between_two_products_belongs_to_neither() -> None:
    found = displays(watched(held_still([*[A] * 8, *[None] * 12, *[B] * 10, *[None] * 12])))
    assert [display.product_id for display in found] == [A, B]
    assert [display.dwell_s for display in found] == pytest.approx([3.75, 5.0], abs=0.3)


def held_still(products: Iterable[ProductId | None]) -> list[RecognizeReply]:
    """Frames with one thing in the same place; None: it is not recognised."""
    return [frame(thing(product)) for product in products]


def test_an_object_that_is_seldom_taken_for_a_product_stays_unknown() -> None:
    updates = watched([frame(thing(A if number % 4 == 0 else None)) for number in range(40)])
    assert reports(updates) == []
    assert updates[-2].products[0].matches == ()


# --- laws ----------------------------------------------------------------------------------------------------------------

boxes = st.tuples(st.floats(0, 600), st.floats(0, 400), st.floats(1, 300), st.floats(1, 300)).map(
    lambda corner: (corner[0], corner[1], corner[0] + corner[2], corner[1] + corner[3])
)
things = st.builds(thing, st.sampled_from([A, B, C, None]), boxes, st.floats(-1, 1))
anything = st.lists(st.tuples(st.lists(things, max_size=5).map(lambda found: frame(*found)), st.floats(0, 60)), max_size=40)


@settings(deadline=None)  # a busy machine is no fault
@given(anything)
def test_laws_hold_whatever_is_seen_and_in_whatever_order(frames: list[tuple[RecognizeReply, float]]) -> None:
    watch = Watch()
    updates = [watch.see(seen, at_s) for seen, at_s in frames]
    end_s = max((at_s for _, at_s in frames), default=0.0)
    updates.append(watch.close(end_s))
    for update in updates:
        for group in (update.products, update.in_frame):
            ids = [seen.track_id for seen in group]
            assert len(ids) == len(set(ids))
        assert update.changed == bool(update.began or update.shown)
    orders = [showing.order for update in updates for showing in update.began]
    assert orders == list(range(1, len(orders) + 1))
    over = displays(updates)
    assert [display.order for display in over] == orders
    first_s = min((at_s for _, at_s in frames), default=0.0)
    by_product: defaultdict[ProductId, list[Displayed]] = defaultdict(list)
    for display in over:
        assert display.dwell_s >= 0
        by_product[display.product_id].append(display)
    for found in by_product.values():
        assert sum(display.dwell_s for display in found) <= end_s - first_s + 1e-6
        for earlier, later in pairwise(found):
            assert earlier.ended_s <= later.began_s


@settings(deadline=None)  # a busy machine is no fault
@given(anything)
def test_what_is_shown_changes_only_when_that_is_told(frames: list[tuple[RecognizeReply, float]]) -> None:
    watch, before = Watch(), set[ProductId]()
    for seen, at_s in frames:
        update = watch.see(seen, at_s)
        now = set(shown(update))
        assert now == {showing.product_id for showing in watch.showing}
        assert update.changed or now == before
        before = now


@settings(deadline=None)  # a busy machine is no fault
@given(anything, st.lists(things, max_size=3))
def test_a_frame_of_the_past_or_of_the_same_time_changes_nothing(
    frames: list[tuple[RecognizeReply, float]], late: list[SeenProduct]
) -> None:
    with_late, without = Watch(), Watch()
    latest_s = -1.0
    for seen, at_s in sorted(frames, key=lambda entry: entry[1]):
        same = with_late.see(seen, at_s) == without.see(seen, at_s)
        assert same
        latest_s = max(latest_s, at_s)
        assert not with_late.see(frame(*late), latest_s).changed
        assert not with_late.see(frame(*late), latest_s - 3.0).changed
    assert with_late.close(latest_s + 1) == without.close(latest_s + 1)


@pytest.mark.parametrize("at_s", [math.nan, math.inf, -math.inf])
def test_a_time_that_is_no_number_is_refused(at_s: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Watch().see(frame(), at_s)


def test_settings_count() -> None:
    strict = Watch(WatchSettings(confirm_votes=4))
    assert reports(watched(held([A] * 3), watch=strict)) == []
    assert reports(watched(held([A] * 4), watch=Watch(WatchSettings(confirm_votes=4)))) == [[A], []]


@settings(deadline=None)  # a busy machine is no fault
@given(boxes, boxes)
def test_overlap_is_symmetric_and_a_share(one: Box, other: Box) -> None:
    overlap = intersection_over_union(one, other)
    assert 0 <= overlap <= 1 + 1e-9
    assert overlap == pytest.approx(intersection_over_union(other, one))
    assert intersection_over_union(one, one) == pytest.approx(1)
