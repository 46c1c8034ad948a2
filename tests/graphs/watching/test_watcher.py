"""Tracks, votes, displays: what is reported must be right although single frames are not."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.recognize import ProductMatch, RecognizeReply, SeenProduct
from graphs.watching.watcher import Watch, WatchSettings
from models.types import ProductId
from tests.graphs.watching.frames import ASIDE, HELD, A, B, C, displays, frame, held, held_still, reports, shown, thing, watched

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


@pytest.mark.parametrize("every_s", [4.0, 7.0])
def test_frames_that_come_seldom_tell_of_a_replacement_after_two_of_them(every_s: float) -> None:
    updates = watched(held_still([A, A, A, B, B]), every_s=every_s)
    assert [update.changed for update in updates] == [False, True, False, False, True, True]
    assert reports(updates) == [[A], [B], []]


def test_a_watch_is_in_doubt_until_another_frame_could_change_nothing() -> None:
    watch = Watch()
    assert watch.is_settled
    settled = []
    for number, seen in enumerate([*held([A, A, A, B]), *held([B] * 3), *held([None])]):
        watch.see(seen, number * 1.0)
        settled.append(watch.is_settled)
    assert settled[:4] == [False, True, True, False]
    assert settled[6] is True
    assert settled[7] is False


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


def test_an_object_that_is_seldom_taken_for_a_product_stays_unknown() -> None:
    updates = watched([frame(thing(A if number % 4 == 0 else None)) for number in range(40)])
    assert reports(updates) == []
    assert updates[-2].products[0].matches == ()


# --- what is given ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_s", [math.nan, math.inf, -math.inf])
def test_a_time_that_is_no_number_is_refused(at_s: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Watch().see(frame(), at_s)


def test_settings_count() -> None:
    strict = Watch(WatchSettings(confirm_votes=4))
    assert reports(watched(held([A] * 3), watch=strict)) == []
    assert reports(watched(held([A] * 4), watch=Watch(WatchSettings(confirm_votes=4)))) == [[A], []]
