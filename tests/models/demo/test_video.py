"""Drawn footage: it shows what it says when it says, moves smoothly, keeps its room, and repeats from its seed."""

from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.demo.catalog import demo_products
from models.demo.drawing import scene
from models.demo.video import demo_footage, demo_showings

SIZE = (120, 160)
THREE = demo_products()[4:45:20]


def test_products_are_shown_in_their_order_and_times() -> None:
    frames = list(demo_footage(THREE, seconds_each=2, gap_s=1, fps=10, size=SIZE))
    assert len(frames) == 100
    for showing in demo_showings(THREE, seconds_each=2, gap_s=1):
        times = [frame.time_s for frame in frames if frame.shown == (showing.product_id,)]
        assert times[0] == pytest.approx(showing.from_s, abs=0.11)
        assert times[-1] == pytest.approx(showing.to_s, abs=0.11)
    assert not frames[0].shown
    assert not frames[-1].shown


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31), start=st.integers(0, 57), wide=st.integers(90, 200), tall=st.integers(90, 200))
def test_boxes_lie_in_the_frame_and_move_smoothly(seed: int, start: int, wide: int, tall: int) -> None:
    frames = list(demo_footage(demo_products()[start : start + 2], seconds_each=1, gap_s=0.5, fps=20, size=(wide, tall), seed=seed))
    for frame in frames:
        assert frame.picture.size == (wide, tall)
        assert len(frame.boxes) == len(frame.shown)
        for x1, y1, x2, y2 in frame.boxes:
            assert 0 <= x1 < x2 <= wide
            assert 0 <= y1 < y2 <= tall
    for before, after in pairwise(frame for frame in frames if frame.shown):
        if before.shown == after.shown:
            assert np.abs(np.subtract(before.boxes[0], after.boxes[0])).max() < 0.2 * tall


def test_the_room_stays_while_the_scene_does() -> None:
    corner = [np.asarray(frame.picture)[:20, :20] for frame in demo_footage(THREE, seconds_each=1, gap_s=1, fps=4, size=SIZE, per_scene=2)]
    changes = [index for index, (before, after) in enumerate(pairwise(corner)) if not np.array_equal(before, after)]
    assert len(changes) == 1


def test_footage_repeats_from_its_seed() -> None:
    first, again, other = (list(demo_footage(THREE[:1], seconds_each=1, fps=4, size=SIZE, seed=seed)) for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_without_products_the_host_waits() -> None:
    frames = list(demo_footage((), seconds_each=1, gap_s=1, fps=4, size=SIZE))
    assert [frame.shown for frame in frames] == [(), (), (), ()]


@pytest.mark.parametrize("wrong", [{"seconds_each": 0}, {"seconds_each": 1, "fps": 0}, {"seconds_each": 1, "gap_s": -1}])
def test_times_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="positive"):
        next(demo_footage(THREE, size=SIZE, **wrong))  # type: ignore[arg-type]  # floats by keyword


def test_an_arm_that_is_drawn_apart_changes_nothing_else_of_the_room() -> None:
    still = scene.stage(Random(3), SIZE, tidy=True)
    moving = scene.stage(Random(3), SIZE, tidy=True, moving=True)
    assert (still.hand, still.skin, still.table_y, still.arm) == (moving.hand, moving.skin, moving.table_y, moving.arm)
    assert np.array_equal(np.asarray(still.picture)[:40], np.asarray(moving.picture)[:40])
    assert not np.array_equal(np.asarray(still.picture), np.asarray(moving.picture))
