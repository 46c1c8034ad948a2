"""What a room may send and have written in a while."""

import pytest
from pydantic import ValidationError

from deployments.room_rates import RoomRates
from deployments.settings import RoomLimits
from graphs.errors import Overloaded, QuotaSpent
from graphs.flow.faults import may_fall_back
from models.types import RoomId

ONE, OTHER = RoomId("R-1"), RoomId("R-2")


def test_a_room_has_bursts_of_its_own_and_is_told_when_to_come_back() -> None:
    rates = RoomRates(RoomLimits(comments="3 per hour"))
    for _ in range(3):
        rates.comment(ONE)
    with pytest.raises(Overloaded) as refused:
        rates.comment(ONE)
    assert 0 < refused.value.retry_after_s <= 3_600
    rates.comment(OTHER)
    rates.generation(ONE)


def test_no_fallback_hides_that_a_room_has_had_its_generations() -> None:
    rates = RoomRates(RoomLimits(generations="1 per hour"))
    rates.generation(ONE)
    with pytest.raises(QuotaSpent) as refused:
        rates.generation(ONE)
    assert not may_fall_back(refused.value)
    assert (refused.value.code, refused.value.http_status) == ("overloaded", 429)


def test_without_limits_everything_is_let_in() -> None:
    rates = RoomRates(RoomLimits(comments=None, generations=None))
    for _ in range(1_000):
        rates.comment(ONE)
        rates.generation(ONE)


@pytest.mark.parametrize("rate", ["", "many", "3 per fortnight", "per hour"])
def test_a_rate_that_is_none_is_refused_with_the_settings(rate: str) -> None:
    with pytest.raises(ValidationError):
        RoomLimits(comments=rate)
