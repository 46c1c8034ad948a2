"""What is read off the counts of a caller who left."""

import pytest

from benchmarks.leaving import Left, Reading, left

COUNTS = [(0.0, 5), (0.25, 8), (0.5, 9), (0.75, 12), (1.0, 12), (1.25, 12)]  # binary fractions: no rounding
READINGS = [Reading(at_s, tokens) for at_s, tokens in COUNTS]


def test_the_time_is_to_the_first_reading_of_the_last_count() -> None:
    assert left(READINGS, 0.375) == Left(stopped_ms=375.0, tokens_after=4, reading_ms=250.0)


def test_an_engine_that_had_stopped_took_no_time() -> None:
    assert left(READINGS, 0.875) == Left(stopped_ms=0.0, tokens_after=0, reading_ms=250.0)


@pytest.mark.parametrize("closed_s", [-1.0, 9.0])
def test_readings_on_one_side_say_nothing(closed_s: float) -> None:
    with pytest.raises(ValueError, match="both are needed"):
        left(READINGS, closed_s)
