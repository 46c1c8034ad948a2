"""How many tokens a key may use in a minute."""

import time
from collections.abc import Callable

from deployments.settings import TokenLimits
from graphs.errors import Overloaded

_MINUTE_S = 60.0


class TokenBudgets:
    """A bucket for each key, which fills evenly and holds a minute's worth.

    A call is let in while the bucket is not empty and is charged when it is known what it took, so calls that run at once may overdraw
    it; those that come next wait until the debt is paid. Over time a key gets what its limit says.
    """

    def __init__(self, limits: TokenLimits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits  # another one holds from the next call on
        self._clock = clock
        self._spent: dict[str, tuple[float, float]] = {}  # key -> tokens used of the bucket, and when that was so

    def check(self, key: str) -> None:
        """Raises Overloaded, with the time until there are tokens again."""
        limit = self._limit(key)
        if limit is None:
            return
        over = self._used(key, limit) - limit
        if over >= 0:
            wait_s = (over + 1) * _MINUTE_S / limit
            raise Overloaded(f"key `{key}` has used its {limit} tokens a minute", retry_after_s=wait_s)

    def charge(self, key: str, tokens: int) -> None:
        limit = self._limit(key)
        if limit is not None:
            self._spent[key] = (self._used(key, limit) + tokens, self._clock())

    def _limit(self, key: str) -> int | None:
        return self.limits.by_key.get(key, self.limits.per_key)

    def _used(self, key: str, limit: int) -> float:
        used, at_s = self._spent.get(key, (0.0, 0.0))
        return max(0.0, used - (self._clock() - at_s) * limit / _MINUTE_S)
