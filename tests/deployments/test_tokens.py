"""Tokens a minute of a key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.settings import TokenLimits
from deployments.tokens import TokenBudgets
from graphs.errors import Overloaded


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_without_a_limit_everything_is_let_in() -> None:
    budgets = TokenBudgets(TokenLimits())
    budgets.charge("shop", 10**9)
    budgets.check("shop")


def test_a_key_that_has_used_its_minute_waits_for_it() -> None:
    clock = Clock()
    budgets = TokenBudgets(TokenLimits(per_key=600), clock=clock)
    budgets.check("shop")
    budgets.charge("shop", 900)
    with pytest.raises(Overloaded) as refused:
        budgets.check("shop")
    assert refused.value.retry_after_s == pytest.approx(30.1)
    clock.now_s += refused.value.retry_after_s
    budgets.check("shop")


def test_keys_have_budgets_of_their_own_and_some_have_other_limits() -> None:
    budgets = TokenBudgets(TokenLimits(per_key=100, by_key={"backend": 1_000}), clock=Clock())
    for key in ("backend", "viewer"):
        budgets.charge(key, 500)
    budgets.check("backend")
    budgets.check("console")
    with pytest.raises(Overloaded):
        budgets.check("viewer")


def test_new_limits_hold_from_the_next_call_on() -> None:
    budgets = TokenBudgets(TokenLimits(per_key=100), clock=Clock())
    budgets.charge("shop", 500)
    budgets.limits = TokenLimits(per_key=1_000)
    budgets.check("shop")


@given(st.integers(60, 10_000), st.lists(st.tuples(st.floats(0, 30), st.integers(0, 500)), min_size=1, max_size=60))
def test_over_time_a_key_gets_its_limit_and_one_call_more(limit: int, calls: list[tuple[float, int]]) -> None:
    clock = Clock()
    budgets = TokenBudgets(TokenLimits(per_key=limit), clock=clock)
    used, began_s = 0, clock.now_s
    for pause_s, tokens in calls:
        clock.now_s += pause_s
        try:
            budgets.check("shop")
        except Overloaded:
            continue
        budgets.charge("shop", tokens)
        used += tokens
    minutes = (clock.now_s - began_s) / 60
    assert used <= limit * (minutes + 1) + 500
