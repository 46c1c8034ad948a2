"""How often something may happen in a while, by moving windows; of it, how many requests each key may make in a second and in a minute."""

import time
from collections.abc import Sequence
from functools import lru_cache

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from deployments.settings import RequestLimits, RequestRate
from graphs.errors import Overloaded


class Windows:
    """Counts what each of many does: in no span of a limit's length, wherever it begins, is more let in than the limit says."""

    def __init__(self) -> None:
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def take(self, limits: Sequence[RateLimitItem], who: str, what: str, *, refusal: type[Overloaded] = Overloaded) -> None:
        """Count one `what` of `who`. Raises `refusal`, with the time until one is let in again; what is refused does not count.

        `limits`: the longest first, whose wait is the one that counts when several are full.
        """
        for limit in limits:
            if not self._windows.test(limit, what, who):
                free_at_s = self._windows.get_window_stats(limit, what, who).reset_time
                raise refusal(f"{who} has had its {what}, {limit}", retry_after_s=max(free_at_s - time.time(), 0.001))
        for limit in limits:
            self._windows.hit(limit, what, who)


class RequestRates:
    """Counts the requests of each key at this ingress process."""

    def __init__(self, limits: RequestLimits) -> None:
        self.limits = limits  # another one holds from the next request on, and begins to count then
        self._windows = Windows()

    def take(self, key: str) -> None:
        """Count a request of the key. Raises Overloaded, with the time until one is let in again."""
        self._windows.take(_items(self.limits.by_key.get(key, self.limits.per_key)), f"key `{key}`", "requests")


@lru_cache(maxsize=1_024)
def _items(rate: RequestRate) -> tuple[RateLimitItem, ...]:
    minute = () if rate.per_minute is None else (RateLimitItemPerMinute(rate.per_minute),)
    second = () if rate.per_second is None else (RateLimitItemPerSecond(rate.per_second),)
    return (*minute, *second)
