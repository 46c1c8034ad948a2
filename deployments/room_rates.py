"""How many comments a room may send, and how many answers the writer may write for it."""

import time

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from deployments.settings import RoomLimits
from graphs.errors import Overloaded, QuotaSpent
from models.types import RoomId


class RoomRates:
    """Counts all sessions of a room at this ingress process, by moving windows. What is refused does not count."""

    def __init__(self, limits: RoomLimits) -> None:
        self.limits = limits  # others hold from the next comment on, and begin to count then
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def comment(self, room_id: RoomId) -> None:
        """Count a comment. Raises Overloaded, with the time until one is let in again."""
        self._take(self.limits.comments, "comments", room_id, Overloaded)

    def generation(self, room_id: RoomId) -> None:
        """Count an answer that the writer is about to write. Raises QuotaSpent, with the time until one is let in again."""
        self._take(self.limits.generations, "generated answers", room_id, QuotaSpent)

    def _take(self, rate: str | None, what: str, room_id: RoomId, refusal: type[Overloaded]) -> None:
        if rate is None:
            return
        item = parse(rate)
        if not self._windows.hit(item, what, room_id):
            free_at_s = self._windows.get_window_stats(item, what, room_id).reset_time
            raise refusal(f"room `{room_id}` has had its {what}, {item}", retry_after_s=max(free_at_s - time.time(), 0.001))
