"""Turns of frames: never more than allowed, the longest waiting first, a head start that starves nobody."""

import asyncio
from contextlib import AsyncExitStack

from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.ingress.session.turns import HEAD_START_S, Turns
from tests.deployments.ingress.camera import Clock


async def taken(turns: Turns, order: list[str], name: str, gate: asyncio.Event, *, in_doubt: bool = False) -> None:
    async with turns.turn(at_most=1, in_doubt=in_doubt):
        order.append(name)
        await gate.wait()


async def in_order(waiting: list[tuple[str, bool, float]]) -> list[str]:
    """The order in which these get their turn: name, in doubt, seconds since the one before."""
    clock, gate, order = Clock(), asyncio.Event(), list[str]()
    turns = Turns(clock)
    async with asyncio.TaskGroup() as group:
        group.create_task(taken(turns, order, "first", gate))
        await asyncio.sleep(0)
        for name, in_doubt, later_s in waiting:
            clock.now_s += later_s
            group.create_task(taken(turns, order, name, gate, in_doubt=in_doubt))
            await asyncio.sleep(0)
        gate.set()
    return order


async def test_who_came_first_is_first() -> None:
    assert await in_order([("a", False, 1), ("b", False, 1), ("c", False, 1)]) == ["first", "a", "b", "c"]


async def test_who_is_in_doubt_goes_before_who_came_a_little_earlier() -> None:
    assert await in_order([("a", False, 1), ("doubt", True, HEAD_START_S - 1)]) == ["first", "doubt", "a"]


async def test_who_has_waited_longer_than_the_head_start_is_not_overtaken() -> None:
    assert await in_order([("a", False, 1), ("doubt", True, HEAD_START_S + 1)]) == ["first", "a", "doubt"]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["waits", "leaves", "fails"])), max_size=30), st.integers(1, 4))
def test_no_more_than_allowed_hold_a_turn_and_none_is_lost(callers: list[tuple[bool, str]], at_most: int) -> None:
    asyncio.run(hold(callers, at_most))


async def hold(callers: list[tuple[bool, str]], at_most: int) -> None:
    turns, held, most = Turns(), 0, 0

    async def one(in_doubt: bool, what: str) -> None:
        nonlocal held, most
        async with turns.turn(at_most=at_most, in_doubt=in_doubt):
            held += 1
            most = max(most, held)
            try:
                await asyncio.sleep(0)
                if what == "fails":
                    raise ValueError(what)
            finally:
                held -= 1

    tasks = [asyncio.create_task(one(*caller)) for caller in callers]
    await asyncio.sleep(0)
    for task, (_, what) in zip(tasks, callers, strict=True):
        if what == "leaves":
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert most <= at_most
    async with asyncio.timeout(1), AsyncExitStack() as stack:
        for _ in range(at_most):
            await stack.enter_async_context(turns.turn(at_most=at_most, in_doubt=False))
