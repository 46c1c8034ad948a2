"""One run of a graph.

Nodes run in strands: a strand runs a node, then goes on with one of those that it made ready, and hands the others to new
strands. A chain is thus one strand (the caller's own task, no task is made), and a fan-out of n costs n - 1 tasks. All
strands belong to one TaskGroup: a hard failure cancels them, so does a caller who leaves, and both wait until they ended.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from graphs.errors import LivecartError
from graphs.flow.deadline import deadline_variable
from graphs.flow.faults import cancelled_from_within, described, failure_of, may_fall_back, outcome_of
from graphs.flow.nodes import ApplyNode, AwaitNode, ChoiceNode, Node, ShadowNode
from graphs.flow.plan import Plan
from graphs.flow.spans import Outcome, Run, Span

Emit = Callable[[object], Awaitable[None]]
_PENDING = object()
_now = time.monotonic


class _Stop(Exception):  # noqa: N818  # no error but the signal by which a failed strand stops its siblings
    """The run has failed; `Execution._failure` says why."""


class Execution:
    """The state of one run; used once."""

    def __init__(self, graph: str, plan: Plan, deadline_at: float, emit: Emit | None = None) -> None:
        self._graph = graph
        self._plan = plan
        self._started_at = _now()
        self._deadline_at = deadline_at
        self._emit = emit
        self._emitted: set[str] = set()
        self._values: list[object] = [_PENDING] * len(plan.names)
        self._missing = list(plan.in_degrees)
        self._wanted = list(plan.wanted)
        self._strands = 0  # besides the caller's own
        self._last: asyncio.Future[None] | None = None  # set when the last of them has ended
        self._ready: list[int] = []
        self._awaiting_branch: dict[int, list[int]] = {}  # source of a taken branch -> choices that take its value
        self._spans: dict[int, Span] = {}
        self._absorbed: list[Span] = []  # of nested graphs
        self._softened: dict[str, tuple[Outcome, str]] = {}
        self._shadows: dict[int, asyncio.Task[None]] = {}
        self._variants: dict[str, str] = {}
        self._degraded = False
        self._failure: LivecartError | None = None

    async def run(self, request: object) -> Run[object]:
        """Raises the first hard failure (see `failure_of`), with the spans of all nodes."""
        outer = deadline_variable.set(self._deadline_at)
        cancelled_before = _cancellations()
        try:
            async with asyncio.TaskGroup() as self._group:
                self._complete(0, request)
                await self._strand()
                await self._others()
        except* _Stop:
            pass
        finally:
            deadline_variable.reset(outer)
        if self._failure is not None:
            if _cancellations() > cancelled_before:  # the caller left while the failure stopped the others
                raise asyncio.CancelledError
            self._failure.spans = self.spans()
            raise self._failure
        return Run(self._values[self._plan.output], self._graph, self.spans(), _now() - self._started_at, self._degraded, self._variants)

    def spans(self) -> tuple[Span, ...]:
        """One span per node in the order of the graph, then those of nested graphs."""
        own = (self._spans.get(index) or self._span_of_unstarted(index) for index in range(1, len(self._plan.names)))
        return (*own, *self._absorbed)

    def _span_of_unstarted(self, index: int) -> Span:
        is_wanted = index in self._shadows if index in self._plan.shadows else self._wanted[index]
        return Span(self._plan.names[index], Outcome.CANCELLED if is_wanted else Outcome.SKIPPED, _now() - self._started_at, 0.0)

    # what is ready, and who runs it

    async def _strand(self, index: int | None = None) -> None:
        index = self._next() if index is None else index
        while index is not None:
            await self._await(index, cast(AwaitNode, self._plan.nodes[index]))
            deadline_variable.set(self._deadline_at)  # what follows inline has the request's time again
            index = self._next()

    async def _side_strand(self, index: int) -> None:
        await self._strand(index)
        self._strands -= 1
        if not self._strands and self._last is not None and not self._last.done():
            self._last.set_result(None)

    async def _others(self) -> None:
        """Wait for the other strands here, not at the group's end: see graphs.flow.tasks."""
        if self._strands:
            self._last = asyncio.get_running_loop().create_future()
            await self._last

    def _next(self) -> int | None:
        """Run all that is ready: plain functions here, async nodes in new strands but for one, which is returned."""
        own: int | None = None
        ready, is_inline = self._ready, self._plan.is_inline
        while ready:
            index = ready.pop()
            if is_inline[index]:
                self._run_inline(index)
            elif index in self._plan.shadows:
                self._shadows[index] = self._group.create_task(self._shadow(index))
            elif own is None:
                own = index
            else:
                self._strands += 1
                self._group.create_task(self._side_strand(index))
        return own

    def _complete(self, index: int, value: object) -> None:
        self._values[index] = value
        missing = self._missing
        for consumer in self._plan.consumers[index]:
            missing[consumer] -= 1
            if not missing[consumer] and self._wanted[consumer]:
                self._ready.append(consumer)
        if self._awaiting_branch:
            for choice in self._awaiting_branch.pop(index, ()):
                self._complete(choice, value)
        if index == self._plan.output and self._shadows:
            self._dismiss_shadows()

    def _want(self, index: int) -> None:
        """A branch was taken: its node, and all that it reads, have to run."""
        frontier = [index]
        while frontier:
            index = frontier.pop()
            if not self._wanted[index]:
                self._wanted[index] = True
                if self._missing[index]:
                    frontier.extend(self._plan.inputs[index])
                else:
                    self._ready.append(index)

    # running one node

    def _arguments(self, index: int) -> list[object]:
        return [self._values[source] for source in self._plan.inputs[index]]

    def _run_inline(self, index: int) -> None:
        node = self._plan.nodes[index]
        started = _now()
        try:
            if isinstance(node, ChoiceNode):
                self._choose(index, node)
                self._record(index, Outcome.OK, started)
                return
            value = cast(ApplyNode, node).call(*self._arguments(index))
        except Exception as error:  # noqa: BLE001  # a node may raise anything: answered by its fallback or raised as NodeFailed
            value = self._recovered(index, cast(ApplyNode, node), error, started)
        else:
            self._record(index, Outcome.OK, started)
        self._complete(index, value)

    def _recovered(self, index: int, node: ApplyNode, error: Exception, started: float) -> object:
        if isinstance(node, ChoiceNode) or node.fallback is None or not may_fall_back(error):
            self._record(index, outcome_of(error), started, error=error)
            raise self._fail(node, error)
        try:
            value = node.fallback(*self._arguments(index))
        except Exception as second:  # as above
            self._record(index, outcome_of(error), started, error=error)
            raise self._fail(node, second) from second
        self._record(index, outcome_of(error), started, used_fallback=True, error=error)
        return value

    def _choose(self, index: int, node: ChoiceNode) -> None:
        chosen = node.select(self._arguments(index)[0], node.branches)
        if node.is_split:
            self._variants[node.name] = node.branches[chosen].label
        source = self._plan.branches[index][chosen]
        if self._values[source] is not _PENDING:
            self._complete(index, self._values[source])
        else:
            self._awaiting_branch.setdefault(source, []).append(index)
            self._want(source)

    async def _await(self, index: int, node: AwaitNode) -> None:
        started = _now()
        try:
            value = await self._attempt(index, node, started)
        except asyncio.CancelledError as cancelled:
            if _cancellations():
                self._record(index, Outcome.CANCELLED, started)
                raise
            await self._recover(index, node, cancelled_from_within(node.name, cancelled), started)
        except Exception as error:  # noqa: BLE001  # a node may raise anything: answered by its fallback or raised as NodeFailed
            await self._recover(index, node, error, started)
        else:
            self._record(index, Outcome.OK, started)
            self._complete(index, value)

    async def _attempt(self, index: int, node: AwaitNode, started: float) -> object:
        deadline = min(self._deadline_at, started + node.timeout_s)
        deadline_variable.set(deadline)
        if node.guards_its_own_time:
            return await node.attempt(self._arguments(index), self)
        if deadline <= started:
            raise TimeoutError
        async with asyncio.timeout(deadline - started):
            return await node.attempt(self._arguments(index), self)

    async def _recover(self, index: int, node: AwaitNode, error: Exception, started: float) -> None:
        """Go on with the fallback's value, or fail the run."""
        outcome = outcome_of(error)
        if not may_fall_back(error) or not node.is_soft(self):
            self._record(index, outcome, started, error=error)
            raise self._fail(node, error)
        try:
            value = await node.recover(self._arguments(index), self)
        except Exception as second:  # as above
            self._record(index, outcome, started, error=error)
            raise self._fail(node, second) from second
        self._record(index, outcome, started, used_fallback=True, error=error)
        self._complete(index, value)

    def _fail(self, node: Node, error: Exception) -> _Stop:
        """Remember the run's first hard failure; raise what this returns."""
        if self._failure is None:
            self._failure = failure_of(node.name, self._graph, error)
        return _Stop()

    def _record(
        self, index: int, outcome: Outcome, started: float, *, used_fallback: bool = False, error: BaseException | None = None
    ) -> None:
        name = self._plan.names[index]
        message = None if error is None else described(error)
        if self._softened and name in self._softened and outcome is Outcome.OK:
            (outcome, message), used_fallback = self._softened[name], True
        self._degraded = self._degraded or used_fallback
        self._spans[index] = Span(name, outcome, started - self._started_at, _now() - started, used_fallback, message)

    # shadows

    async def _shadow(self, index: int) -> None:
        node = cast(ShadowNode, self._plan.nodes[index])
        started = _now()
        try:
            await self._attempt(index, node, started)
        except asyncio.CancelledError:
            self._record(index, Outcome.CANCELLED, started)
            raise
        except Exception as error:  # noqa: BLE001  # a shadow must not be felt: its error is for the trace only
            self._record(index, outcome_of(error), started, error=error)
        else:
            self._record(index, Outcome.OK, started)

    def _dismiss_shadows(self) -> None:
        """The answer is ready: shadows get their grace, but no more than the request's deadline, and are cancelled then."""
        left_s = max(0.0, self._deadline_at - _now())
        for index, task in self._shadows.items():
            grace_s = min(left_s, cast(ShadowNode, self._plan.nodes[index]).grace_s)
            if grace_s > 0:
                asyncio.get_running_loop().call_later(grace_s, task.cancel)
            else:
                task.cancel()

    # what nodes report (graphs.flow.nodes.Scope)

    async def emit(self, node: str, item: object) -> None:
        if self._emit is not None and node in self._plan.emitters:
            self._emitted.add(node)
            await self._emit(item)

    def has_emitted(self, node: str) -> bool:
        return node in self._emitted

    def soften(self, node: str, outcome: Outcome, error: str) -> None:
        self._softened.setdefault(node, (outcome, error))

    def absorb(self, node: str, spans: tuple[Span, ...], began_at: float) -> None:
        offset_s = began_at - self._started_at
        self._absorbed += [
            Span(f"{node}/{span.node}", span.outcome, span.start_s + offset_s, span.took_s, span.used_fallback, span.error)
            for span in spans
        ]

    def adopt(self, *, degraded: bool, variants: Mapping[str, str]) -> None:
        self._degraded = self._degraded or degraded
        self._variants.update(variants)


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
