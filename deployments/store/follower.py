"""Following the store: a replica's own copy of the catalogue, never more than a poll behind, through every outage."""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeVar

from deployments.store.store import Store
from deployments.store.values import Change, ChangeKind, Page, View
from graphs.errors import DeadlineExceeded, Unavailable
from models.types import Document, DocumentId, Product, ProductId, Room, RoomId

T = TypeVar("T")

Value = Product | Document | Room | tuple[View, ...]  # views come without their pictures
OnChange = Callable[[ChangeKind, str, Value | None], Awaitable[None]]

_log = logging.getLogger(__name__)
_KINDS: tuple[ChangeKind, ...] = ("product", "document", "room", "view")  # what refers comes after what it refers to
_MOST_CHANGES = 1_000
_LONGEST_PAUSE_S = 5.0


class Follower:
    """Hands every object of the chosen kinds to `on_change`, first all there are, then each that changes, in the order of the change log.

    The value is the whole object as it is now; None says that it is gone. An object that changes twice between two polls comes once, and
    one may come again unchanged. Whatever raises, the database or `on_change`, is logged and tried again with growing pauses: the follower
    stands still and `lag_s` grows, but it never ends before `run()` is cancelled.
    """

    def __init__(
        self,
        store: Store,
        on_change: OnChange,
        *,
        kinds: Collection[ChangeKind] = _KINDS,
        on_caught_up: Callable[[int], Awaitable[None]] | None = None,
        poll_s: float = 0.2,
        page_size: int = 200,
    ) -> None:
        """`on_caught_up(seq)` is awaited after the objects of the first load and of every batch: the place to apply them in one go."""
        self._store = store
        self._on_change = on_change
        self._on_caught_up = on_caught_up
        self._kinds = tuple(kind for kind in _KINDS if kind in kinds)
        self._poll_s = poll_s
        self._page_size = page_size
        self._known: dict[ChangeKind, set[str]] = {kind: set() for kind in self._kinds}  # handed out and not gone
        self._current_at = time.monotonic()  # when the copy was last known to be complete
        self._moved = asyncio.Condition()
        self._wake = asyncio.Event()
        self.seq: int | None = None  # of the last change handed out; None until the first load is done
        self.last_error: Exception | None = None  # of the latest attempt, None when it went well

    @property
    def lag_s(self) -> float:
        """Seconds since this copy was last known to be what the store holds; about `poll_s` when all is well."""
        return time.monotonic() - self._current_at

    @property
    def is_loaded(self) -> bool:
        """The first load is done: what is there may be old, but it is whole."""
        return self.seq is not None

    async def wait_for(self, seq: int, *, timeout_s: float) -> None:
        """Return once change `seq` has been handed out (0: once loaded). Raises DeadlineExceeded."""
        self._wake.set()
        try:
            async with asyncio.timeout(timeout_s), self._moved:
                await self._moved.wait_for(lambda: self.seq is not None and self.seq >= seq)
        except TimeoutError as error:
            raise DeadlineExceeded(f"this replica has not seen change {seq} within {timeout_s:g} s; it is at {self.seq}") from error

    async def run(self) -> None:
        """Follow until cancelled: run it in the owner's TaskGroup."""
        pause_s = self._poll_s
        while True:
            try:
                more = await self._advance()
                self.last_error = None
                pause_s = 0.0 if more else self._poll_s
            except Exception as error:  # noqa: BLE001  # logged, kept in last_error, and tried again
                self.last_error = error
                pause_s = min(max(2 * pause_s, self._poll_s), _LONGEST_PAUSE_S)
                unexpected = not isinstance(error, Unavailable)  # an outage needs no traceback every few seconds
                _log.warning("the follower stands at change %s, tries again in %.1f s: %s", self.seq, pause_s, error, exc_info=unexpected)
            await self._rest(pause_s)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Follower"]:
        """Follow in the background of an `async with`."""
        task = asyncio.create_task(self.run())  # a TaskGroup would wrap the body's errors
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _rest(self, pause_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._wake.wait()
        self._wake.clear()

    async def _advance(self) -> bool:
        """One look at the change log; True when more is waiting."""
        asked_at = time.monotonic()
        if self.seq is None:
            await self._load_all(asked_at)
            return False
        last = await self._store.last_change()
        if last == self.seq:  # nearly always: one small question a poll
            self._current_at = asked_at
            return False
        changes = await self._store.changes_since(self.seq, _MOST_CHANGES)
        if last < self.seq or not changes or changes[0].seq != self.seq + 1:  # an older copy was restored, or the log was trimmed beyond us
            _log.warning("the change log does not continue change %d: loading everything again", self.seq)
            await self._load_all(asked_at)
            return False
        await self._hand_out_changes(changes)
        if len(changes) < _MOST_CHANGES:
            self._current_at = asked_at
            return False
        return True

    async def _load_all(self, asked_at: float) -> None:
        """The number is read before the objects: what changes meanwhile is handed out again afterwards."""
        seq = await self._store.last_change()
        for kind in self._kinds:
            gone = set(self._known[kind])
            async for key, value in self._all_of(kind):
                gone.discard(key)
                await self._hand_out(kind, key, value)
            for key in sorted(gone):
                await self._hand_out(kind, key, None)
        await self._reached(seq)
        self._current_at = asked_at

    async def _hand_out_changes(self, changes: Sequence[Change]) -> None:
        latest = {(change.kind, change.key): change.seq for change in changes if change.kind in self._kinds}
        keys: dict[ChangeKind, list[str]] = defaultdict(list)
        for kind, key in latest:
            keys[kind].append(key)
        current = {kind: await self._current(kind, of_kind) for kind, of_kind in keys.items()}
        for kind, key in sorted(latest, key=latest.__getitem__):
            await self._hand_out(kind, key, current[kind].get(key))
        await self._reached(changes[-1].seq)

    async def _hand_out(self, kind: ChangeKind, key: str, value: Value | None) -> None:
        await self._on_change(kind, key, value)
        if value is None:
            self._known[kind].discard(key)
        else:
            self._known[kind].add(key)

    async def _reached(self, seq: int) -> None:
        if self._on_caught_up is not None:
            await self._on_caught_up(seq)
        async with self._moved:
            self.seq = seq
            self._moved.notify_all()

    async def _current(self, kind: ChangeKind, keys: Collection[str]) -> Mapping[str, Value]:
        if kind == "product":
            return _by_text(await self._store.products([ProductId(key) for key in keys]))
        if kind == "document":
            return _by_text(await self._store.documents([DocumentId(key) for key in keys]))
        if kind == "room":
            return _by_text(await self._store.rooms([RoomId(key) for key in keys]))
        return _by_text(await self._store.embeddings([ProductId(key) for key in keys]))

    async def _all_of(self, kind: ChangeKind) -> AsyncIterator[tuple[str, Value]]:
        if kind == "product":
            async for product in _pages(self._store.list_products, self._page_size):
                yield product.product_id, product
        elif kind == "document":
            async for document in _pages(self._store.list_documents, self._page_size):
                yield document.document_id, document
        elif kind == "room":
            async for room in _pages(self._store.list_rooms, self._page_size):
                yield room.room_id, room
        else:
            async for product_id, views in _pages(self._store.list_embeddings, self._page_size):
                yield product_id, views


async def _pages(list_page: Callable[[str | None, int], Awaitable[Page[T]]], size: int) -> AsyncIterator[T]:
    page = await list_page(None, size)
    while True:
        for item in page.items:
            yield item
        if page.next_cursor is None:
            return
        page = await list_page(page.next_cursor, size)


def _by_text(values: Mapping[ProductId, T] | Mapping[DocumentId, T] | Mapping[RoomId, T]) -> Mapping[str, T]:
    return {str(key): value for key, value in values.items()}
