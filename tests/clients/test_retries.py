"""When a call is tried again: laws of the pure functions."""

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from hypothesis import given
from hypothesis import strategies as st

from livecart_client.core.retries import Attempt, Failure, FailureKind, RetryPolicy, backoff_s, retry_after_s, wait_s

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICIES = st.builds(
    RetryPolicy,
    retries=st.integers(0, 5),
    base_s=st.floats(0, 2),
    cap_s=st.floats(0, 10),
    longest_wait_s=st.floats(0, 60),
)
DRAWS = st.floats(0, 1, exclude_max=True)
ATTEMPTS = st.builds(Attempt, number=st.integers(0, 100), may_repeat=st.booleans(), remaining_s=st.none() | st.floats(-1, 60), draw=DRAWS)
KINDS: tuple[FailureKind, ...] = ("unsent", "broken", "refused", "final")
FAILURES = st.builds(Failure, kind=st.sampled_from(KINDS), retry_after_s=st.none() | st.floats(0, 100))


@given(POLICIES, st.integers(0, 10_000), DRAWS)
def test_a_backoff_is_within_its_bounds(policy: RetryPolicy, number: int, draw: float) -> None:
    assert 0 <= backoff_s(policy, number, draw) <= min(policy.cap_s, policy.base_s * 2.0 ** min(number, 30))


@given(POLICIES, ATTEMPTS, FAILURES)
def test_a_wait_is_at_least_what_the_server_asks_and_within_all_limits(policy: RetryPolicy, attempt: Attempt, failure: Failure) -> None:
    waiting_s = wait_s(policy, attempt, failure)
    if waiting_s is None:
        return
    assert (failure.retry_after_s or 0) <= waiting_s <= policy.longest_wait_s
    assert attempt.remaining_s is None or waiting_s < attempt.remaining_s
    assert attempt.number < policy.retries
    assert failure.kind != "final"
    assert attempt.may_repeat or failure.kind == "unsent"


@given(DRAWS)
def test_what_was_not_sent_is_tried_again_whatever_it_is(draw: float) -> None:
    assert wait_s(RetryPolicy(), Attempt(0, may_repeat=False, remaining_s=None, draw=draw), Failure("unsent")) is not None


@given(st.text() | st.from_regex(r"-?[0-9.e]{1,12}", fullmatch=True), st.text())
def test_a_time_that_was_read_is_finite_and_not_negative(seconds: str, milliseconds: str) -> None:
    found = retry_after_s({"retry-after": seconds, "retry-after-ms": milliseconds}, NOW)
    assert found is None or (found >= 0 and math.isfinite(found))


@given(st.integers(0, 999_999_999))
def test_seconds_and_milliseconds_are_read(number: int) -> None:
    assert retry_after_s({"retry-after": f" {number} "}, NOW) == number
    assert retry_after_s({"retry-after": "1", "retry-after-ms": str(number)}, NOW) == number / 1_000


@given(st.integers(-1_000_000, 1_000_000))
def test_a_date_is_read_as_the_time_until_then(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after_s({"retry-after": date}, NOW) == max(seconds, 0)


def test_nothing_is_read_from_nothing() -> None:
    assert retry_after_s({}, NOW) is None
    assert retry_after_s({"retry-after": "soon"}, NOW) is None
