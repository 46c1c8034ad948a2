"""Average precision keeps its laws: perfect is 1, nothing is 0, a worse answer is never worth more, crowds are forgiven."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.evaluation.contact_sheet import draw_sheet
from models.evaluation.datasets.labelled import Labelled
from models.evaluation.detection import (
    Answered,
    average_precision,
    category_accuracy,
    found_products,
    held_out_frames,
    shared_categories,
)
from models.types import Box, Detection

VECTOR = np.ones(1, dtype=np.float32)
CUP, SHOE = (10.0, 10.0, 60.0, 60.0), (100.0, 100.0, 220.0, 240.0)
LABELLED = Labelled("a", b"", (CUP, SHOE), ("cup", "shoe"), (False, False), (300, 300))
boxes = st.tuples(st.integers(0, 100), st.integers(0, 100), st.integers(10, 150), st.integers(10, 150)).map(
    lambda each: (float(each[0]), float(each[1]), float(each[0] + each[2]), float(each[1] + each[3]))
)


def found(*seen: tuple[Box, float, str]) -> tuple[Detection, ...]:
    return tuple(Detection(box, score, category, VECTOR) for box, score, category in seen)


def answered(labelled: list[Box], *seen: tuple[Box, float, str]) -> Answered:
    return Answered(Labelled("a", b"", tuple(labelled), ("cup",) * len(labelled), (False,) * len(labelled)), found(*seen))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(boxes, max_size=3, unique=True), min_size=1, max_size=4).filter(any))
def test_perfect_boxes_are_worth_one(pictures: list[list[Box]]) -> None:
    scores = average_precision([answered(labelled, *((box, 0.9, "cup") for box in labelled)) for labelled in pictures])
    assert {name for name, value in scores.items() if value != pytest.approx(1)} <= {"score_at_precision_90", "score_at_precision_95"}


@settings(max_examples=25, deadline=None)
@given(st.lists(boxes, min_size=1, max_size=3), st.lists(st.tuples(boxes, st.floats(0.01, 1), st.just("cup")), max_size=4))
def test_numbers_stay_in_range_and_no_threshold_is_easier_than_fifty(labelled: list[Box], seen: list[tuple[Box, float, str]]) -> None:
    scores = average_precision([answered(labelled, *seen)])
    assert all(0 <= value <= 1 for value in scores.values())
    assert scores["ap"] <= scores["ap50"] + 1e-9
    assert scores["ap75"] <= scores["ap50"] + 1e-9
    assert scores["recall_20"] <= scores["recall"]
    assert scores["recall_at_precision_95"] <= scores["recall_at_precision_90"]


def test_nothing_found_is_worth_nothing() -> None:
    scores = average_precision([Answered(LABELLED, ())])
    assert (scores["ap"], scores["ap50"], scores["recall"], scores["recall_at_precision_90"]) == (0, 0, 0, 0)
    assert category_accuracy([Answered(LABELLED, ())]) == 0


def test_a_number_without_anything_to_measure_is_left_out() -> None:
    scores = average_precision([Answered(LABELLED, found((CUP, 0.9, "cup")))])
    assert {"recall_medium", "recall_large"} <= scores.keys()
    assert "recall_small" not in scores
    assert "ap" not in average_precision([Answered(Labelled("empty", b""), found((CUP, 0.9, "cup")))])


def test_half_of_the_products_found_is_half_the_recall() -> None:
    scores = average_precision([Answered(LABELLED, found((CUP, 0.9, "shoe")))])
    assert scores["recall"] == 0.5
    assert scores["ap50"] == pytest.approx(0.5, abs=0.01)
    assert scores["score_at_precision_90"] == pytest.approx(0.9)


def test_categories_count_only_when_asked_for() -> None:
    swapped = [Answered(LABELLED, found((CUP, 0.9, "shoe"), (SHOE, 0.8, "cup")))]
    right = [Answered(LABELLED, found((CUP, 0.9, "cup"), (SHOE, 0.8, "shoe"), (CUP, 0.7, "a category of the detector's own")))]
    assert average_precision(swapped)["ap"] == pytest.approx(1)
    assert average_precision(swapped, by_category=True)["ap"] == 0
    assert average_precision(right, by_category=True)["ap"] == pytest.approx(1)
    assert (category_accuracy(swapped), category_accuracy(right)) == (0, 1)
    assert shared_categories([LABELLED], ("cup", "hat")) == {"cup"}


def test_boxes_in_a_crowd_are_neither_right_nor_wrong() -> None:
    crowd = Labelled("a", b"", (CUP, (80.0, 80.0, 300.0, 300.0)), ("cup", "cup"), (False, True), (300, 300))
    seen = found((SHOE, 0.95, "cup"), (CUP, 0.9, "cup"))
    assert average_precision([Answered(crowd, seen)])["ap"] == pytest.approx(1)
    assert average_precision([Answered(LABELLED.within(300, 300), seen[:1])])["recall"] == 0.5
    assert found_products(Answered(crowd, seen)) == {0: 1}
    assert found_products(Answered(crowd, seen), min_score=0.92) == {}


def test_held_out_frames_are_the_same_again() -> None:
    first, again = held_out_frames(2), held_out_frames(2)
    assert first == again
    assert all(each.within(*(each.size or (0, 0))).boxes for each in first if each.boxes)


def test_a_sheet_shows_a_tile_for_each_picture(tmp_path: Path) -> None:
    frames = [Answered(each, ()) for each in held_out_frames(2)]
    draw_sheet(frames, tmp_path / "new" / "sheet.png", min_score=0.3)
    assert Image.open(tmp_path / "new" / "sheet.png").width > 500
