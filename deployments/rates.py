"""How many requests a key may make in a second and in a minute."""

import time
from functools import lru_cache

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from deployments.settings import RequestLimits, RequestRate
from graphs.errors import Overloaded


class RequestRates:
    """Counts by moving windows: in no second and no minute, wherever it begins, is more let in than the limit says."""

    def __init__(self, limits: RequestLimits) -> None:
        self.limits = limits  # another one holds from the next request on, and begins to count then
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def take(self, key: str) -> None:
        """Count a request. Raises Overloaded, with the time until one is let in again; what is refused does not count."""
        items = _items(self.limits.by_key.get(key, self.limits.per_key))
        for item in items:
            if not self._windows.test(item, key):
                free_at_s = self._windows.get_window_stats(item, key).reset_time
                raise Overloaded(f"key `{key}` has made its {item}", retry_after_s=max(free_at_s - time.time(), 0.0))
        for item in items:
            self._windows.hit(item, key)


@lru_cache(maxsize=1_024)
def _items(rate: RequestRate) -> tuple[RateLimitItem, ...]:
    """The limits of a rate, the longest window first: its wait is the one that counts when several are full."""
    minute = () if rate.per_minute is None else (RateLimitItemPerMinute(rate.per_minute),)
    second = () if rate.per_second is None else (RateLimitItemPerSecond(rate.per_second),)
    return (*minute, *second)
