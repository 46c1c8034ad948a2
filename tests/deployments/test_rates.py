"""Requests a second and a minute of a key."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.rates import RequestRates
from deployments.settings import RequestLimits, RequestRate
from graphs.errors import Overloaded


def let_in(rates: RequestRates, key: str, asked: int) -> int:
    """How many of so many requests at once are let in."""
    taken = 0
    for _ in range(asked):
        try:
            rates.take(key)
        except Overloaded:
            continue
        taken += 1
    return taken


def test_without_a_limit_everything_is_let_in() -> None:
    assert let_in(RequestRates(RequestLimits()), "shop", 1_000) == 1_000


@given(st.integers(1, 50), st.integers(0, 100))
def test_a_minute_lets_in_its_number_and_no_more(limit: int, asked: int) -> None:
    rates = RequestRates(RequestLimits(per_key=RequestRate(per_minute=limit)))
    assert let_in(rates, "shop", asked) == min(limit, asked)


def test_the_wait_is_that_of_the_window_which_is_full() -> None:
    rates = RequestRates(RequestLimits(per_key=RequestRate(per_second=100, per_minute=1)))
    rates.take("shop")
    with pytest.raises(Overloaded) as refused:
        rates.take("shop")
    assert 1 < refused.value.retry_after_s <= 60


def test_after_the_wait_the_next_one_is_let_in() -> None:
    rates = RequestRates(RequestLimits(per_key=RequestRate(per_second=2)))
    assert let_in(rates, "shop", 3) == 2
    with pytest.raises(Overloaded) as refused:
        rates.take("shop")
    assert 0 < refused.value.retry_after_s <= 1
    time.sleep(refused.value.retry_after_s + 0.01)
    rates.take("shop")


def test_keys_have_windows_of_their_own_and_some_have_other_limits() -> None:
    by_key = {"backend": RequestRate(per_minute=3), "cms": RequestRate()}
    rates = RequestRates(RequestLimits(per_key=RequestRate(per_minute=1), by_key=by_key))
    assert [let_in(rates, key, 5) for key in ("viewer", "console", "backend", "cms")] == [1, 1, 3, 5]


def test_new_limits_hold_from_the_next_request_on() -> None:
    rates = RequestRates(RequestLimits(per_key=RequestRate(per_minute=1)))
    assert let_in(rates, "shop", 2) == 1
    rates.limits = RequestLimits(per_key=RequestRate(per_minute=5))
    assert let_in(rates, "shop", 9) == 5


def test_a_refused_request_counts_in_no_window() -> None:
    rates = RequestRates(RequestLimits(per_key=RequestRate(per_second=1, per_minute=2)))
    assert let_in(rates, "shop", 50) == 1
    time.sleep(1.01)
    assert let_in(rates, "shop", 50) == 1
