"""Putting a graph together: the arguments of a node are its edges."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast, overload

from graphs.errors import GraphError
from graphs.flow.checking import check_nodes
from graphs.flow.drawing import callable_name
from graphs.flow.graph import Graph, StreamGraph
from graphs.flow.nodes import (
    ApplyNode,
    AsyncCall,
    AwaitNode,
    ChoiceNode,
    GraphNode,
    MapNode,
    Node,
    RaceNode,
    ShadowNode,
    StreamNode,
)
from graphs.flow.overrides import with_weights
from graphs.flow.plan import REQUEST, edges_of, make_plan
from graphs.flow.racing import Branch, select_sticky, select_true
from graphs.flow.slots import Slot, StreamSlot

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")
G = TypeVar("G")
I = TypeVar("I")  # noqa: E741  # a graph goes from I to O
O = TypeVar("O")  # noqa: E741
T = TypeVar("T")
U = TypeVar("U")


@dataclass
class GraphBuilder(Generic[I]):
    """Collects nodes; `build` checks them and returns the graph.

    Every node is named after its callable unless `name=` says otherwise. A node runs as soon as its inputs are there, if its
    value is needed. Every method raises GraphError when a node cannot be added as asked.
    """

    name: str
    request_type: type[I]
    _nodes: dict[str, Node] = field(default_factory=dict)

    @property
    def request(self) -> Slot[I]:
        return Slot(REQUEST, self)

    @overload
    def add(
        self,
        call: Callable[[A], Awaitable[T]],
        a: Slot[A],
        /,
        *,
        timeout_s: float,
        hedge_after_s: float | None = None,
        fallback: Callable[[A], T] | None = None,
        name: str | None = None,
    ) -> Slot[T]: ...
    @overload
    def add(
        self,
        call: Callable[[A, B], Awaitable[T]],
        a: Slot[A],
        b: Slot[B],
        /,
        *,
        timeout_s: float,
        hedge_after_s: float | None = None,
        fallback: Callable[[A, B], T] | None = None,
        name: str | None = None,
    ) -> Slot[T]: ...
    @overload
    def add(
        self,
        call: Callable[[A, B, C], Awaitable[T]],
        a: Slot[A],
        b: Slot[B],
        c: Slot[C],
        /,
        *,
        timeout_s: float,
        hedge_after_s: float | None = None,
        fallback: Callable[[A, B, C], T] | None = None,
        name: str | None = None,
    ) -> Slot[T]: ...
    @overload
    def add(
        self,
        call: Callable[[A, B, C, D], Awaitable[T]],
        a: Slot[A],
        b: Slot[B],
        c: Slot[C],
        d: Slot[D],
        /,
        *,
        timeout_s: float,
        hedge_after_s: float | None = None,
        fallback: Callable[[A, B, C, D], T] | None = None,
        name: str | None = None,
    ) -> Slot[T]: ...
    @overload
    def add(
        self,
        call: Callable[[A, B, C, D, F], Awaitable[T]],
        a: Slot[A],
        b: Slot[B],
        c: Slot[C],
        d: Slot[D],
        f: Slot[F],
        /,
        *,
        timeout_s: float,
        hedge_after_s: float | None = None,
        fallback: Callable[[A, B, C, D, F], T] | None = None,
        name: str | None = None,
    ) -> Slot[T]: ...
    @overload
    def add(
        self,
        call: Callable[[A, B, C, D, F, G], Awaitable[T]],
        a: Slot[A],
        b: Slot[B],
        c: Slot[C],
        d: Slot[D],
        f: Slot[F],
        g: Slot[G],
        /,
        *,
        timeout_s: float,
        hedge_after_s: float | None = None,
        fallback: Callable[[A, B, C, D, F, G], T] | None = None,
        name: str | None = None,
    ) -> Slot[T]: ...
    def add(
        self,
        call: AsyncCall,
        /,
        *inputs: Slot[Any],
        timeout_s: float,
        hedge_after_s: float | None = None,
        fallback: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> Slot[Any]:
        """An async node: hard, unless a fallback (a plain function of the same arguments) answers when it fails or is late.

        With `hedge_after_s` a second attempt of an idempotent call starts after that time, and the first success wins.
        """
        sources = self._sources(inputs)
        name = name or callable_name(call)
        if hedge_after_s is None:
            return self._register(AwaitNode(name, sources, call, timeout_s, fallback))
        return self._register(RaceNode(name, sources, call, timeout_s, fallback, second=call, after_s=hedge_after_s))

    @overload
    def apply(
        self, call: Callable[[A], T], a: Slot[A], /, *, fallback: Callable[[A], T] | None = None, name: str | None = None
    ) -> Slot[T]: ...
    @overload
    def apply(
        self, call: Callable[[A, B], T], a: Slot[A], b: Slot[B], /, *, fallback: Callable[[A, B], T] | None = None, name: str | None = None
    ) -> Slot[T]: ...
    @overload
    def apply(
        self,
        call: Callable[[A, B, C], T],
        a: Slot[A],
        b: Slot[B],
        c: Slot[C],
        /,
        *,
        fallback: Callable[[A, B, C], T] | None = None,
        name: str | None = None,
    ) -> Slot[T]: ...
    @overload
    def apply(
        self,
        call: Callable[[A, B, C, D], T],
        a: Slot[A],
        b: Slot[B],
        c: Slot[C],
        d: Slot[D],
        /,
        *,
        fallback: Callable[[A, B, C, D], T] | None = None,
        name: str | None = None,
    ) -> Slot[T]: ...
    @overload
    def apply(
        self,
        call: Callable[[A, B, C, D, F], T],
        a: Slot[A],
        b: Slot[B],
        c: Slot[C],
        d: Slot[D],
        f: Slot[F],
        /,
        *,
        fallback: Callable[[A, B, C, D, F], T] | None = None,
        name: str | None = None,
    ) -> Slot[T]: ...
    @overload
    def apply(
        self,
        call: Callable[[A, B, C, D, F, G], T],
        a: Slot[A],
        b: Slot[B],
        c: Slot[C],
        d: Slot[D],
        f: Slot[F],
        g: Slot[G],
        /,
        *,
        fallback: Callable[[A, B, C, D, F, G], T] | None = None,
        name: str | None = None,
    ) -> Slot[T]: ...
    def apply(
        self, call: Callable[..., Any], /, *inputs: Slot[Any], fallback: Callable[..., Any] | None = None, name: str | None = None
    ) -> Slot[Any]:
        """A plain function of microseconds, called on the event loop: merging, choosing, converting. It has no timeout."""
        return self._register(ApplyNode(name or callable_name(call), self._sources(inputs), call, fallback))

    @overload
    def map(
        self,
        call: Callable[[A], Awaitable[T]],
        items: Slot[Sequence[A]],
        /,
        *,
        timeout_s: float,
        concurrency: int,
        fallback: Callable[[A], T] | None = None,
        name: str | None = None,
    ) -> Slot[tuple[T, ...]]: ...
    @overload
    def map(
        self,
        call: Callable[[A, B], Awaitable[T]],
        items: Slot[Sequence[A]],
        b: Slot[B],
        /,
        *,
        timeout_s: float,
        concurrency: int,
        fallback: Callable[[A, B], T] | None = None,
        name: str | None = None,
    ) -> Slot[tuple[T, ...]]: ...
    @overload
    def map(
        self,
        call: Callable[[A, B, C], Awaitable[T]],
        items: Slot[Sequence[A]],
        b: Slot[B],
        c: Slot[C],
        /,
        *,
        timeout_s: float,
        concurrency: int,
        fallback: Callable[[A, B, C], T] | None = None,
        name: str | None = None,
    ) -> Slot[tuple[T, ...]]: ...
    @overload
    def map(
        self,
        call: Callable[[A, B, C, D], Awaitable[T]],
        items: Slot[Sequence[A]],
        b: Slot[B],
        c: Slot[C],
        d: Slot[D],
        /,
        *,
        timeout_s: float,
        concurrency: int,
        fallback: Callable[[A, B, C, D], T] | None = None,
        name: str | None = None,
    ) -> Slot[tuple[T, ...]]: ...
    def map(
        self,
        call: AsyncCall,
        /,
        *inputs: Slot[Any],
        timeout_s: float,
        concurrency: int,
        fallback: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> Slot[Any]:
        """The call for every item of the first slot (further slots are the same for all), in the order of the items.

        `timeout_s` is for all items together. The fallback answers for single items that failed or were not reached.
        """
        if concurrency < 1:
            raise GraphError(f"graph `{self.name}`: a map needs a concurrency of at least 1, not {concurrency}")
        name = name or callable_name(call)
        return self._register(MapNode(name, self._sources(inputs), call, timeout_s, fallback, concurrency=concurrency))

    @overload
    def race(
        self,
        first: Callable[[A], Awaitable[T]],
        second: Callable[[A], Awaitable[T]],
        a: Slot[A],
        /,
        *,
        timeout_s: float,
        after_s: float = 0.0,
        fallback: Callable[[A], T] | None = None,
        name: str | None = None,
    ) -> Slot[T]: ...
    @overload
    def race(
        self,
        first: Callable[[A, B], Awaitable[T]],
        second: Callable[[A, B], Awaitable[T]],
        a: Slot[A],
        b: Slot[B],
        /,
        *,
        timeout_s: float,
        after_s: float = 0.0,
        fallback: Callable[[A, B], T] | None = None,
        name: str | None = None,
    ) -> Slot[T]: ...
    @overload
    def race(
        self,
        first: Callable[[A, B, C], Awaitable[T]],
        second: Callable[[A, B, C], Awaitable[T]],
        a: Slot[A],
        b: Slot[B],
        c: Slot[C],
        /,
        *,
        timeout_s: float,
        after_s: float = 0.0,
        fallback: Callable[[A, B, C], T] | None = None,
        name: str | None = None,
    ) -> Slot[T]: ...
    def race(
        self,
        first: AsyncCall,
        second: AsyncCall,
        /,
        *inputs: Slot[Any],
        timeout_s: float,
        after_s: float = 0.0,
        fallback: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> Slot[Any]:
        """Two ways to the same value: the second starts `after_s` later, or when the first fails; the loser is cancelled."""
        name = name or callable_name(first)
        return self._register(RaceNode(name, self._sources(inputs), first, timeout_s, fallback, second=second, after_s=after_s))

    @overload
    def stream(
        self,
        call: Callable[[A], AsyncIterator[E]],
        a: Slot[A],
        /,
        *,
        reduce: Callable[[Sequence[E]], T],
        timeout_s: float,
        first_item_timeout_s: float | None = None,
        fallback: Callable[[A], Sequence[E]] | None = None,
        name: str | None = None,
    ) -> StreamSlot[E, T]: ...
    @overload
    def stream(
        self,
        call: Callable[[A, B], AsyncIterator[E]],
        a: Slot[A],
        b: Slot[B],
        /,
        *,
        reduce: Callable[[Sequence[E]], T],
        timeout_s: float,
        first_item_timeout_s: float | None = None,
        fallback: Callable[[A, B], Sequence[E]] | None = None,
        name: str | None = None,
    ) -> StreamSlot[E, T]: ...
    @overload
    def stream(
        self,
        call: Callable[[A, B, C], AsyncIterator[E]],
        a: Slot[A],
        b: Slot[B],
        c: Slot[C],
        /,
        *,
        reduce: Callable[[Sequence[E]], T],
        timeout_s: float,
        first_item_timeout_s: float | None = None,
        fallback: Callable[[A, B, C], Sequence[E]] | None = None,
        name: str | None = None,
    ) -> StreamSlot[E, T]: ...
    @overload
    def stream(
        self,
        call: Callable[[A, B, C, D], AsyncIterator[E]],
        a: Slot[A],
        b: Slot[B],
        c: Slot[C],
        d: Slot[D],
        /,
        *,
        reduce: Callable[[Sequence[E]], T],
        timeout_s: float,
        first_item_timeout_s: float | None = None,
        fallback: Callable[[A, B, C, D], Sequence[E]] | None = None,
        name: str | None = None,
    ) -> StreamSlot[E, T]: ...
    @overload
    def stream(
        self,
        call: Callable[[A, B, C, D, F], AsyncIterator[E]],
        a: Slot[A],
        b: Slot[B],
        c: Slot[C],
        d: Slot[D],
        f: Slot[F],
        /,
        *,
        reduce: Callable[[Sequence[E]], T],
        timeout_s: float,
        first_item_timeout_s: float | None = None,
        fallback: Callable[[A, B, C, D, F], Sequence[E]] | None = None,
        name: str | None = None,
    ) -> StreamSlot[E, T]: ...
    def stream(
        self,
        call: Callable[..., AsyncIterator[Any]],
        /,
        *inputs: Slot[Any],
        reduce: Callable[[Sequence[Any]], Any],
        timeout_s: float,
        first_item_timeout_s: float | None = None,
        fallback: Callable[..., Sequence[Any]] | None = None,
        name: str | None = None,
    ) -> StreamSlot[Any, Any]:
        """An async generator; its value is `reduce` of its items. The fallback answers items, while none has been handed out."""
        node = StreamNode(
            name or callable_name(call),
            self._sources(inputs),
            cast(AsyncCall, call),
            timeout_s,
            fallback,
            first_item_timeout_s=first_item_timeout_s,
            reduce=reduce,
        )
        return StreamSlot(self._register(node).name, self)

    @overload
    def shadow(
        self, call: Callable[[A], Awaitable[object]], a: Slot[A], /, *, timeout_s: float, grace_s: float = 0.0, name: str | None = None
    ) -> None: ...
    @overload
    def shadow(
        self,
        call: Callable[[A, B], Awaitable[object]],
        a: Slot[A],
        b: Slot[B],
        /,
        *,
        timeout_s: float,
        grace_s: float = 0.0,
        name: str | None = None,
    ) -> None: ...
    @overload
    def shadow(
        self,
        call: Callable[[A, B, C], Awaitable[object]],
        a: Slot[A],
        b: Slot[B],
        c: Slot[C],
        /,
        *,
        timeout_s: float,
        grace_s: float = 0.0,
        name: str | None = None,
    ) -> None: ...
    def shadow(self, call: AsyncCall, /, *inputs: Slot[Any], timeout_s: float, grace_s: float = 0.0, name: str | None = None) -> None:
        """Runs beside the request when its inputs are there; result and errors go to the trace only.

        It belongs to the request: once the answer is ready it gets `grace_s` more (which the answer waits for), at most the
        rest of the deadline, and is then cancelled and awaited.
        """
        self._register(ShadowNode(name or callable_name(call), self._sources(inputs), call, timeout_s, grace_s=grace_s))

    def include(
        self,
        graph: Graph[A, T],
        request: Slot[A],
        /,
        *,
        timeout_s: float,
        fallback: Callable[[A], T] | None = None,
        name: str | None = None,
    ) -> Slot[T]:
        """Another graph as a node: same deadline, its spans as `name/node`, its variants and its degradation handed up."""
        nested = cast(Graph[object, object], graph)
        call = cast(AsyncCall, graph.run)
        return self._register(GraphNode(name or graph.name, self._sources((request,)), call, timeout_s, fallback, graph=nested))

    @overload
    def when(
        self, condition: Slot[bool], /, *, then: StreamSlot[E, T], otherwise: StreamSlot[F, U], name: str | None = None
    ) -> StreamSlot[E | F, T | U]: ...
    @overload
    def when(self, condition: Slot[bool], /, *, then: Slot[T], otherwise: Slot[U], name: str | None = None) -> Slot[T | U]: ...
    def when(self, condition: Slot[bool], /, *, then: Slot[Any], otherwise: Slot[Any], name: str | None = None) -> Slot[Any]:
        """The value of one of two slots. What only the other one needs is skipped; what both need runs meanwhile."""
        (source,) = self._sources((condition,))
        sources = self._sources((then, otherwise))
        branches = (Branch("yes", sources[0]), Branch("no", sources[1]))
        slot = self._register(ChoiceNode(name or f"when_{source}", (source,), branches, select_true))
        return StreamSlot(slot.name, self) if isinstance(then, StreamSlot) and isinstance(otherwise, StreamSlot) else slot

    @overload
    def split(
        self, name: str, key: Slot[str], /, *, variants: Mapping[str, StreamSlot[E, T]], weights: Mapping[str, float]
    ) -> StreamSlot[E, T]: ...
    @overload
    def split(self, name: str, key: Slot[str], /, *, variants: Mapping[str, Slot[T]], weights: Mapping[str, float]) -> Slot[T]: ...
    def split(self, name: str, key: Slot[str], /, *, variants: Mapping[str, Slot[Any]], weights: Mapping[str, float]) -> Slot[Any]:
        """An experiment: the same key gets the same variant everywhere, as often as the weights say; see `Run.variants`."""
        (source,) = self._sources((key,))
        sources = self._sources(tuple(variants.values()))
        branches = tuple(Branch(label, branch) for label, branch in zip(variants, sources, strict=True))
        node = ChoiceNode(name, (source,), branches, select_sticky(name), is_split=True)
        slot = self._register(with_weights(node, weights))
        return StreamSlot(slot.name, self) if all(isinstance(v, StreamSlot) for v in variants.values()) else slot

    def build(self, output: Slot[O]) -> Graph[I, O]:
        """The finished graph.

        Raises:
            GraphError: a node that nothing reads, or an edge whose value the reader's annotations do not take.
        """
        self._check(output)
        return Graph(self.name, make_plan(self._nodes, output.name))

    def build_stream(self, output: Slot[O], *, items: StreamSlot[E, Any]) -> StreamGraph[I, E, O]:
        """The finished graph, handing out the items of one slot. Nodes that read their sum may follow before the output."""
        self._check(output)
        self._sources((items,))
        return StreamGraph(self.name, make_plan(self._nodes, output.name, self._emitters(items.name)))

    def _emitters(self, name: str) -> frozenset[str]:
        node = self._nodes[name]
        if isinstance(node, ChoiceNode):
            return frozenset().union(*(self._emitters(branch.source) for branch in node.branches))
        return frozenset((name,))

    def _check(self, output: Slot[Any]) -> None:
        (answer,) = self._sources((output,))
        read = {source for node in self._nodes.values() for source in edges_of(node)} | {answer}
        unread = [node.name for node in self._nodes.values() if node.name not in read and not isinstance(node, ShadowNode)]
        if unread:
            raise GraphError(f"graph `{self.name}` never reads {', '.join(unread)}: use the value, make it a shadow, or remove the node")
        check_nodes(self.name, self.request_type, self._nodes)

    def _sources(self, slots: Sequence[Slot[Any]]) -> tuple[str, ...]:
        for slot in slots:
            if slot.owner is not self:
                raise GraphError(f"slot `{slot.name}` belongs to another graph than `{self.name}`")
        return tuple(slot.name for slot in slots)

    def _register(self, node: Node) -> Slot[Any]:
        if node.name in self._nodes or node.name == REQUEST:
            raise GraphError(f"graph `{self.name}` already has a node `{node.name}`: give this one another `name=`")
        if not edges_of(node):
            raise GraphError(f"node `{node.name}` of graph `{self.name}` reads nothing: a node needs at least one slot")
        if isinstance(node, AwaitNode) and not node.timeout_s > 0:
            raise GraphError(f"node `{node.name}` of graph `{self.name}`: a timeout is seconds above 0, not {node.timeout_s}")
        self._nodes[node.name] = node
        return Slot(node.name, self)
