"""Whether a call that failed is tried again, and when: pure functions of what happened and one random number."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

FailureKind = Literal["unsent", "broken", "refused", "final"]
REFUSALS = frozenset({429, 503})  # statuses that say: later
_WHOLE = re.compile(r"[0-9]{1,9}")
_MOST_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Waits are drawn between nothing and `base_s` doubled with each try, at most `cap_s`, on top of what the server asks for."""

    retries: int = 2
    base_s: float = 0.2
    cap_s: float = 5.0
    longest_wait_s: float = 30.0  # who is told to wait longer gets the error at once


@dataclass(frozen=True, slots=True)
class Failure:
    """`unsent`: nothing left this machine. `broken`: it may have been carried out. `refused`: 429 or 503. `final`: all else."""

    kind: FailureKind
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    number: int  # from 0
    may_repeat: bool  # of the route
    remaining_s: float | None  # of the deadline
    draw: float  # in [0, 1)


def wait_s(policy: RetryPolicy, attempt: Attempt, failure: Failure) -> float | None:
    """Seconds to wait before the next try; None: there is none. Never less than the server asks for, never beyond the deadline."""
    is_safe = failure.kind == "unsent" or (attempt.may_repeat and failure.kind != "final")
    if not is_safe or attempt.number >= policy.retries:
        return None
    waiting_s = (failure.retry_after_s or 0.0) + backoff_s(policy, attempt.number, attempt.draw)
    in_time = attempt.remaining_s is None or waiting_s < attempt.remaining_s
    return waiting_s if in_time and waiting_s <= policy.longest_wait_s else None


def backoff_s(policy: RetryPolicy, number: int, draw: float) -> float:
    """Full jitter (Brooker 2015): uniform in [0, min(cap, base 2^number)).

    >>> backoff_s(RetryPolicy(base_s=1.0, cap_s=5.0), 2, 0.5)
    2.0
    """
    return float(draw * min(policy.cap_s, policy.base_s * 2 ** min(number, _MOST_DOUBLINGS)))


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Of `retry-after-ms`, else of `retry-after` (seconds or a date); None where neither says a time. Names are in lower case.

    >>> retry_after_s({"retry-after": "2", "retry-after-ms": "1500"}, datetime.now(UTC))
    1.5
    """
    milliseconds = headers.get("retry-after-ms", "").strip()
    if _WHOLE.fullmatch(milliseconds):
        return int(milliseconds) / 1_000
    text = headers.get("retry-after", "").strip()
    if _WHOLE.fullmatch(text):
        return float(text)
    return _until(text, now)


def _until(date: str, now: datetime) -> float | None:
    try:
        then = parsedate_to_datetime(date)
        zoned = then if then.tzinfo is not None else then.replace(tzinfo=UTC)
        return max((zoned - now).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
