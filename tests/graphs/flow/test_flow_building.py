"""What `build` refuses, and what the refusal says."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NewType

import pytest

from graphs.errors import GraphError
from graphs.flow import GraphBuilder

ProductId = NewType("ProductId", str)


async def length(text: str) -> int:
    return len(text)


async def shelf_of(product: ProductId) -> list[ProductId]:
    return [product]


async def words(text: str) -> list[str]:
    return text.split()


async def add(left: int, right: int) -> int:
    return left + right


def is_long(number: int) -> bool:
    return number > 3


def nothing(_: str) -> str:
    return ""


def same(value: object) -> object:
    return value


def untyped(wrong_slots: object) -> Any:  # noqa: ANN401  # hides a wrong edge from the type checker, as untyped code would
    return wrong_slots


def builder() -> GraphBuilder[str]:
    return GraphBuilder("g", str)


WRONG: dict[str, tuple[Callable[[GraphBuilder[str]], Any], str]] = {
    "a value of another type": (lambda b: b.add(untyped(add), b.request, b.request, timeout_s=1), "`add` of graph `g` takes int"),
    "a plain str where an id is asked": (
        lambda b: b.add(untyped(shelf_of), b.request, timeout_s=1),
        "takes ProductId, but `request` is str",
    ),
    "too few arguments": (lambda b: b.add(untyped(add), b.request, timeout_s=1), "calls `add` with 1 arguments"),
    "items of another type": (
        lambda b: b.map(untyped(shelf_of), b.add(words, b.request, timeout_s=1), timeout_s=1, concurrency=1),
        "takes ProductId, but `words` is str",
    ),
    "a fallback of another type": (lambda b: b.add(length, b.request, timeout_s=1, fallback=untyped(nothing)), "`nothing` answers str"),
    "a condition that is no bool": (lambda b: b.when(untyped(b.request), then=b.request, otherwise=b.request), "takes bool"),
}


@pytest.mark.parametrize("case", WRONG)
def test_contradicting_annotations_are_refused(case: str) -> None:
    make, message = WRONG[case]
    b = builder()
    with pytest.raises(GraphError, match=message):
        b.build(make(b))


def test_values_travel_through_choices_and_graphs_when_checked() -> None:
    inner = builder()
    graph = inner.build(inner.add(length, inner.request, timeout_s=1))
    b = builder()
    nested = b.include(graph, b.request, timeout_s=1, name="nested")
    chosen = b.when(b.apply(is_long, nested), then=nested, otherwise=b.add(length, b.request, timeout_s=1))
    with pytest.raises(GraphError, match="takes ProductId, but `when_is_long` is int"):
        b.build(b.add(untyped(shelf_of), chosen, timeout_s=1))


@pytest.mark.parametrize("callable_", [same, str, len, lambda value: value], ids=["object", "class", "builtin", "lambda"])
def test_what_cannot_be_judged_passes(callable_: Callable[[Any], object]) -> None:
    b = builder()
    b.build(b.apply(callable_, b.request, name="node"))


def test_a_method_may_be_a_node() -> None:
    class Counter:
        async def count(self, text: str) -> int:
            return len(text)

        async def __call__(self, number: int) -> int:
            return number

    b = builder()
    graph = b.build(b.add(Counter(), b.add(Counter().count, b.request, timeout_s=1), timeout_s=1))
    assert [node.name for node in graph.describe().nodes] == ["count", "Counter"]


def test_a_nodes_name_is_taken_once() -> None:
    b = builder()
    b.add(length, b.request, timeout_s=1)
    with pytest.raises(GraphError, match="already has a node `length`"):
        b.add(length, b.request, timeout_s=1)


def test_a_slot_of_another_graph_is_refused() -> None:
    with pytest.raises(GraphError, match="belongs to another graph"):
        builder().add(length, builder().request, timeout_s=1)


def test_a_node_that_the_answer_does_not_need_is_refused() -> None:
    b = builder()
    b.add(length, b.request, timeout_s=1)
    with pytest.raises(GraphError, match="does not need length"):
        b.build(b.add(words, b.request, timeout_s=1))


def test_a_node_read_only_by_a_shadow_is_refused() -> None:
    b = builder()
    b.shadow(add, *[b.add(length, b.request, timeout_s=1)] * 2, timeout_s=1)
    with pytest.raises(GraphError, match="does not need length"):
        b.build(b.request)


@pytest.mark.parametrize("timeout_s", [0.0, -1.0, float("nan")])
def test_a_timeout_is_above_zero(timeout_s: float) -> None:
    b = builder()
    with pytest.raises(GraphError, match="seconds above 0"):
        b.add(length, b.request, timeout_s=timeout_s)


def test_a_map_needs_a_worker() -> None:
    b = builder()
    with pytest.raises(GraphError, match="at least 1"):
        b.map(length, b.add(words, b.request, timeout_s=1), timeout_s=1, concurrency=0)


@pytest.mark.parametrize(
    "weights", [{"a": 1.0}, {"a": 1.0, "c": 1.0}, {"a": 0.0, "b": 0.0}, {"a": -1.0, "b": 2.0}, {"a": float("nan"), "b": 1.0}]
)
def test_weights_name_every_variant_and_add_up_to_something(weights: dict[str, float]) -> None:
    b = builder()
    with pytest.raises(GraphError, match=r"variants|weights"):
        b.split("s", b.request, variants={"a": b.request, "b": b.request}, weights=weights)


def test_sequences_and_unions_fit_as_a_type_checker_has_it() -> None:
    def mean(numbers: Sequence[float]) -> float | None:
        return sum(numbers) / len(numbers) if numbers else None

    def shown(number: float | None, _: object) -> str:
        return str(number)

    b = builder()
    lengths = b.map(length, b.add(words, b.request, timeout_s=1), timeout_s=1, concurrency=1)
    b.build(b.apply(shown, b.apply(mean, lengths), b.request))


def later(call: Callable[[str], Awaitable[int]]) -> Callable[[str], Awaitable[int]]:
    return call


def test_a_callable_that_answers_an_awaitable_is_checked_by_what_it_promises() -> None:
    def promised(text: str) -> Awaitable[int]:
        return length(text)

    b = builder()
    with pytest.raises(GraphError, match="takes ProductId, but `promised` is int"):
        b.build(b.add(untyped(shelf_of), b.add(promised, b.request, timeout_s=1), timeout_s=1))
