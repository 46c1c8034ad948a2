"""Laws that hold for every graph, on random ones."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.errors import LivecartError
from graphs.flow import Graph, GraphBuilder, Outcome, Run, Slot, current_deadline

Behaviour = str  # "instant", "yields", "sleeps", "plain", "fails"


@dataclass(frozen=True)
class Shape:
    """A random graph: node i reads the slots `inputs[i]`, where 0 is the request and j > 0 is node j - 1."""

    inputs: tuple[tuple[int, ...], ...]
    behaviours: tuple[Behaviour, ...]
    soft: tuple[bool, ...]


@st.composite
def shapes(draw: st.DrawFn, *, failing: bool = False) -> Shape:
    count = draw(st.integers(1, 8))
    kinds = ["instant", "yields", "sleeps", "plain"] + (["fails"] if failing else [])
    inputs = tuple(tuple(draw(st.lists(st.integers(0, node), min_size=1, max_size=3))) for node in range(count))
    behaviours = tuple(draw(st.sampled_from(kinds)) for _ in range(count))
    return Shape(inputs, behaviours, tuple(draw(st.booleans()) for _ in range(count)))


class Log:
    """What the nodes of one run saw."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.ended: list[int] = []
        self.deadlines: list[float] = []


def weigh(node: int, values: tuple[int, ...]) -> int:
    return (node + 1) * 31 + sum((place + 1) * value for place, value in enumerate(values))


def make(node: int, behaviour: Behaviour, log: Log) -> Callable[..., Awaitable[int]]:
    async def call(*values: int) -> int:
        log.started.append(node)
        log.deadlines.append(current_deadline())
        if behaviour == "fails":
            raise RuntimeError(str(node))
        if behaviour != "instant":
            await asyncio.sleep(0.0005 * (node % 3) if behaviour == "sleeps" else 0)
        log.ended.append(node)
        return weigh(node, values)

    return call


def graph_of(shape: Shape, log: Log) -> Graph[int, int]:
    b = GraphBuilder("random", int)
    slots: list[Slot[int]] = [b.request]
    for node, (sources, behaviour, soft) in enumerate(zip(shape.inputs, shape.behaviours, shape.soft, strict=True)):
        slots.append(add(b, node, behaviour, soft, [slots[source] for source in sources], log))
    return b.build(b.apply(lambda *values: sum(values), *slots, name="sum"))


def add(b: GraphBuilder[int], node: int, behaviour: Behaviour, soft: bool, inputs: list[Slot[int]], log: Log) -> Slot[int]:
    def instead(*values: int) -> int:
        return -weigh(node, values)

    def plain(*values: int) -> int:
        log.started.append(node)
        log.ended.append(node)
        return weigh(node, values)

    fallback = instead if soft else None
    if behaviour == "plain":
        return b.apply(plain, *inputs, name=f"n{node}", fallback=fallback)
    return b.add(make(node, behaviour, log), *inputs, timeout_s=5, name=f"n{node}", fallback=fallback)


def evaluated(shape: Shape, request: int) -> int:
    """The answer by running one node after the other, softly where a node fails."""
    values = [request]
    for node, (sources, behaviour) in enumerate(zip(shape.inputs, shape.behaviours, strict=True)):
        value = weigh(node, tuple(values[source] for source in sources))
        values.append(-value if behaviour == "fails" else value)
    return sum(values)


@given(shapes(), st.integers(-9, 9))
@settings(deadline=None)
def test_a_run_equals_sequential_evaluation_and_runs_every_node_once_after_its_inputs(shape: Shape, request: int) -> None:
    log = Log()
    run = asyncio.run(graph_of(shape, log).run(request, budget_s=5))
    assert run.output == evaluated(shape, request)
    assert sorted(log.started) == list(range(len(shape.inputs)))
    assert {span.outcome for span in run.spans} == {Outcome.OK}
    began = {span.node: span.start_s for span in run.spans}
    ended = {span.node: span.start_s + span.took_s for span in run.spans}
    for node, sources in enumerate(shape.inputs):
        assert all(ended[f"n{source - 1}"] <= began[f"n{node}"] + 1e-9 for source in sources if source)


@given(shapes(), st.floats(0.5, 5))
@settings(deadline=None)
def test_no_node_has_a_later_deadline_than_its_request(shape: Shape, budget_s: float) -> None:
    log = Log()
    started = time.monotonic()
    asyncio.run(graph_of(shape, log).run(1, budget_s=budget_s))
    ended = time.monotonic()
    assert all(started < deadline <= ended + budget_s for deadline in log.deadlines)


@given(shapes(failing=True))
@settings(deadline=None)
def test_a_run_is_degraded_exactly_when_a_fallback_was_used(shape: Shape) -> None:
    failing = [node for node, behaviour in enumerate(shape.behaviours) if behaviour == "fails"]

    async def run() -> Run[int] | LivecartError:
        try:
            return await graph_of(shape, Log()).run(1, budget_s=5)
        except LivecartError as error:
            return error

    result = asyncio.run(run())
    assert isinstance(result, Run) == all(shape.soft[node] for node in failing)
    assert len(result.spans) == len(shape.inputs) + 1
    if isinstance(result, Run):
        assert result.degraded == bool(failing)
        assert {span.node for span in result.spans if span.used_fallback} == {f"n{node}" for node in failing}
        assert result.output == evaluated(shape, 1)


@given(shapes(), st.integers(0, 6))
@settings(deadline=None)
def test_a_cancelled_run_leaves_no_task_behind(shape: Shape, steps: int) -> None:
    log = Log()

    async def leave() -> None:
        running = asyncio.create_task(graph_of(shape, log).run(1, budget_s=5))
        for _ in range(steps):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(leave())
