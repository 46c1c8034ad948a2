"""Questions that come again within seconds share one generation: those who ask meanwhile hear it too, those who ask soon after as well.

What is shared is the answer to a draft: wording, language, evidence, facts and titles. A product or document that changes makes another
draft, and nothing in a draft belongs to one viewer.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal

from graphs.answering.speaking import Draft, Speaks, Step
from graphs.errors import LivecartError
from graphs.reading.asking import spread

Sharing = Literal["generated", "joined", "repeated"]


@dataclass(eq=False)
class _Flight:
    """One generation with those who listen to it."""

    steps: list[Step] = field(default_factory=list)
    readers: int = 0
    is_over: bool = False
    failure: Exception | None = None
    expires_at: float = 0.0  # of a generation that is over: until when it is repeated
    task: asyncio.Task[None] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def generate(self, speaker: Speaks, draft: Draft) -> None:
        """Take in all steps. A failure is raised where the steps are read."""
        try:
            async with aclosing(speaker.generate(draft)) as steps:
                async for step in steps:
                    self.steps.append(step)
                    self._tell()
        except Exception as error:  # noqa: BLE001  # every reader raises it
            self.failure = error
        finally:
            self.is_over = True
            self._tell()

    async def read(self) -> AsyncIterator[Step]:
        """All steps from the first one, as they come. Raises what the generation raised."""
        heard = 0
        while True:
            changed = self.changed
            while heard < len(self.steps):
                heard += 1
                yield self.steps[heard - 1]
            if self.is_over and heard == len(self.steps):
                break
            if changed is self.changed:
                await changed.wait()
        if self.failure is not None:
            raise self.failure

    def _tell(self) -> None:
        waiting, self.changed = self.changed, asyncio.Event()
        waiting.set()


class SharedSpeaker:
    """A speaker that generates once for all who ask the same. All calls belong to one event loop.

    `repeat_s`: how long a finished answer is given again, 0 for never; `max_kept`: how many finished ones are kept, the latest.
    `on_share` hears, for each call, whether it generated, joined a generation under way, or was given a finished answer again.
    """

    def __init__(
        self,
        speaker: Speaks,
        *,
        repeat_s: float,
        max_kept: int,
        on_share: Callable[[Sharing], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._speaker = speaker
        self._repeat_s = repeat_s
        self._max_kept = max_kept
        self._on_share = on_share
        self._clock = clock
        self._flights: dict[Hashable, _Flight] = {}  # oldest first

    @property
    def under_way(self) -> int:
        """Generations that are not over."""
        return sum(not flight.is_over for flight in self._flights.values())

    @property
    def kept(self) -> int:
        """Finished answers that are given again."""
        return len(self._flights) - self.under_way

    async def generate(self, draft: Draft) -> AsyncGenerator[Step, None]:
        """The steps of the draft's answer. Closing the iterator aborts the generation once nobody else listens.

        Who joined a generation that fails before its first word, by the deadline of who began it, begins another one.
        """
        key = _key(draft)
        while True:
            flight, began = self._board(key, draft)
            heard = False
            try:
                async for step in flight.read():
                    heard = True
                    yield step
            except LivecartError:
                if heard or began:
                    raise
            else:
                return
            finally:
                await self._leave(key, flight)

    def _board(self, key: Hashable, draft: Draft) -> tuple[_Flight, bool]:
        """The generation to listen to, and whether it begins here."""
        self._forget()
        flight = self._flights.get(key)
        began = flight is None
        if flight is None:
            flight = self._flights[key] = _Flight()
            flight.task = asyncio.create_task(flight.generate(self._speaker, draft), name="shared generation")  # ended by `_leave`
        flight.readers += 1
        self._on_share("generated" if began else "repeated" if flight.is_over else "joined")
        return flight, began

    async def _leave(self, key: Hashable, flight: _Flight) -> None:
        """The last one to leave ends a generation under way; one that is over is kept unless it failed."""
        flight.readers -= 1
        if flight.readers > 0:
            return
        if flight.is_over and flight.failure is None and self._repeat_s > 0:
            flight.expires_at = flight.expires_at or self._clock() + self._repeat_s
            return
        if self._flights.get(key) is flight:
            del self._flights[key]
        if flight.task is not None and not flight.task.done():
            flight.task.cancel()
            await asyncio.wait([flight.task])

    def _forget(self) -> None:
        """Drop what has expired or failed, and the oldest of what is too much."""
        now = self._clock()
        stale = [key for key, flight in self._flights.items() if _is_stale(flight, now)]
        for key in stale:
            del self._flights[key]
        over = [key for key, flight in self._flights.items() if flight.is_over and not flight.readers]
        for key in over[: max(0, len(over) - self._max_kept + 1)]:
            del self._flights[key]


def _is_stale(flight: _Flight, now: float) -> bool:
    return flight.is_over and (flight.failure is not None or 0 < flight.expires_at <= now)


def _key(draft: Draft) -> Hashable:
    """All that the answer depends on: the question without marks and letter case, and the evidence without how near it is."""
    evidence = tuple((passage.source_id, passage.text, passage.question, passage.answer) for passage in draft.evidence)
    instead = draft.instead.text if draft.instead else None
    return (draft.language, spread(draft.question).strip(), evidence, draft.facts, draft.titles, instead)
