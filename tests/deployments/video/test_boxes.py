"""Boxes between samples lie between their boxes; what comes and goes does so half-way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.video.boxes import Sample, Tracks
from graphs.recognize import ProductMatch, SeenProduct
from models.types import Box, ProductId


def seen(track_id: int, box: Box, *, product: str = "") -> SeenProduct:
    matches = (ProductMatch(ProductId(product), product.title(), 0.9),) if product else ()
    return SeenProduct(box, 0.8, "other", matches, track_id)


def two(first: SeenProduct | None, second: SeenProduct | None) -> Tracks:
    tracks = Tracks(hold_s=0.5)
    tracks.add(Sample(1.0, (first,) if first else ()))
    tracks.add(Sample(2.0, (second,) if second else ()))
    return tracks


@given(time_s=st.floats(1, 2), moved=st.tuples(*[st.floats(-50, 50)] * 2))
def test_a_track_moves_straight_from_one_sample_to_the_next(time_s: float, moved: tuple[float, float]) -> None:
    x, y = moved
    tracks = two(seen(1, (0, 0, 10, 10)), seen(1, (x, y, x + 10, y + 10)))
    (found,) = tracks.at(time_s)
    share = time_s - 1
    assert found.box == pytest.approx((x * share, y * share, x * share + 10, y * share + 10), abs=1e-6)


def test_what_comes_and_goes_does_so_half_way() -> None:
    assert [len(two(seen(1, (0, 0, 9, 9)), None).at(time_s)) for time_s in (1.0, 1.4, 1.6, 2.0)] == [1, 1, 0, 0]
    assert [len(two(None, seen(1, (0, 0, 9, 9))).at(time_s)) for time_s in (1.0, 1.4, 1.6, 2.0)] == [0, 0, 1, 1]
    other = two(seen(1, (0, 0, 9, 9)), seen(2, (0, 0, 9, 9)))
    assert [[found.track_id for found in other.at(time_s)] for time_s in (1.4, 1.6)] == [[1], [2]]


def test_the_sample_that_knows_the_product_names_it() -> None:
    for pair in (
        (seen(1, (0, 0, 9, 9)), seen(1, (0, 0, 9, 9), product="mug")),
        (seen(1, (0, 0, 9, 9), product="mug"), seen(1, (0, 0, 9, 9))),
    ):
        for time_s in (1.1, 1.9):
            assert two(*pair).at(time_s)[0].matches[0].product_id == "mug"


def test_the_newest_sample_is_held_for_a_while() -> None:
    tracks = two(None, seen(1, (0, 0, 9, 9)))
    assert tracks.known_until_s == 2.0
    assert len(tracks.at(2.5)) == 1
    assert tracks.at(2.6) == ()


def test_nothing_is_known_before_the_first_sample() -> None:
    assert Tracks(hold_s=1).at(0.0) == ()
    assert two(seen(1, (0, 0, 9, 9)), None).at(0.5) == ()
