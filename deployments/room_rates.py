"""How many comments a room may send, and how many answers the writer may write for it."""

from limits import parse

from deployments.rates import Windows
from deployments.settings import RoomLimits
from graphs.errors import Overloaded, QuotaSpent
from models.types import RoomId


class RoomRates:
    """Counts all sessions of a room at this ingress process."""

    def __init__(self, limits: RoomLimits) -> None:
        self.limits = limits  # others hold from the next comment on, and begin to count then
        self._windows = Windows()

    def comment(self, room_id: RoomId) -> None:
        """Count a comment. Raises Overloaded, with the time until one is let in again."""
        self._take(self.limits.comments, "comments", room_id, Overloaded)

    def generation(self, room_id: RoomId) -> None:
        """Count an answer that the writer is about to write. Raises QuotaSpent, with the time until one is let in again."""
        self._take(self.limits.generations, "generated answers", room_id, QuotaSpent)

    def _take(self, rate: str | None, what: str, room_id: RoomId, refusal: type[Overloaded]) -> None:
        self._windows.take([] if rate is None else [parse(rate)], f"room `{room_id}`", what, refusal=refusal)
