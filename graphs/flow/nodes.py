"""The kinds of node: each knows how to get its value once its inputs are there."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from graphs.errors import LivecartError
from graphs.flow.deadline import current_deadline
from graphs.flow.faults import described, may_fall_back, outcome_of
from graphs.flow.spans import Outcome, Span
from graphs.flow.splitting import Branch
from graphs.flow.tasks import all_or_first_failure, first_success

if TYPE_CHECKING:  # graphs hold nodes
    from graphs.flow.graph import Graph

Arguments = Sequence[object]
AsyncCall = Callable[..., Awaitable[object]]


class Scope(Protocol):
    """What a node may tell the run that it belongs to."""

    async def emit(self, node: str, item: object) -> None: ...
    def has_emitted(self, node: str) -> bool: ...
    def soften(self, node: str, outcome: Outcome, error: str) -> None: ...
    def absorb(self, node: str, spans: tuple[Span, ...], began_at: float) -> None: ...
    def adopt(self, *, degraded: bool, variants: Mapping[str, str]) -> None: ...


@dataclass(frozen=True, slots=True)
class Node:
    """What all kinds share. `inputs` are edges in argument order; a branch of a choice is no input."""

    name: str
    inputs: tuple[str, ...]
    kind: ClassVar[str] = "node"


@dataclass(frozen=True, slots=True)
class ApplyNode(Node):
    """A plain function: called on the event loop, without a task or a timeout."""

    call: Callable[..., object]
    fallback: Callable[..., object] | None = None
    kind: ClassVar[str] = "apply"


@dataclass(frozen=True, slots=True)
class AwaitNode(Node):
    """An async function under a timeout."""

    call: AsyncCall
    timeout_s: float
    fallback: Callable[..., object] | None = None
    kind: ClassVar[str] = "await"

    def attempt(self, arguments: Arguments, scope: Scope) -> Awaitable[object]:
        return self.call(*arguments)

    async def recover(self, arguments: Arguments, scope: Scope) -> object:
        """The fallback's value; only called when there is a fallback."""
        return cast(Callable[..., object], self.fallback)(*arguments)

    def is_soft(self, scope: Scope) -> bool:
        return self.fallback is not None

    @property
    def guards_its_own_time(self) -> bool:
        """The node ends in time by itself, without being cancelled."""
        return False


@dataclass(frozen=True, slots=True)
class RaceNode(AwaitNode):
    """Two attempts, the second after a delay; the first success wins and the other is cancelled."""

    second: AsyncCall = field(kw_only=True)
    after_s: float = field(kw_only=True)
    kind: ClassVar[str] = "race"

    def attempt(self, arguments: Arguments, scope: Scope) -> Awaitable[object]:
        return first_success(lambda: self.call(*arguments), lambda: self.second(*arguments), after_s=self.after_s)


class _InOrder:
    """Values that become ready in any order, handed out in theirs. Raises TimeoutError when a reader holds up the node beyond its time."""

    def __init__(self, count: int, emit: Callable[[object], Awaitable[None]]) -> None:
        self.values: list[object] = [None] * count
        self._ready = [False] * count
        self._emit = emit
        self._emitted = 0
        self._emitting = asyncio.Lock()

    async def put(self, index: int, value: object) -> None:
        self.values[index], self._ready[index] = value, True
        left_s = max(0.0, current_deadline() - time.monotonic())
        async with asyncio.timeout(left_s if left_s < math.inf else None), self._emitting:
            while self._emitted < len(self._ready) and self._ready[self._emitted]:
                await self._emit(self.values[self._emitted])
                self._emitted += 1


@dataclass(frozen=True, slots=True)
class MapNode(AwaitNode):
    """The call over every item of the first input, at most `concurrency` at a time; answers a tuple in the items' order.

    The fallback stands for single items: those that failed, or were not done when the node's time was spent. In a stream graph
    the values are handed out in the items' order, each as soon as those before it are ready.
    """

    concurrency: int = field(kw_only=True)
    kind: ClassVar[str] = "map"

    async def attempt(self, arguments: Arguments, scope: Scope) -> object:
        items = cast(Sequence[object], arguments[0])
        shared = arguments[1:]
        values = _InOrder(len(items), lambda value: scope.emit(self.name, value))
        queue = iter(enumerate(items))  # shared by the workers: each takes the next item

        async def work() -> None:
            for index, item in queue:
                await values.put(index, await self._one(item, shared, scope))

        if len(items) == 1 or self.concurrency == 1:
            await work()
        elif items:
            await all_or_first_failure(work, min(self.concurrency, len(items)))
        return tuple(values.values)

    async def _one(self, item: object, shared: Arguments, scope: Scope) -> object:
        if self.fallback is None:
            return await self.call(item, *shared)
        left_s = current_deadline() - time.monotonic()
        if left_s <= 0:
            scope.soften(self.name, Outcome.TIMEOUT, "not reached in time")
            return self.fallback(item, *shared)
        try:
            async with asyncio.timeout(left_s):
                return await self.call(item, *shared)
        except Exception as error:  # an item may raise anything: the fallback answers for it
            if not may_fall_back(error):
                raise
            scope.soften(self.name, outcome_of(error), described(error))
        return self.fallback(item, *shared)

    @property
    def guards_its_own_time(self) -> bool:
        """With a fallback for each item, running out of time is no failure of the node."""
        return self.fallback is not None

    def is_soft(self, scope: Scope) -> bool:
        return False  # the items were; what is left is a failure


@asynccontextmanager
async def _closing(source: AsyncIterator[object]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        if isinstance(source, AsyncGenerator):
            await source.aclose()


@dataclass(frozen=True, slots=True)
class StreamNode(AwaitNode):
    """An async generator: its items are handed out as they come, its value is what `reduce` makes of all of them.

    `timeout_s` counts to the last item, `first_item_timeout_s` to the first. The fallback answers items too, and is used
    only while nothing has been handed out: what a client has read cannot be taken back.
    """

    first_item_timeout_s: float | None = field(kw_only=True)
    reduce: Callable[[Sequence[object]], object] = field(kw_only=True)
    kind: ClassVar[str] = "stream"

    async def attempt(self, arguments: Arguments, scope: Scope) -> object:
        items: list[object] = []
        source = cast(Callable[..., AsyncIterator[object]], self.call)(*arguments)
        async with asyncio.timeout(self.first_item_timeout_s) as first_item, _closing(source):
            async for item in source:
                first_item.reschedule(None)
                items.append(item)
                await scope.emit(self.name, item)
        return self.reduce(items)

    async def recover(self, arguments: Arguments, scope: Scope) -> object:
        items = list(cast(Callable[..., Sequence[object]], self.fallback)(*arguments))
        for item in items:
            await scope.emit(self.name, item)
        return self.reduce(items)

    def is_soft(self, scope: Scope) -> bool:
        return self.fallback is not None and not scope.has_emitted(self.name)


@dataclass(frozen=True, slots=True)
class GraphNode(AwaitNode):
    """A graph as a node of another: inherits what is left of the deadline, hands its spans up."""

    graph: "Graph[object, object]" = field(kw_only=True)
    kind: ClassVar[str] = "graph"

    async def attempt(self, arguments: Arguments, scope: Scope) -> object:
        began_at = time.monotonic()
        try:
            run = await self.graph.run(arguments[0], budget_s=self.timeout_s)
        except LivecartError as error:
            scope.absorb(self.name, error.spans, began_at)
            raise
        scope.absorb(self.name, run.spans, began_at)
        scope.adopt(degraded=run.degraded, variants=run.variants)
        return run.output


@dataclass(frozen=True, slots=True)
class ShadowNode(AwaitNode):
    """Runs beside the request; nothing reads it and nothing waits for it longer than `grace_s`."""

    grace_s: float = field(kw_only=True)
    kind: ClassVar[str] = "shadow"


@dataclass(frozen=True, slots=True)
class ChoiceNode(Node):
    """Takes the value of one branch; nodes that only other branches need are skipped."""

    branches: tuple[Branch, ...]
    select: Callable[[object, tuple[Branch, ...]], int]  # (value of the input, branches) -> index of the branch
    is_split: bool = False  # a split's choice is reported in `Run.variants`
    kind: ClassVar[str] = "when"
