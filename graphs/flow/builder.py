"""Putting a graph together: the arguments of a node are its edges."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast, overload

from graphs.errors import GraphError
from graphs.flow.checking import check_nodes
from graphs.flow.graph import Graph, StreamGraph
from graphs.flow.nodes import AsyncCall, ChoiceNode, GraphNode, ShadowNode
from graphs.flow.overrides import with_weights
from graphs.flow.plan import REQUEST, edges_of, make_plan
from graphs.flow.slots import Slot, StreamSlot
from graphs.flow.splitting import Branch, select_sticky, select_true
from graphs.flow.spread import SpreadSteps

A = TypeVar("A")
E = TypeVar("E")
F = TypeVar("F")
I = TypeVar("I")  # noqa: E741  # a graph goes from I to O
O = TypeVar("O")  # noqa: E741
T = TypeVar("T")
U = TypeVar("U")


@dataclass
class GraphBuilder(SpreadSteps, Generic[I]):
    """Collects nodes; `build` checks them and returns the graph.

    Every node is named after its callable unless `name=` says otherwise. A node runs as soon as its inputs are there, if its
    value is needed. Every method raises GraphError when a node cannot be added as asked.
    """

    request_type: type[I]

    @property
    def request(self) -> Slot[I]:
        """What the graph is called with."""
        return Slot(REQUEST, self)

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
            GraphError: a node that the output does not need, or an edge whose value the reader's annotations do not take.
        """
        answer, types = self._checked(output)
        return Graph(self.name, make_plan(self._nodes, answer), self.request_type, types[answer])

    def build_stream(self, output: Slot[O], *, items: StreamSlot[E, Any]) -> StreamGraph[I, E, O]:
        """The finished graph, handing out the items of one slot. Nodes that read their sum may follow before the output.

        Raises:
            GraphError: as `build` does.
        """
        answer, types = self._checked(output)
        (source,) = self._sources((items,))
        return StreamGraph(self.name, make_plan(self._nodes, answer, self._emitters(source)), self.request_type, types[answer])

    def _emitters(self, name: str) -> frozenset[str]:
        node = self._nodes[name]
        if isinstance(node, ChoiceNode):
            return frozenset().union(*(self._emitters(branch.source) for branch in node.branches))
        return frozenset((name,))

    def _checked(self, output: Slot[Any]) -> tuple[str, Mapping[str, object]]:
        (answer,) = self._sources((output,))
        needed, frontier = {REQUEST}, [answer]
        while frontier:
            name = frontier.pop()
            if name not in needed:
                needed.add(name)
                frontier += edges_of(self._nodes[name])
        idle = [node.name for node in self._nodes.values() if not isinstance(node, ShadowNode) and node.name not in needed]
        if idle:
            raise GraphError(f"the answer of graph `{self.name}` does not need {', '.join(idle)}: read it, make it a shadow, or remove it")
        return answer, check_nodes(self.name, self.request_type, self._nodes)
