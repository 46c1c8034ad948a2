"""A graph in the variants that its experiment asks for."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Self

from deployments.loading import load_ranker
from deployments.local import LocalRanker
from deployments.settings import ExperimentConfig, RankerConfig, VariantConfig
from graphs.errors import GraphError
from graphs.flow import Choose, Graph, Overrides, varied
from graphs.ports import Ranker
from models.types import ArtifactError

AnyGraph = Graph[Any, Any]
Chooser = Callable[[str, ExperimentConfig], Choose]  # of an experiment by its name and the settings that its graph is built from
ByRanker = Callable[[Ranker], AnyGraph]  # the same graph over another ranker


async def nobody(_request: object) -> None:
    """Chooses the control for everybody."""


@dataclass(frozen=True, slots=True)
class Arms:
    """The enabled experiments while graphs are built."""

    experiments: Mapping[str, ExperimentConfig] = field(default_factory=dict)
    rankers: Mapping[str, Ranker] = field(default_factory=dict)  # by the folder that a variant names
    chooser: Chooser = lambda _name, _config: nobody

    @classmethod
    async def load(cls, experiments: Mapping[str, ExperimentConfig], chooser: Chooser) -> Self:
        """With the rankers that variants name, loaded on a thread. Raises GraphError for a folder that holds none."""
        rankers: dict[str, Ranker] = {}
        for name, experiment in experiments.items():
            for label, variant in experiment.variants.items():
                if experiment.enabled and variant.recommender is not None and variant.recommender not in rankers:
                    rankers[variant.recommender] = await _ranker(variant.recommender, f"experiment `{name}`, variant `{label}`")
        return cls(experiments, rankers, chooser)

    def of(self, graph: AnyGraph, by_ranker: ByRanker | None = None) -> AnyGraph:
        """The graph, or all its variants in one where an experiment is on it. Raises GraphError for what a variant cannot change."""
        found = ((name, one) for name, one in self.experiments.items() if one.enabled and one.graph == graph.name)
        name, experiment = next(found, (None, None))
        if name is None or experiment is None:
            return graph
        _require_viewers(name, graph)
        variants: dict[str, AnyGraph] = {}
        for label, variant in experiment.variants.items():
            try:
                variants[label] = self._variant(graph, variant, by_ranker)
            except GraphError as error:
                raise GraphError(f"experiment `{name}`, variant `{label}`: {error}") from error
        return varied(name, variants, self.chooser(name, experiment))

    def require_graphs(self, known: Mapping[str, object]) -> None:
        """Raises GraphError for an experiment on a graph that does not exist, enabled or not."""
        for name, experiment in self.experiments.items():
            if experiment.graph not in known:
                raise GraphError(f"experiment `{name}` is on the graph `{experiment.graph}`; there are {', '.join(sorted(known))}")

    def _variant(self, graph: AnyGraph, variant: VariantConfig, by_ranker: ByRanker | None) -> AnyGraph:
        base = graph
        if variant.recommender is not None:
            if by_ranker is None:
                raise GraphError(f"graph `{graph.name}` has no ranker, so `recommender` means nothing; graph `recommend` has one")
            base = by_ranker(self.rankers[variant.recommender])
        changes = Overrides(timeouts_s=variant.timeouts_s, splits=variant.splits, use_fallback=variant.use_fallback)
        return base.with_overrides(changes)


def _require_viewers(name: str, graph: AnyGraph) -> None:
    taken = graph.takes
    if not (isinstance(taken, type) and is_dataclass(taken) and "viewer_id" in {one.name for one in fields(taken)}):
        raise GraphError(f"experiment `{name}`: requests to graph `{graph.name}` name no viewer, so nobody could be assigned")


async def _ranker(folder: str, where: str) -> Ranker:
    try:
        return LocalRanker(await asyncio.to_thread(load_ranker, RankerConfig(recommender=folder)))
    except ArtifactError as error:
        raise GraphError(f"{where}: {error}; nothing was changed") from error
