"""What an ingress process keeps of a room for whoever connects to it again: what was shown last, replies, comments without one."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from graphs.errors import Conflict
from livecart_client import wire
from models.types import RoomId

MOST_REPLIES = 64  # of a room; the oldest are forgotten
MOST_UNANSWERED = 64
Key = tuple[str, str, str]  # of a comment: its id, its viewer, its text


def key_of(comment: wire.SessionComment) -> Key:
    return comment.comment_id, comment.viewer_id, comment.text


def taken(comment: wire.SessionComment) -> Conflict:
    message = f"comment `{comment.comment_id}` was sent before by another viewer or with another text; give each comment an id of its own"
    return Conflict(message, param="comment_id")


@dataclass(slots=True)
class RoomMemory:
    """`keep_s`: how long anything is kept. `clock`: seconds that only go up."""

    clock: Callable[[], float]
    keep_s: float
    sessions: int = 0  # that are open
    left_s: float = 0.0  # when the last of them ended
    _products: wire.SessionProducts | None = None
    _products_s: float = 0.0
    _replies: OrderedDict[Key, tuple[float, wire.SessionReply]] = field(default_factory=OrderedDict)
    _unanswered: OrderedDict[Key, tuple[float, wire.SessionComment]] = field(default_factory=OrderedDict)

    def show(self, products: wire.SessionProducts) -> None:
        self._products, self._products_s = products, self.clock()

    def still_there(self) -> None:
        """What was shown last is shown now."""
        self._products_s = self.clock()

    def shown(self, *, within_s: float) -> wire.SessionProducts | None:
        """What is shown, when somebody has seen it within so many seconds."""
        is_fresh = self._products_s >= self.clock() - within_s
        return self._products if is_fresh else None

    def answered(self, comment: wire.SessionComment, reply: wire.SessionReply) -> None:
        self._replies[key_of(comment)] = (self.clock(), reply)
        self._unanswered.pop(key_of(comment), None)
        while len(self._replies) > MOST_REPLIES:
            self._replies.popitem(last=False)

    def reply(self, comment: wire.SessionComment) -> wire.SessionReply | None:
        """The reply that a comment was given within `keep_s`. Raises Conflict when another one with its id was."""
        self._forget()
        found = self._replies.get(key_of(comment))
        if found is None and any(comment_id == comment.comment_id for comment_id, _, _ in self._replies):
            raise taken(comment)
        return found[1] if found else None

    def leave(self, comments: Iterable[wire.SessionComment]) -> None:
        """These were not answered before their session broke off."""
        for comment in comments:
            self._unanswered[key_of(comment)] = (self.clock(), comment)
        while len(self._unanswered) > MOST_UNANSWERED:
            self._unanswered.popitem(last=False)

    def take(self) -> list[wire.SessionComment]:
        """The comments that were left within `keep_s`, in order; each is given once."""
        self._forget()
        left = [comment for _, comment in self._unanswered.values()]
        self._unanswered.clear()
        return left

    def _forget(self) -> None:
        oldest_s = self.clock() - self.keep_s
        for kept in (self._replies, self._unanswered):
            for key in [key for key, (at_s, _) in kept.items() if at_s < oldest_s]:
                del kept[key]


class Memories:
    """The memories of all rooms that had a session lately."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rooms: dict[RoomId, RoomMemory] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    @contextmanager
    def of(self, room_id: RoomId, *, keep_s: float) -> Iterator[RoomMemory]:
        """The one memory of a room while a session lasts, and `keep_s` longer."""
        self._forget()
        memory = self._rooms.setdefault(room_id, RoomMemory(self._clock, keep_s))
        memory.keep_s = keep_s
        memory.sessions += 1
        try:
            yield memory
        finally:
            memory.sessions -= 1
            memory.left_s = self._clock()

    def _forget(self) -> None:
        now_s = self._clock()
        for room_id in [r for r, memory in self._rooms.items() if not memory.sessions and now_s - memory.left_s > memory.keep_s]:
            del self._rooms[room_id]
