"""Order, concurrency, maps, choices, races and shadows."""

import asyncio
from collections.abc import Sequence

import pytest

from graphs.errors import Internal, NodeFailed, NotFound
from graphs.flow import Graph, GraphBuilder, Outcome, Run


class Meeting:
    """Calls that end only when `parties` of them are under way at once."""

    def __init__(self, parties: int) -> None:
        self._barrier = asyncio.Barrier(parties)

    async def meet(self, value: int) -> int:
        await self._barrier.wait()
        return value

    async def meet_too(self, value: int) -> int:
        return await self.meet(value)


async def double(number: int) -> int:
    return 2 * number


async def never(number: int) -> int:
    await asyncio.Event().wait()
    return number


async def fail(number: int) -> int:
    raise RuntimeError(f"no {number}")


async def missing(number: int) -> int:
    raise NotFound(f"no {number}")


def add(left: int, right: int) -> int:
    return left + right


def up_to(number: int) -> list[int]:
    return list(range(number))


def is_even(number: int) -> bool:
    return number % 2 == 0


def text(number: int) -> str:
    return str(number)


def outcomes(run: Run[object]) -> dict[str, Outcome]:
    return {span.node: span.outcome for span in run.spans}


async def test_nodes_without_an_edge_between_them_run_together() -> None:
    meeting = Meeting(2)
    b = GraphBuilder("g", int)
    graph = b.build(b.apply(add, b.add(meeting.meet, b.request, timeout_s=5), b.add(meeting.meet_too, b.request, timeout_s=5)))
    assert (await graph.run(4, budget_s=5)).output == 8


async def test_a_chain_runs_in_the_callers_task() -> None:
    async def whose(_: object) -> asyncio.Task[object] | None:
        return asyncio.current_task()

    b = GraphBuilder("g", int)
    graph = b.build(b.add(whose, b.add(double, b.request, timeout_s=1), timeout_s=1))
    assert (await graph.run(1, budget_s=1)).output is asyncio.current_task()


async def test_a_map_keeps_order_and_bounds_concurrency() -> None:
    running, most = 0, 0

    async def square(number: int, offset: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001 * (5 - number % 5))
        running -= 1
        return number * number + offset

    b = GraphBuilder("g", int)
    graph = b.build(b.map(square, b.apply(up_to, b.request), b.request, timeout_s=5, concurrency=3))
    assert (await graph.run(10, budget_s=5)).output == tuple(n * n + 10 for n in range(10))
    assert most == 3
    assert (await graph.run(0, budget_s=5)).output == ()


async def test_a_failing_item_fails_the_map_with_its_own_error() -> None:
    b = GraphBuilder("g", int)
    graph = b.build(b.map(missing, b.apply(up_to, b.request), timeout_s=1, concurrency=2))
    with pytest.raises(NotFound, match="no 0"):
        await graph.run(3, budget_s=1)


async def test_a_maps_fallback_stands_for_single_items() -> None:
    async def odd_fails(number: int) -> int:
        return await (fail if number % 2 else double)(number)

    def instead(number: int) -> int:
        return -number

    b = GraphBuilder("g", int)
    run = await b.build(b.map(odd_fails, b.apply(up_to, b.request), timeout_s=1, concurrency=2, fallback=instead)).run(4, budget_s=1)
    assert run.output == (0, -1, 4, -3)
    assert run.degraded
    assert run.spans[-1].used_fallback
    assert run.spans[-1].error == "RuntimeError: no 1"


async def test_a_map_out_of_time_keeps_what_is_done() -> None:
    async def two_stall(number: int) -> int:
        return await (double if number < 2 else never)(number)

    def instead(number: int) -> int:
        return -number

    b = GraphBuilder("g", int)
    graph = b.build(b.map(two_stall, b.apply(up_to, b.request), timeout_s=0.02, concurrency=1, fallback=instead))
    run = await graph.run(5, budget_s=1)
    assert run.output == (0, 2, -2, -3, -4)
    assert run.spans[-1].outcome is Outcome.TIMEOUT


def branching() -> Graph[int, int | str]:
    b = GraphBuilder("g", int)
    shared = b.add(double, b.request, timeout_s=1, name="shared")
    even = b.apply(add, b.add(double, shared, timeout_s=1, name="only_even"), shared)
    odd = b.apply(text, b.add(double, shared, timeout_s=1, name="only_odd"))
    return b.build(b.when(b.apply(is_even, b.request), then=even, otherwise=odd))


async def test_only_the_branch_taken_runs() -> None:
    even, odd = await branching().run(2, budget_s=1), await branching().run(3, budget_s=1)
    assert even.output == 12
    assert odd.output == "12"
    assert {name for name, outcome in outcomes(even).items() if outcome is Outcome.SKIPPED} == {"only_odd", "text"}
    assert {name for name, outcome in outcomes(odd).items() if outcome is Outcome.SKIPPED} == {"only_even", "add"}


async def test_a_branch_may_be_the_request_and_choices_may_nest() -> None:
    b = GraphBuilder("g", int)
    is_even_slot = b.apply(is_even, b.request)
    inner = b.when(is_even_slot, then=b.request, otherwise=b.add(double, b.request, timeout_s=1), name="inner")
    graph = b.build(b.when(is_even_slot, then=b.add(double, inner, timeout_s=1, name="again"), otherwise=inner, name="outer"))
    assert [(await graph.run(number, budget_s=1)).output for number in (3, 4)] == [6, 8]


async def test_a_hedge_answers_when_the_first_attempt_stalls() -> None:
    attempts: list[str] = []

    async def stalls_once(number: int) -> int:
        attempts.append("started")
        return await (never if len(attempts) == 1 else double)(number)

    b = GraphBuilder("g", int)
    graph = b.build(b.add(stalls_once, b.request, timeout_s=5, hedge_after_s=0.01))
    assert (await graph.run(2, budget_s=5)).output == 4
    assert len(attempts) == 2
    assert len(asyncio.all_tasks()) == 1


async def test_no_second_attempt_when_the_first_is_quick() -> None:
    b = GraphBuilder("g", int)
    graph = b.build(b.race(double, fail, b.request, timeout_s=5, after_s=1))
    assert (await graph.run(2, budget_s=5)).output == 4


async def test_a_race_goes_on_when_one_fails() -> None:
    b = GraphBuilder("g", int)
    graph = b.build(b.race(fail, double, b.request, timeout_s=5, after_s=60))
    assert (await graph.run(2, budget_s=5)).output == 4


async def test_a_race_that_both_lose_raises_the_firsts_error() -> None:
    b = GraphBuilder("g", int)
    with pytest.raises(NodeFailed) as failed:
        await b.build(b.race(fail, fail, b.request, timeout_s=5)).run(2, budget_s=5)
    assert isinstance(failed.value.__cause__, RuntimeError)


async def test_the_callers_fault_ends_a_race() -> None:
    b = GraphBuilder("g", int)
    with pytest.raises(NotFound):
        await b.build(b.race(missing, never, b.request, timeout_s=5)).run(2, budget_s=5)


async def test_a_shadow_changes_nothing_but_the_trace() -> None:
    b = GraphBuilder("g", int)
    b.shadow(fail, b.request, timeout_s=1, grace_s=1)
    b.shadow(never, b.request, timeout_s=1)
    run = await b.build(b.add(double, b.request, timeout_s=1)).run(2, budget_s=1)
    assert (run.output, run.degraded) == (4, False)
    assert outcomes(run) == {"fail": Outcome.ERROR, "never": Outcome.CANCELLED, "double": Outcome.OK}
    assert len(asyncio.all_tasks()) == 1


async def test_a_shadow_may_use_its_grace() -> None:
    async def slowly(number: int) -> int:
        await asyncio.sleep(0.01)
        return number

    b = GraphBuilder("g", int)
    b.shadow(slowly, b.request, timeout_s=5, grace_s=5)
    b.shadow(never, b.request, timeout_s=5, grace_s=0.02)
    run = await b.build(b.add(double, b.request, timeout_s=1)).run(2, budget_s=1)
    assert outcomes(run) == {"slowly": Outcome.OK, "never": Outcome.CANCELLED, "double": Outcome.OK}


async def test_a_graph_may_be_a_node_and_hands_up_its_trace() -> None:
    def instead(number: int) -> int:
        return number

    inner = GraphBuilder("inner", int)
    variants = {"a": inner.add(fail, inner.request, timeout_s=1, fallback=instead)}
    nested = inner.build(inner.split("experiment", inner.apply(text, inner.request), variants=variants, weights={"a": 1}))
    b = GraphBuilder("outer", int)
    run = await b.build(b.add(double, b.include(nested, b.request, timeout_s=1), timeout_s=1)).run(2, budget_s=1)
    assert (run.output, run.degraded, run.variants) == (4, True, {"experiment": "a"})
    assert [span.node for span in run.spans] == ["inner", "double", "inner/fail", "inner/text", "inner/experiment"]


async def test_an_inner_failure_keeps_its_trace() -> None:
    inner = GraphBuilder("inner", int)
    b = GraphBuilder("outer", int)
    graph = b.build(b.include(inner.build(inner.add(fail, inner.request, timeout_s=1)), b.request, timeout_s=1))
    with pytest.raises(Internal) as failed:
        await graph.run(2, budget_s=1)
    assert [(span.node, span.outcome) for span in failed.value.spans] == [("inner", Outcome.ERROR), ("inner/fail", Outcome.ERROR)]


async def test_a_fan_out_joins_in_argument_order() -> None:
    def listed(*numbers: int) -> Sequence[int]:
        return numbers

    b = GraphBuilder("g", int)
    slots = [b.add(double, b.apply(add, b.request, b.request, name=f"a{i}"), timeout_s=1, name=f"d{i}") for i in range(3)]
    assert (await b.build(b.apply(listed, slots[2], b.request, slots[0], slots[1])).run(1, budget_s=1)).output == (4, 1, 4, 4)
