"""Overrides, splits, pictures and descriptions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.errors import GraphError
from graphs.flow import EdgeDescription, Graph, GraphBuilder, NodeDescription, Overrides
from graphs.flow.splitting import sticky_index


async def search(text: str) -> list[str]:
    return [text]


async def rank(items: list[str]) -> tuple[str, ...]:
    return tuple(items)


async def rank_deep(items: list[str]) -> tuple[str, ...]:
    return tuple(reversed(items))


async def enrich(item: str, text: str) -> str:
    return item + text


def nothing_found(_: str) -> list[str]:
    return []


def is_question(text: str) -> bool:
    return text.endswith("?")


def key(text: str) -> str:
    return text


def shop() -> Graph[str, tuple[str, ...]]:
    b = GraphBuilder("shop", str)
    found = b.add(search, b.request, timeout_s=0.5, fallback=nothing_found)
    variants = {"plain": b.add(rank, found, timeout_s=0.2), "deep": b.add(rank_deep, found, timeout_s=0.3)}
    ranked = b.split("ranker", b.apply(key, b.request), variants=variants, weights={"plain": 9, "deep": 1})
    rich = b.map(enrich, ranked, b.request, timeout_s=1, concurrency=4)
    b.shadow(rank_deep, found, timeout_s=1, grace_s=0.1, name="candidate")
    return b.build(b.when(b.apply(is_question, b.request), then=rich, otherwise=ranked))


def described(graph: Graph[str, tuple[str, ...]], name: str) -> NodeDescription:
    return next(node for node in graph.describe().nodes if node.name == name)


async def test_overrides_change_a_copy() -> None:
    graph = shop()
    changed = graph.with_overrides(
        Overrides(timeouts_s={"rank": 0.7}, fallbacks={"search": False}, splits={"ranker": {"plain": 0, "deep": 1}})
    )
    assert described(changed, "rank").timeout_s == 0.7
    assert described(changed, "search").fallback is None
    assert described(changed, "ranker").detail == "plain 0%, deep 100%"
    assert described(graph, "rank").timeout_s == 0.2
    assert (await changed.run("x", budget_s=1)).variants == {"ranker": "deep"}


def test_switching_a_fallback_on_leaves_it() -> None:
    assert described(shop().with_overrides(Overrides(fallbacks={"search": True})), "search").fallback == "nothing_found"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (Overrides(timeouts_s={"serach": 1}), r"no node `serach`; its nodes are candidate, enrich, is_question, key"),
        (Overrides(fallbacks={"rank": False}), "`rank` has no fallback to switch off"),
        (Overrides(fallbacks={"rank": True}), "`rank` has no fallback to switch on"),
        (Overrides(fallbacks={"ranker": False}), "`ranker` has no fallback"),
        (Overrides(timeouts_s={"key": 1}), "`key` is a plain function"),
        (Overrides(timeouts_s={"rank": 0}), "seconds above 0"),
        (Overrides(splits={"rank": {"a": 1}}), "`rank` is no split"),
        (Overrides(splits={"when_is_question": {"yes": 1, "no": 1}}), "is no split"),
        (Overrides(splits={"ranker": {"plain": 1}}), "has the variants plain, deep"),
    ],
)
def test_overrides_that_fit_nothing_are_refused(overrides: Overrides, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        shop().with_overrides(overrides)


def test_a_graph_describes_itself() -> None:
    graph = shop().describe()
    assert graph.nodes[0] == NodeDescription("search", "await", 0.5, "nothing_found")
    assert [node.kind for node in graph.nodes] == ["await", "await", "await", "apply", "split", "map", "shadow", "apply", "when"]
    assert EdgeDescription("rank", "ranker", "plain") in graph.edges
    assert EdgeDescription("request", "search") in graph.edges
    assert graph.output == "when_is_question"


def test_the_picture_shows_what_runs() -> None:
    picture = shop().mermaid()
    assert picture.startswith("flowchart LR\n")
    assert 'n_search["search<br/>0.5 s<br/>else nothing_found"]' in picture
    assert 'n_enrich[["enrich<br/>1 s<br/>each, 4 at a time"]]' in picture
    assert 'n_ranker{"ranker<br/>plain 90%, deep 10%"}' in picture
    assert "n_rank -->|plain| n_ranker" in picture
    assert "n_search -.-> n_candidate" in picture
    assert "n_when_is_question --> answer" in picture


@given(st.text(max_size=20), st.text(max_size=10), st.lists(st.floats(0, 100), min_size=1, max_size=5).filter(lambda w: sum(w) > 0))
@settings(deadline=None)
def test_a_split_is_stable_and_never_draws_a_weight_of_zero(viewer: str, salt: str, weights: list[float]) -> None:
    index = sticky_index(viewer, salt, weights)
    assert index == sticky_index(viewer, salt, weights)
    assert weights[index] > 0


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4).filter(any), st.text(max_size=10))
@settings(deadline=None)
def test_a_split_honours_its_weights(weights: list[int], salt: str) -> None:
    drawn = [sticky_index(f"viewer-{number}", salt, weights) for number in range(2000)]
    for index, weight in enumerate(weights):
        assert abs(drawn.count(index) / 2000 - weight / sum(weights)) < 0.07


@given(st.text(max_size=20), st.integers(0, 100), st.integers(0, 100))
@settings(deadline=None)
def test_raising_a_weight_moves_no_key_away_from_it(viewer: str, low: int, more: int) -> None:
    low, high = min(low, low + more), min(100, low + more)
    if sticky_index(viewer, "s", [low, 100 - low]) == 0 and low:
        assert sticky_index(viewer, "s", [high, 100 - high]) == 0


def test_the_draw_is_the_same_on_every_machine_and_in_every_version() -> None:
    assert [sticky_index(f"viewer-{number}", "ranker", [0.5, 0.5]) for number in range(8)] == [0, 1, 1, 1, 0, 0, 0, 0]
