"""Graphs in several variants, and nodes replaced by their fallbacks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from graphs.errors import GraphError
from graphs.flow import Choose, Graph, GraphBuilder, Outcome, Overrides, Run, StreamGraph, varied


async def rank(text: str) -> str:
    return text.upper()


async def doubled(item: str) -> str:
    return item * 2


async def letters(text: str) -> AsyncIterator[str]:
    for letter in text:
        yield letter


async def choose(request: object) -> str | None:
    return {"a": "control", "b": "plain"}.get(str(request))


def as_it_is(text: str) -> str:
    return text


def as_list(text: str) -> list[str]:
    return [text]


def split_up(text: str) -> tuple[str, ...]:
    return tuple(text)


def shop(*, soft: bool = True) -> Graph[str, str]:
    b = GraphBuilder("shop", str)
    return b.build(b.add(rank, b.request, timeout_s=0.5, fallback=as_it_is if soft else None))


def two(graph: Graph[Any, Any], node: str = "rank", *, chosen: Choose = choose) -> Graph[Any, Any]:
    return varied("ranker", {"control": graph, "plain": graph.with_overrides(Overrides(use_fallback=[node]))}, chosen)


async def test_each_request_runs_its_variant_and_says_which() -> None:
    graph = two(shop())
    control, plain, nobody = [await graph.run(request, budget_s=1) for request in ("a", "b", "c")]
    assert [(run.output, run.variants) for run in (control, plain, nobody)] == [
        ("A", {"ranker": "control"}),
        ("b", {"ranker": "plain"}),
        ("C", {}),
    ]
    assert not plain.degraded
    assert [(span.node, span.outcome, span.used_fallback) for span in plain.spans] == [("rank", Outcome.OK, False)]


async def test_within_another_graph_the_variant_is_handed_up() -> None:
    b = GraphBuilder("outer", str)
    outer = b.build(b.include(two(shop()), b.request, timeout_s=1))
    run = await outer.run("b", budget_s=1)
    assert (run.output, run.variants, [span.node for span in run.spans]) == ("b", {"ranker": "plain"}, ["shop", "shop/rank"])


async def test_overrides_and_observers_reach_every_variant() -> None:
    seen: list[str] = []
    graph = two(shop()).observed_by(lambda name, _: seen.append(name))
    for request in ("a", "b", "c"):
        await graph.run(request, budget_s=1)
    assert seen == ["shop"] * 3
    with pytest.raises(GraphError, match="no node"):
        graph.with_overrides(Overrides(timeouts_s={"nothing": 1}))
    assert graph.describe() == shop().describe()
    both = varied("x", {"one": shop(), "two": shop()}, choose).with_overrides(Overrides(timeouts_s={"rank": 0.3}))
    assert both.describe().nodes[0].timeout_s == 0.3


async def test_what_choosing_takes_counts_against_the_deadline() -> None:
    async def slowly(_: object) -> str | None:
        await asyncio.sleep(0.05)
        return "control"

    run = await two(shop(), chosen=slowly).run("a", budget_s=0.04)
    assert (run.output, run.degraded) == ("a", True)


async def test_a_label_that_is_no_variant_is_the_first_one_and_nobody_is_told() -> None:
    async def stranger(_: object) -> str | None:
        return "gone"

    run = await two(shop(), chosen=stranger).run("b", budget_s=1)
    assert (run.output, run.variants) == ("B", {})


async def test_a_stream_is_the_variants_own() -> None:
    b = GraphBuilder("voice", str)
    said = b.stream(letters, b.request, reduce="-".join, timeout_s=1, fallback=as_list)
    graph = two(b.build_stream(said, items=said), "letters", chosen=lambda request: choose(str(request)[0]))
    assert isinstance(graph, StreamGraph)
    heard = []
    for request in ("aa", "bb"):
        async with aclosing(graph.stream(request, budget_s=1)) as items:
            heard.append([(item.output, item.variants) if isinstance(item, Run) else item async for item in items])
    assert heard == [["a", "a", ("a-a", {"ranker": "control"})], ["bb", ("bb", {"ranker": "plain"})]]


async def test_a_map_answers_with_the_fallback_of_every_item() -> None:
    b = GraphBuilder("shop", str)
    items = b.apply(split_up, b.request)
    graph = b.build(b.map(doubled, items, timeout_s=1, concurrency=2, fallback=as_it_is))
    run = await graph.with_overrides(Overrides(use_fallback=["doubled"])).run("xyz", budget_s=1)
    assert (run.output, run.degraded) == (("x", "y", "z"), False)


def test_a_node_without_a_fallback_cannot_be_replaced_by_it() -> None:
    for graph, node in ((shop(soft=False), "rank"), (shop().with_overrides(Overrides(fallbacks={"rank": False})), "rank")):
        with pytest.raises(GraphError, match="`rank` has no fallback to use"):
            graph.with_overrides(Overrides(use_fallback=[node]))
    with pytest.raises(GraphError, match="no node `other`"):
        shop().with_overrides(Overrides(use_fallback=["other"]))
    with pytest.raises(GraphError, match="no variants"):
        varied("x", {}, choose)
