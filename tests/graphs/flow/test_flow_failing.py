"""Timeouts, deadlines, fallbacks, cancellation, and what a failed run raises."""

import asyncio
import math
import pickle
from collections.abc import Callable

import pytest

from graphs.errors import (
    DeadlineExceeded,
    GraphError,
    Internal,
    InvalidRequest,
    LivecartError,
    NodeFailed,
    NotFound,
    Overloaded,
    Unavailable,
)
from graphs.flow import Graph, GraphBuilder, Outcome, Span, current_deadline, remaining_s


async def never(number: int) -> int:
    await asyncio.Event().wait()
    return number


async def double(number: int) -> int:
    return 2 * number


def minus(number: int) -> int:
    return -number


def add(left: int, right: int) -> int:
    return left + right


def raising(error: BaseException) -> Callable[[int], "asyncio.Future[int]"]:
    def node(_: int) -> "asyncio.Future[int]":
        failed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        failed.set_exception(error) if not isinstance(error, asyncio.CancelledError) else failed.cancel()
        return failed

    return node


def single(error: BaseException, *, soft: bool) -> Graph[int, int]:
    b = GraphBuilder("g", int)
    return b.build(b.add(raising(error), b.request, timeout_s=1, fallback=minus if soft else None, name="node"))


async def test_a_late_hard_node_is_a_deadline_exceeded_that_names_it() -> None:
    b = GraphBuilder("g", int)
    graph = b.build(b.add(never, b.request, timeout_s=0.01))
    with pytest.raises(DeadlineExceeded, match="`never` of graph `g`") as failed:
        await graph.run(1, budget_s=1)
    assert [span.outcome for span in failed.value.spans] == [Outcome.TIMEOUT]


async def test_the_request_deadline_binds_every_node() -> None:
    b = GraphBuilder("g", int)
    graph = b.build(b.add(never, b.request, timeout_s=60))
    with pytest.raises(DeadlineExceeded):
        await graph.run(1, budget_s=0.01)


async def test_soft_nodes_answer_even_when_no_time_is_left() -> None:
    called: list[int] = []

    async def too_late(number: int) -> int:
        called.append(number)
        return number

    b = GraphBuilder("g", int)
    first = b.add(never, b.request, timeout_s=60, fallback=minus)
    run = await b.build(b.apply(add, first, b.add(too_late, first, timeout_s=1, fallback=minus))).run(1, budget_s=0.01)
    assert run.output == 0
    assert run.degraded
    assert not called


@pytest.mark.parametrize(
    "error", [RuntimeError("x"), TimeoutError(), Unavailable("x"), Overloaded("x"), Internal("x"), DeadlineExceeded("x")]
)
async def test_a_fallback_covers_what_is_not_the_callers_fault(error: Exception) -> None:
    run = await single(error, soft=True).run(3, budget_s=1)
    assert (run.output, run.degraded, run.spans[0].used_fallback) == (-3, True, True)


@pytest.mark.parametrize("error", [NotFound("x"), InvalidRequest("x")])
async def test_a_fallback_never_hides_the_callers_fault(error: LivecartError) -> None:
    with pytest.raises(type(error)) as failed:
        await single(error, soft=True).run(3, budget_s=1)
    assert failed.value is error
    assert failed.value.spans[0].outcome is Outcome.ERROR


async def test_an_unexpected_exception_becomes_a_node_failed_with_its_cause() -> None:
    cause = RuntimeError("secret detail")
    with pytest.raises(NodeFailed) as failed:
        await single(cause, soft=False).run(3, budget_s=1)
    assert failed.value.__cause__ is cause
    assert (failed.value.node, failed.value.graph) == ("node", "g")
    assert "secret" not in str(failed.value)
    assert failed.value.spans[0].error == "RuntimeError: secret detail"


async def test_a_cancellation_that_nobody_asked_for_is_an_unavailable_node() -> None:
    with pytest.raises(Unavailable):
        await single(asyncio.CancelledError(), soft=False).run(3, budget_s=1)
    assert (await single(asyncio.CancelledError(), soft=True).run(3, budget_s=1)).output == -3


async def test_a_failing_fallback_fails_the_run() -> None:
    def fails(number: int) -> int:
        raise ValueError(number)

    b = GraphBuilder("g", int)
    with pytest.raises(NodeFailed) as failed:
        await b.build(b.add(raising(RuntimeError()), b.request, timeout_s=1, fallback=fails, name="node")).run(3, budget_s=1)
    assert isinstance(failed.value.__cause__, ValueError)
    assert not failed.value.spans[0].used_fallback


async def test_plain_functions_fail_and_fall_back_too() -> None:
    def fails(number: int) -> int:
        raise ValueError(number)

    b = GraphBuilder("g", int)
    assert (await b.build(b.apply(fails, b.request, fallback=minus)).run(3, budget_s=1)).output == -3
    b = GraphBuilder("g", int)
    with pytest.raises(NodeFailed):
        await b.build(b.apply(fails, b.request)).run(3, budget_s=1)


async def test_a_hard_failure_cancels_siblings_and_waits_for_them() -> None:
    ended: list[str] = []

    async def cleans_up(number: int) -> int:
        try:
            return await never(number)
        finally:
            await asyncio.sleep(0.01)
            ended.append("cleaned up")

    async def fails_later(number: int) -> int:
        await asyncio.sleep(0)
        raise NotFound(str(number))

    b = GraphBuilder("g", int)
    joined = b.apply(add, b.add(cleans_up, b.request, timeout_s=9), b.add(fails_later, b.request, timeout_s=9))
    with pytest.raises(NotFound) as failed:
        await b.build(b.add(double, joined, timeout_s=1)).run(1, budget_s=9)
    assert ended == ["cleaned up"]
    assert {span.node: span.outcome for span in failed.value.spans} == {
        "cleans_up": Outcome.CANCELLED,
        "fails_later": Outcome.ERROR,
        "add": Outcome.CANCELLED,
        "double": Outcome.CANCELLED,
    }
    assert len(asyncio.all_tasks()) == 1


async def test_a_caller_who_leaves_cancels_everything_and_is_told_when_it_ended() -> None:
    ended: list[str] = []
    seen: list[tuple[str, tuple[Span, ...]]] = []

    async def cleans_up(number: int) -> int:
        try:
            return await never(number)
        finally:
            await asyncio.sleep(0)
            ended.append("cleaned up")

    b = GraphBuilder("g", int)
    b.shadow(cleans_up, b.request, timeout_s=9, name="beside")
    graph = b.build(b.apply(add, b.add(cleans_up, b.request, timeout_s=9), b.add(never, b.request, timeout_s=9)))
    running = asyncio.create_task(graph.observed_by(lambda name, spans: seen.append((name, spans))).run(1, budget_s=9))
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended == ["cleaned up"] * 2
    assert len(asyncio.all_tasks()) == 1
    assert seen[0][0] == "g"
    assert {span.outcome for span in seen[0][1]} == {Outcome.CANCELLED}


async def test_a_failed_run_leaves_the_callers_task_uncancelled() -> None:
    async def fails_soon(number: int) -> int:
        await asyncio.sleep(0)
        raise NotFound(str(number))

    async def fails_later(number: int) -> int:
        await asyncio.sleep(0.01)
        raise NotFound(str(number))

    def ten(number: int) -> list[int]:
        return [number] * 10

    b = GraphBuilder("g", int)
    wide = b.build(b.apply(add, b.add(double, b.request, timeout_s=9), b.add(fails_later, b.request, timeout_s=9)))
    b = GraphBuilder("g", int)
    mapped = b.build(b.map(fails_soon, b.apply(ten, b.request), timeout_s=9, concurrency=3))
    for graph in (wide, mapped):
        with pytest.raises(NotFound):
            await graph.run(1, budget_s=9)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_each_node_knows_what_is_left() -> None:
    left: dict[str, float] = {}

    async def inner_node(number: int) -> int:
        left["inner"] = remaining_s()
        return number

    def plain(number: int) -> int:
        left["plain"] = remaining_s()
        return number

    nested = GraphBuilder("nested", int)
    graph = nested.build(nested.add(inner_node, nested.request, timeout_s=50))
    b = GraphBuilder("g", int)
    await b.build(b.apply(plain, b.include(graph, b.request, timeout_s=5))).run(1, budget_s=20)
    assert 0 < left["inner"] <= 5
    assert 5 < left["plain"] <= 20
    assert current_deadline() == math.inf
    assert remaining_s() == math.inf


async def test_the_first_failure_is_the_one_that_is_raised() -> None:
    async def fails_when_cancelled(number: int) -> int:
        try:
            return await never(number)
        except asyncio.CancelledError:
            raise RuntimeError("second") from None

    b = GraphBuilder("g", int)
    graph = b.build(
        b.apply(
            add, b.add(fails_when_cancelled, b.request, timeout_s=9), b.add(raising(NotFound("first")), b.request, timeout_s=9, name="n")
        )
    )
    with pytest.raises(NotFound, match="first"):
        await graph.run(1, budget_s=9)


def subclasses(kind: type[LivecartError]) -> list[type[LivecartError]]:
    return [kind] + [below for child in kind.__subclasses__() for below in subclasses(child)]


@pytest.mark.parametrize(
    "kind", [kind for kind in subclasses(LivecartError) if kind is not NodeFailed and kind.__module__ == "graphs.errors"]
)
def test_errors_survive_pickling(kind: type[LivecartError]) -> None:
    error = kind("message", param="room_id", details=({"index": 1},))
    error.spans = (Span("n", Outcome.OK, 0.0, 0.1),)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert type(copy) is kind
    assert copy.__dict__ == error.__dict__
    assert str(copy) == "message"


def test_errors_with_arguments_of_their_own_survive_pickling() -> None:
    overloaded = pickle.loads(pickle.dumps(Overloaded("full", retry_after_s=2.5)))  # noqa: S301  # our own bytes
    failed = pickle.loads(pickle.dumps(NodeFailed("n", "g")))  # noqa: S301  # our own bytes
    assert overloaded.retry_after_s == 2.5
    assert (failed.node, failed.graph, str(failed)) == ("n", "g", "node `n` of graph `g` failed")


def test_codes_and_statuses_are_the_documented_ones() -> None:
    kinds = [kind for kind in subclasses(LivecartError)[1:] if kind is not NodeFailed and kind.__module__ == "graphs.errors"]
    assert {kind.code: kind.http_status for kind in kinds} == {
        "invalid_request": 400, "unauthenticated": 401, "forbidden": 403, "not_found": 404, "method_not_allowed": 405,
        "conflict": 409, "payload_too_large": 413, "unsupported_media": 415, "invalid_event": 422, "invalid_row": 422,
        "overloaded": 429, "internal": 500, "unavailable": 503, "deadline_exceeded": 504,
        "context_length_exceeded": 400, "model_not_found": 404,
    }  # fmt: skip
    assert not issubclass(GraphError, LivecartError)
