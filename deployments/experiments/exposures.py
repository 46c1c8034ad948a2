"""Exposures on their way into the store: noted beside the answer, never before it, and remembered for a while."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from deployments.store import NewExposure, Store
from graphs.errors import Unavailable
from models.types import ViewerId

AT_ONCE = 500  # exposures in one transaction
MOST_WAITING = 10_000
MOST_REMEMBERED = 50_000
REMEMBER_S = 600.0  # a viewer who was erased and has come back is noted again after this
RETRY_S = 1.0  # after a store that was out of reach
GATHER_S = 0.2  # before a transaction, so that a request does not cause one of its own

_log = logging.getLogger("livecart.experiments")
Key = tuple[str, ViewerId]  # experiment, viewer


class ExposureLog:
    """Exposures that wait for their transaction, at most `max_waiting`; what finds no room is counted, and noted with the next request.

    `run` writes them as they come; a store that is out of reach is tried again.
    """

    def __init__(
        self,
        store: Store,
        *,
        max_waiting: int = MOST_WAITING,
        max_remembered: int = MOST_REMEMBERED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lost = 0  # exposures that were not noted when they happened
        self._store = store
        self._max_waiting = max_waiting
        self._max_remembered = max_remembered
        self._clock = clock
        self._waiting: OrderedDict[Key, NewExposure] = OrderedDict()
        self._held: OrderedDict[Key, tuple[str, float]] = OrderedDict()  # variant, and when to ask again
        self._some_wait = asyncio.Event()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def variant(self, experiment: str, viewer_id: ViewerId) -> str | None:
        """The variant that a viewer was given first, as far as it is remembered here."""
        key = experiment, viewer_id
        if key in self._waiting:
            return self._waiting[key].variant
        variant, until_s = self._held.get(key, (None, 0.0))
        return variant if self._clock() < until_s else None

    def note(self, experiment: str, variant: str, viewer_id: ViewerId) -> None:
        """Returns at once; does nothing for an exposure that is known to be held."""
        if self.variant(experiment, viewer_id) is not None:
            return
        if len(self._waiting) >= self._max_waiting:
            self._lose(1, f"{self._max_waiting} wait already")
            return
        self._waiting[experiment, viewer_id] = NewExposure(experiment, variant, viewer_id, datetime.now(UTC))
        self._some_wait.set()

    def remember(self, experiment: str, viewer_id: ViewerId, variant: str) -> None:
        """The store holds this exposure."""
        self._held[experiment, viewer_id] = variant, self._clock() + REMEMBER_S
        self._held.move_to_end((experiment, viewer_id))
        while len(self._held) > self._max_remembered:
            self._held.popitem(last=False)

    async def flush(self) -> None:
        """Write all that waits. Raises Unavailable, and keeps what is not written."""
        while self._waiting:
            batch = list(self._waiting.items())[:AT_ONCE]
            await self._write([exposure for _, exposure in batch])
            for key, _ in batch:
                self._waiting.pop(key, None)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._some_wait.wait()
            await asyncio.sleep(GATHER_S)
            self._some_wait.clear()
            try:
                await self.flush()
            except Unavailable as error:
                _log.warning("%d exposures wait for the store: %s", self.waiting, error)
                await asyncio.sleep(RETRY_S)
                self._some_wait.set()

    async def _write(self, batch: Sequence[NewExposure]) -> None:
        try:
            held = await self._store.note_exposures(batch)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  # a batch that cannot be stored must not keep the later ones out
            self._lose(len(batch), str(error))
        else:
            for (experiment, viewer_id), variant in held.items():
                self.remember(experiment, viewer_id, variant)

    def _lose(self, count: int, reason: str) -> None:
        self.lost += count
        if self.lost == count or self.lost % 1_000 < count:  # once, and then once in a while
            _log.warning("%d exposures are lost so far: %s", self.lost, reason)
