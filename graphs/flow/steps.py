"""Adding steps: async nodes and plain functions. One overload for each number of inputs, so that every edge is typed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

from graphs.errors import GraphError
from graphs.flow.drawing import callable_name
from graphs.flow.nodes import ApplyNode, AsyncCall, AwaitNode, Node, RaceNode
from graphs.flow.plan import REQUEST, edges_of
from graphs.flow.slots import Slot

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
F = TypeVar("F")
G = TypeVar("G")
T = TypeVar("T")


@dataclass
class Steps:
    """The nodes of a graph in the making."""

    name: str
    _nodes: dict[str, Node] = field(default_factory=dict, init=False, repr=False)

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
