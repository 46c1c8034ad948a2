"""Sources of candidates that were learnt from whole histories: which of them serve is what the artifact's manifest says."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast, get_args

from models.artifacts import read_manifest
from models.recommend.als_source import AlsSource
from models.recommend.sequence_source import SequenceSource
from models.types import Candidate, Event, LearnedKind, ProductId


class LearnedSource(Protocol):
    """Stateless between calls, safe from any thread. The history of a request is all it knows of a viewer."""

    @property
    def kind(self) -> LearnedKind: ...

    def candidates(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        """At most `k`, best first; none for a viewer of whom nothing is known."""
        ...

    def save(self, folder: Path) -> None:
        """Into an existing folder; the caller writes the manifest."""
        ...


class LearnedSources:
    """Those that serve, asked one after the other."""

    def __init__(self, sources: Iterable[LearnedSource] = ()) -> None:
        self._sources = tuple(sources)

    @property
    def kinds(self) -> tuple[LearnedKind, ...]:
        return tuple(source.kind for source in self._sources)

    def only(self, kinds: Collection[LearnedKind]) -> "LearnedSources":
        return LearnedSources(source for source in self._sources if source.kind in kinds)

    def candidates(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        """At most `k` of each source."""
        return tuple(found for source in self._sources for found in source.candidates(history, context, k=k, exclude=exclude))

    def save(self, folder: Path) -> None:
        for source in self._sources:
            source.save(folder)

    @classmethod
    def load(cls, folder: Path) -> "LearnedSources":
        """Of an opened artifact; an older one, whose manifest names none, has none."""
        verdicts = cast("Mapping[str, Mapping[str, object]]", read_manifest(folder)["data"].get("sources", {}))
        serving = [kind for kind in get_args(LearnedKind) if verdicts.get(kind, {}).get("serves")]
        return cls(_LOADERS[kind].load(folder) for kind in serving)


_LOADERS: Mapping[LearnedKind, type[SequenceSource] | type[AlsSource]] = {"sequence": SequenceSource, "ials": AlsSource}
