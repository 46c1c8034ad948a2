"""Streams: items as they come, the run last."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import pytest

from graphs.errors import DeadlineExceeded, NodeFailed, NotFound
from graphs.flow import GraphBuilder, Outcome, Run, StreamGraph


async def letters(text: str) -> AsyncIterator[str]:
    for letter in text:
        yield letter


async def fails_at_once(text: str) -> AsyncIterator[str]:
    raise NotFound(text)
    yield text


async def breaks(text: str) -> AsyncIterator[str]:
    yield text[0]
    raise RuntimeError("mid-stream")


async def breaks_at_once(text: str) -> AsyncIterator[str]:
    raise RuntimeError("early")
    yield text


async def stalls(text: str) -> AsyncIterator[str]:
    yield text[0]
    await asyncio.Event().wait()


async def starts_late(text: str) -> AsyncIterator[str]:
    await asyncio.Event().wait()
    yield text


def apology(text: str) -> list[str]:
    return ["sorry ", text]


def shout(text: str) -> str:
    return text.upper()


def is_short(text: str) -> bool:
    return len(text) < 3


Source = Callable[[str], AsyncIterator[str]]


def streaming(call: Source, *, first_s: float | None = None, whole_s: float = 5, soft: bool = False) -> StreamGraph[str, str, str]:
    b = GraphBuilder("g", str)
    tokens = b.stream(
        call, b.request, reduce="".join, timeout_s=whole_s, first_item_timeout_s=first_s, fallback=apology if soft else None, name="tokens"
    )
    return b.build_stream(b.apply(shout, tokens), items=tokens)


async def collect(graph: StreamGraph[str, str, str], request: str) -> tuple[list[str], Run[str] | None]:
    items: list[str] = []
    run: Run[str] | None = None
    async for item in graph.stream(request, budget_s=5):
        if isinstance(item, Run):
            run = item
        else:
            items.append(item)
    return items, run


async def test_items_come_first_and_the_run_last() -> None:
    items, run = await collect(streaming(letters), "abc")
    assert items == ["a", "b", "c"]
    assert run is not None
    assert run.output == "ABC"
    assert [span.node for span in run.spans] == ["tokens", "shout"]


async def test_items_pass_through_before_the_stream_ends() -> None:
    async with aclosing(streaming(stalls).stream("abc", budget_s=5)) as items:
        assert await anext(items) == "a"
    assert len(asyncio.all_tasks()) == 1


async def test_a_stream_can_be_run_as_a_whole() -> None:
    assert (await streaming(letters).run("abc", budget_s=1)).output == "ABC"


async def test_only_the_branch_taken_streams() -> None:
    b = GraphBuilder("g", str)
    long = b.stream(letters, b.request, reduce="".join, timeout_s=1, name="long")
    short = b.stream(letters, b.apply(shout, b.request), reduce="".join, timeout_s=1, name="short")
    chosen = b.when(b.apply(is_short, b.request), then=short, otherwise=long)
    graph = b.build_stream(chosen, items=chosen)
    assert (await collect(graph, "ab"))[0] == ["A", "B"]
    assert (await collect(graph, "abc"))[0] == ["a", "b", "c"]


async def test_other_streams_stay_inside() -> None:
    b = GraphBuilder("g", str)
    inside = b.stream(letters, b.request, reduce="".join, timeout_s=1, name="inside")
    tokens = b.stream(letters, b.apply(shout, inside), reduce="".join, timeout_s=1, name="tokens")
    assert (await collect(b.build_stream(tokens, items=tokens), "ab"))[0] == ["A", "B"]


@pytest.mark.parametrize(("call", "error"), [(fails_at_once, NotFound), (breaks_at_once, NodeFailed)])
async def test_an_error_before_the_first_item_is_the_runs_error(call: Source, error: type[Exception]) -> None:
    with pytest.raises(error):
        await anext(streaming(call).stream("abc", budget_s=5))


async def test_a_broken_stream_raises_after_its_items_even_with_a_fallback() -> None:
    stream = streaming(breaks, soft=True).stream("abc", budget_s=5)
    assert await anext(stream) == "a"
    with pytest.raises(NodeFailed):
        await anext(stream)


async def test_a_broken_stream_falls_back_when_nobody_has_read_of_it() -> None:
    run = await streaming(breaks, soft=True).run("abc", budget_s=5)
    assert (run.output, run.degraded) == ("SORRY ABC", True)


async def test_a_fallback_streams_too() -> None:
    items, run = await collect(streaming(breaks_at_once, soft=True), "abc")
    assert items == ["sorry ", "abc"]
    assert run is not None
    assert run.degraded


async def test_the_first_item_has_a_time_of_its_own() -> None:
    with pytest.raises(DeadlineExceeded):
        await anext(streaming(starts_late, first_s=0.01).stream("abc", budget_s=5))
    stream = streaming(stalls, first_s=0.01, whole_s=0.05).stream("abc", budget_s=5)
    assert await anext(stream) == "a"
    with pytest.raises(DeadlineExceeded) as failed:
        await anext(stream)
    assert failed.value.spans[0].outcome is Outcome.TIMEOUT


async def test_a_reader_who_leaves_closes_the_source() -> None:
    closed: list[str] = []

    async def source(text: str) -> AsyncIterator[str]:
        try:
            while True:
                await asyncio.sleep(0)
                yield text
        finally:
            closed.append(text)

    async with aclosing(streaming(source).stream("abc", budget_s=5)) as items:
        await anext(items)
    assert closed == ["abc"]
    assert len(asyncio.all_tasks()) == 1


async def test_a_slow_reader_holds_the_source_back() -> None:
    made = 0

    async def source(_: str) -> AsyncIterator[str]:
        nonlocal made
        for made in range(1, 1001):  # noqa: B007  # counted
            yield "x"

    async with aclosing(streaming(source).stream("abc", budget_s=5)) as items:
        await anext(items)
        await asyncio.sleep(0.01)
        assert made < 200


async def later_for_earlier(number: int) -> int:
    await asyncio.sleep(0.002 * (5 - number))
    return number


def five(text: str) -> list[int]:
    return list(range(5))


def stalled(number: int) -> int:
    return -number


async def stalls_at_three(number: int) -> int:
    if number == 3:
        await asyncio.Event().wait()
    return number


async def test_a_map_hands_out_its_values_in_order_however_they_become_ready() -> None:
    b = GraphBuilder("g", str)
    numbers = b.map(later_for_earlier, b.apply(five, b.request), timeout_s=5, concurrency=5)
    graph = b.build_stream(numbers, items=numbers)
    async with aclosing(graph.stream("", budget_s=5)) as items:
        *values, run = [item async for item in items]
    assert values == [0, 1, 2, 3, 4]
    assert isinstance(run, Run)
    assert run.output == (0, 1, 2, 3, 4)


async def test_a_map_in_a_stream_falls_back_for_single_items() -> None:
    b = GraphBuilder("g", str)
    numbers = b.map(stalls_at_three, b.apply(five, b.request), timeout_s=0.02, concurrency=2, fallback=stalled)
    graph = b.build_stream(numbers, items=numbers)
    async with aclosing(graph.stream("", budget_s=5)) as items:
        *values, run = [item async for item in items]
    assert values == [0, 1, 2, -3, 4]
    assert isinstance(run, Run)
    assert run.degraded


async def test_a_reader_who_stalls_costs_a_map_its_time_and_no_more() -> None:
    b = GraphBuilder("g", str)
    numbers = b.map(as_they_are, b.apply(two_hundred, b.request), timeout_s=0.05, concurrency=2, fallback=stalled)
    graph = b.build_stream(numbers, items=numbers)
    with pytest.raises(DeadlineExceeded):
        async with aclosing(graph.stream("", budget_s=5)) as items:
            async for item in items:
                if item == 0:
                    await asyncio.sleep(0.1)


async def as_they_are(number: int) -> int:
    return number


def two_hundred(text: str) -> list[int]:
    return list(range(200))
