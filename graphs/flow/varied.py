"""A graph in several variants: each request is run by one of them, chosen for it, and says by which."""

import dataclasses
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar, cast

from graphs.errors import GraphError
from graphs.flow.graph import Graph, StreamGraph
from graphs.flow.overrides import Overrides
from graphs.flow.spans import Run, SpansHook

I_contra = TypeVar("I_contra", contravariant=True)
O_co = TypeVar("O_co", covariant=True)
E_co = TypeVar("E_co", covariant=True)

Choose = Callable[[object], Awaitable[str | None]]  # request -> label of its variant; None: the first one, and nobody is told


@dataclass(frozen=True, kw_only=True)
class VariedGraph(Graph[I_contra, O_co], Generic[I_contra, O_co]):
    """Runs, nested or by itself, as one graph; drawn and described as its first variant. Make it with `varied`."""

    experiment: str
    variants: Mapping[str, Graph[I_contra, O_co]]
    choose: Choose  # a label that is no variant counts as None

    async def run(self, request: I_contra, *, budget_s: float) -> Run[O_co]:
        """As `Graph.run`; `Run.variants` names the experiment and the variant."""
        began_at = time.monotonic()
        label = await self._chosen(request)
        run = await self._variant(label).run(request, budget_s=budget_s - (time.monotonic() - began_at))
        return self._marked(run, label)

    def with_overrides(self, overrides: Overrides) -> Self:
        """Every variant with these changes."""
        return self._each(lambda graph: graph.with_overrides(overrides))

    def observed_by(self, on_spans: SpansHook) -> Self:
        return self._each(lambda graph: graph.observed_by(on_spans))

    async def _chosen(self, request: object) -> str | None:
        label = await self.choose(request)
        return label if label in self.variants else None

    def _variant(self, label: str | None) -> Graph[I_contra, O_co]:
        return next(iter(self.variants.values())) if label is None else self.variants[label]

    def _marked(self, run: Run[O_co], label: str | None) -> Run[O_co]:
        return run if label is None else dataclasses.replace(run, variants={**run.variants, self.experiment: label})

    def _each(self, change: Callable[[Graph[I_contra, O_co]], Graph[I_contra, O_co]]) -> Self:
        changed = {label: change(graph) for label, graph in self.variants.items()}
        first = next(iter(changed.values()))
        return dataclasses.replace(self, plan=first.plan, on_spans=first.on_spans, variants=changed)


@dataclass(frozen=True, kw_only=True)
class VariedStreamGraph(VariedGraph[I_contra, O_co], StreamGraph[I_contra, E_co, O_co], Generic[I_contra, E_co, O_co]):
    async def stream(self, request: I_contra, *, budget_s: float) -> AsyncGenerator[E_co | Run[O_co], None]:
        """As `StreamGraph.stream`, by the variant that `run` would take."""
        began_at = time.monotonic()
        label = await self._chosen(request)
        chosen = cast(StreamGraph[I_contra, E_co, O_co], self._variant(label))
        async with aclosing(chosen.stream(request, budget_s=budget_s - (time.monotonic() - began_at))) as items:
            async for item in items:
                yield self._marked(item, label) if isinstance(item, Run) else item


def varied(experiment: str, variants: Mapping[str, Graph[Any, Any]], choose: Choose) -> Graph[Any, Any]:
    """One graph of these variants, which take and give the same. Raises GraphError when there is none."""
    if not variants:
        raise GraphError(f"experiment `{experiment}` has no variants")
    first = next(iter(variants.values()))
    kind = VariedStreamGraph if isinstance(first, StreamGraph) else VariedGraph
    return kind(first.name, first.plan, first.takes, first.gives, experiment=experiment, variants=dict(variants), choose=choose)
