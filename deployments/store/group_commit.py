"""Group commit: callers who come while a transaction is being committed share the next one."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from graphs.errors import LivecartError, Overloaded, Unavailable

T = TypeVar("T")
R = TypeVar("R")

_LEAST_WAIT_S, _MOST_WAIT_S = 0.1, 60.0  # that a refused caller is told
_NEW_RATE_SHARE = 0.3  # of the latest transaction in the observed rate


@dataclass(slots=True)
class _Waiting(Generic[T, R]):
    items: Sequence[T]
    answer: "Future[R]" = field(default_factory=Future)


class GroupCommit(Generic[T, R]):
    """Collects the callers' batches and commits several in one transaction, on `thread`.

    Nobody waits for company: the first caller starts at once, those who arrive during its fsync go together. Each is answered after the
    commit that holds its rows. A batch that cannot be stored fails alone.
    """

    def __init__(
        self, commit: Callable[[Sequence[Sequence[T]]], Sequence[R]], thread: Executor, *, max_pending: int, max_group: int
    ) -> None:
        """`commit` stores the batches in one transaction and answers each, or raises and has stored nothing."""
        self._commit = commit
        self._thread = thread
        self._max_pending = max_pending  # items
        self._max_group = max_group  # items
        self._waiting: deque[_Waiting[T, R]] = deque()
        self._pending = 0  # items
        self._is_scheduled = False
        self._lock = threading.Lock()
        self._items_per_s: float | None = None  # of the last few transactions
        self.transactions = 0  # committed so far

    def submit(self, items: Sequence[T]) -> "Future[R]":
        """Queue a batch. Raises Overloaded when too much waits already, with the time that what waits should take."""
        batch = _Waiting[T, R](items)
        with self._lock:
            if self._pending and self._pending + len(items) > self._max_pending:
                raise Overloaded(f"{self._pending} rows wait for their commit; come back when fewer do", retry_after_s=self._drained_in_s())
            self._pending += len(items)
            self._waiting.append(batch)
            self._schedule()
        return batch.answer

    def _drained_in_s(self) -> float:
        """When what waits now should be committed; a second while no rate is known."""
        if self._items_per_s is None:
            return 1.0
        return min(max(self._pending / self._items_per_s, _LEAST_WAIT_S), _MOST_WAIT_S)

    def _note_rate(self, items: int, took_s: float) -> None:
        latest = items / max(took_s, 1e-6)
        before = latest if self._items_per_s is None else self._items_per_s
        self._items_per_s = before + _NEW_RATE_SHARE * (latest - before)

    def _schedule(self) -> None:
        """Once for all who wait, and again at the end of the thread's queue for those left over: other work of the thread gets its turn."""
        if not self._waiting or self._is_scheduled:
            return
        try:
            self._thread.submit(self._commit_waiting)
        except RuntimeError as error:  # the thread was shut down
            for batch in self._waiting:
                if batch.answer.set_running_or_notify_cancel():
                    batch.answer.set_exception(Unavailable(f"the store is closed: {error}"))
            self._waiting.clear()
            self._pending = 0
        else:
            self._is_scheduled = True

    def _commit_waiting(self) -> None:
        batches = [batch for batch in self._take() if batch.answer.set_running_or_notify_cancel()]
        if batches and not self._commit_together(batches):
            for batch in batches:
                self._commit_together([batch])

    def _take(self) -> list[_Waiting[T, R]]:
        taken: list[_Waiting[T, R]] = []
        size = 0
        with self._lock:
            while self._waiting and (not taken or size + len(self._waiting[0].items) <= self._max_group):
                taken.append(self._waiting.popleft())
                size += len(taken[-1].items)
            self._pending -= size
            self._is_scheduled = False
            self._schedule()
        return taken

    def _commit_together(self, batches: Sequence[_Waiting[T, R]]) -> bool:
        """False when one of several batches is at fault, and nobody was answered."""
        began_s = time.monotonic()
        try:
            answers = self._commit([batch.items for batch in batches])
        except Exception as error:  # noqa: BLE001  # it belongs to the callers, who raise it; this thread must live on
            if len(batches) > 1 and not isinstance(error, LivecartError):
                return False
            for batch in batches:
                batch.answer.set_exception(error)
        else:
            self.transactions += 1
            self._note_rate(sum(len(batch.items) for batch in batches), time.monotonic() - began_s)
            for batch, answer in zip(batches, answers, strict=True):
                batch.answer.set_result(answer)
        return True
