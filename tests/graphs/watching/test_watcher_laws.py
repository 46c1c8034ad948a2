"""What holds of a watch whatever it sees, and in whatever order."""

from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.recognize import RecognizeReply, SeenProduct
from graphs.watching.tracks import intersection_over_union
from graphs.watching.watcher import Displayed, Watch
from models.types import Box, ProductId
from tests.graphs.watching.frames import A, B, C, displays, frame, shown, thing

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


@settings(deadline=None)  # a busy machine is no fault
@given(boxes, boxes)
def test_overlap_is_symmetric_and_a_share(one: Box, other: Box) -> None:
    overlap = intersection_over_union(one, other)
    assert 0 <= overlap <= 1 + 1e-9
    assert overlap == pytest.approx(intersection_over_union(other, one))
    assert intersection_over_union(one, one) == pytest.approx(1)
