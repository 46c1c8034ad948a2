"""Group commit: callers who come while a transaction is being committed share the next one."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from graphs.errors import LivecartError, Overloaded, Unavailable

T = TypeVar("T")
R = TypeVar("R")


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
        self.transactions = 0  # committed so far

    def submit(self, items: Sequence[T]) -> "Future[R]":
        """Queue a batch. Raises Overloaded when too much waits already."""
        batch = _Waiting[T, R](items)
        with self._lock:
            if self._pending and self._pending + len(items) > self._max_pending:
                raise Overloaded(f"{self._pending} rows wait for their commit; come back when fewer do")
            self._pending += len(items)
            self._waiting.append(batch)
            self._schedule()
        return batch.answer

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
        try:
            answers = self._commit([batch.items for batch in batches])
        except Exception as error:  # noqa: BLE001  # it belongs to the callers, who raise it; this thread must live on
            if len(batches) > 1 and not isinstance(error, LivecartError):
                return False
            for batch in batches:
                batch.answer.set_exception(error)
        else:
            self.transactions += 1
            for batch, answer in zip(batches, answers, strict=True):
                batch.answer.set_result(answer)
        return True
