"""Adding nodes that run more than once, beside the request, or hand out items."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast, overload

from graphs.errors import GraphError
from graphs.flow.drawing import callable_name
from graphs.flow.nodes import AsyncCall, MapNode, RaceNode, ShadowNode, StreamNode
from graphs.flow.slots import Slot, StreamSlot
from graphs.flow.steps import Steps

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
F = TypeVar("F")
G = TypeVar("G")
E = TypeVar("E")
T = TypeVar("T")


@dataclass
class SpreadSteps(Steps):
    """Maps, races, streams and shadows."""

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
    ) -> StreamSlot[T, tuple[T, ...]]: ...
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
    ) -> StreamSlot[T, tuple[T, ...]]: ...
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
    ) -> StreamSlot[T, tuple[T, ...]]: ...
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
    ) -> StreamSlot[T, tuple[T, ...]]: ...
    def map(
        self,
        call: AsyncCall,
        /,
        *inputs: Slot[Any],
        timeout_s: float,
        concurrency: int,
        fallback: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> StreamSlot[Any, Any]:
        """The call for every item of the first slot (further slots are the same for all), in the order of the items.

        `timeout_s` is for all items together. The fallback answers for single items that failed or were not reached. A stream graph
        may hand out the values, each as soon as it and all before it are there.
        """
        if concurrency < 1:
            raise GraphError(f"graph `{self.name}`: a map needs a concurrency of at least 1, not {concurrency}")
        name = name or callable_name(call)
        node = MapNode(name, self._sources(inputs), call, timeout_s, fallback, concurrency=concurrency)
        return StreamSlot(self._register(node).name, self)

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
