"""A built graph: run it, stream it, override it, draw it."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Generic, Self, TypeVar, cast

from graphs.flow.deadline import current_deadline
from graphs.flow.drawing import GraphDescription, describe, mermaid
from graphs.flow.execution import Emit, Execution
from graphs.flow.nodes import Node
from graphs.flow.overrides import Overrides, apply_overrides
from graphs.flow.plan import Plan, make_plan
from graphs.flow.spans import Run, SpansHook

I_contra = TypeVar("I_contra", contravariant=True)
O_co = TypeVar("O_co", covariant=True)
E_co = TypeVar("E_co", covariant=True)

_ITEMS_AHEAD = 64  # items that a stream may be ahead of a slow reader
_END = object()


@dataclass(frozen=True)
class Graph(Generic[I_contra, O_co]):
    """An inference graph from a request I to an answer O; immutable, shared by all requests."""

    name: str
    plan: Plan
    takes: object  # the annotation of the request
    gives: object  # the annotation of the answer; Any when unknown
    on_spans: SpansHook | None = None

    async def run(self, request: I_contra, *, budget_s: float) -> Run[O_co]:
        """Run every node as soon as its inputs are there and somebody needs its value.

        Args:
            budget_s: seconds for the whole run; within a node of another graph never more than what that node has left.

        Raises:
            LivecartError: what a node without a fallback raised; `DeadlineExceeded` if it ran out of time; `NodeFailed` if it
                raised something else. `spans` tells how each node fared. Siblings were cancelled and have ended.
        """
        return cast(Run[O_co], await self._execute(request, budget_s, None))

    async def _execute(self, request: object, budget_s: float, emit: Emit | None) -> Run[object]:
        execution = Execution(self.name, self.plan, min(time.monotonic() + budget_s, current_deadline()), emit)
        if self.on_spans is None:
            return await execution.run(request)
        try:
            return await execution.run(request)
        finally:
            self.on_spans(self.name, execution.spans())

    def with_overrides(self, overrides: Overrides) -> Self:
        """The same graph with other timeouts, fallbacks and weights.

        Raises:
            GraphError: a name that the graph does not have, or a change that the node does not allow.
        """
        nodes = apply_overrides(self.name, self._nodes(), overrides)
        return dataclasses.replace(self, plan=make_plan(nodes, self.plan.names[self.plan.output], self.plan.emitters))

    def observed_by(self, on_spans: SpansHook) -> Self:
        """The same graph telling a hook (metrics, traces) about each run, failed and cancelled ones included."""
        return dataclasses.replace(self, on_spans=on_spans)

    def mermaid(self) -> str:
        """The graph as a Mermaid flowchart."""
        return mermaid(self.describe())

    def describe(self) -> GraphDescription:
        """Nodes, edges, timeouts and fallbacks as data."""
        return describe(self.name, self._nodes(), self.plan.names[self.plan.output])

    def _nodes(self) -> Mapping[str, Node]:
        return {node.name: node for node in self.plan.nodes if node is not None}


@dataclass(frozen=True)
class StreamGraph(Graph[I_contra, O_co], Generic[I_contra, E_co, O_co]):
    """A graph that hands out items of type E on its way to the answer."""

    async def stream(self, request: I_contra, *, budget_s: float) -> AsyncGenerator[E_co | Run[O_co], None]:
        """Yield the items as they come and, last, the finished `Run`.

        A reader who stops early closes the generator (`contextlib.aclosing`), which cancels all nodes and waits for them.

        Raises:
            LivecartError: as `run` does; items that were yielded before stay valid.
        """
        items: asyncio.Queue[object] = asyncio.Queue()
        room = asyncio.Semaphore(_ITEMS_AHEAD)

        async def emit(item: object) -> None:
            await room.acquire()
            items.put_nowait(item)

        running = asyncio.create_task(self._execute(request, budget_s, emit))
        running.add_done_callback(lambda _: items.put_nowait(_END))
        try:
            while (item := await items.get()) is not _END:
                room.release()
                yield cast(E_co, item)
            yield cast(Run[O_co], running.result())
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
