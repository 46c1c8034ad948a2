"""Can a version that was just loaded serve? It is asked once before anybody else asks it."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from models.recommend.behaviour import Behaviour
from models.recommend.learned import LearnedSources
from models.recommend.ranker import Ranker
from models.types import ArtifactError, Candidate, Event, EventId, ProductId, RankRequest, ViewerId

_VIEWER = ViewerId("probe")
_ASKED = 10  # products of each list


def probe_candidates(behaviour: Behaviour, learned: LearnedSources, folder: Path) -> None:
    """Raises ArtifactError when candidates for a viewer of the first products cannot be found, or have scores that are no numbers."""
    history = _clicks(behaviour.ids[:_ASKED])

    def scores() -> list[float]:
        found = (source.candidates(history, (), k=_ASKED, exclude=()) for source in (behaviour, learned))
        return [candidate.score for several in found for candidate in several]

    _check(scores, folder)


def probe_ranker(ranker: Ranker, folder: Path) -> None:
    """Raises ArtifactError when its own first products cannot be ranked, or have scores that are no numbers."""
    products = ranker.ids[:_ASKED]
    candidates = tuple(Candidate(product_id, "popular", 1.0) for product_id in products)
    request = RankRequest(_VIEWER, _clicks(products[:3]), candidates, (), (), datetime.now(UTC))
    _check(lambda: [item.score for item in ranker.rank(request)], folder)


def _clicks(products: Sequence[ProductId]) -> tuple[Event, ...]:
    now = datetime.now(UTC)
    return tuple(Event(EventId(f"probe-{place}"), _VIEWER, "click", now, product_id=p) for place, p in enumerate(products))


def _check(scores: Callable[[], list[float]], folder: Path) -> None:
    try:
        found = scores()
    except Exception as error:
        raise ArtifactError(f"{folder} cannot be asked ({type(error).__name__}: {error}); train it again") from error
    if not all(math.isfinite(score) for score in found):
        raise ArtifactError(f"{folder} gives scores that are no numbers; train it again")
