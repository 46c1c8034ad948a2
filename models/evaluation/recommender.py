"""How well the recommender foresees what viewers do: full ranking over all candidates, later events of viewers it never saw."""

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.artifacts import open_artifact, read_manifest
from models.evaluation.rooms import evaluate_rooms
from models.interactions.event_log import EventLog, Histories
from models.recommend.behaviour import Behaviour
from models.recommend.history import FORESEEN, Log
from models.recommend.learned import LearnedSources
from models.recommend.passages import TextEmbedder
from models.recommend.ranker import Ranker
from models.recommend.retriever import ShopIndex
from models.recommend.rooms import RoomRanker, load_weights
from models.recommend.sources import Sources
from models.recommend.surroundings import Screen, Surroundings
from models.types import Event, Product, ProductId, RankRequest, Room, ViewerId

ACTED = ("click", "cart", "purchase")
MOST_VIEWERS = 5_000  # who are asked
JUDGED = "judged"  # folder in an artifact that was fitted again on all events: as it was when it was judged
KNOWN_UNTIL = "known_until"  # of a manifest's data: the time before which all lies that the artifact was fitted on
RANKINGS = ("pipeline", "popularity", "bought_together", "similar_to", "reciprocal_rank")


def ndcg(ranking: Sequence[ProductId], relevant: Collection[ProductId], k: int = 10) -> float:
    """Normalised discounted cumulative gain with binary relevance, 0..1 (Järvelin and Kekäläinen 2002).

    >>> ndcg(("a", "b", "c"), {"a", "b"})
    1.0
    >>> round(ndcg(("c", "a"), {"a"}), 3)
    0.631
    """
    gained = sum(1.0 / math.log2(place + 2) for place, product_id in enumerate(ranking[:k]) if product_id in relevant)
    best = sum(1.0 / math.log2(place + 2) for place in range(min(k, len(relevant))))
    return gained / best if best else 0.0


def area_under_curve(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    """Probability that a positive scores above a negative, ties counting half; 0.5 where one of them is missing.

    >>> area_under_curve(np.array([0.1, 0.9]), np.array([False, True]))
    1.0
    """
    positive, negative = scores[labels], scores[~labels]
    if not len(positive) or not len(negative):
        return 0.5
    above = (positive[:, None] > negative).mean() + 0.5 * (positive[:, None] == negative).mean()
    return float(above)


def side_by_side(new: Path, old: Path | None) -> tuple[dict[str, Path], datetime | None]:
    """The folders to evaluate so that the comparison is fair, and the time from which on neither knows what happened.

    Of a version that was fitted again on all events this is what it was before. None: the manifests do not say.
    """
    folders = {"new": new} if old is None else {"new": new, "old": old / JUDGED if (old / JUDGED).is_dir() else old}
    told = [read_manifest(folder)["data"].get(KNOWN_UNTIL) for folder in folders.values()]
    return folders, max((datetime.fromisoformat(str(at)) for at in told if at is not None), default=None)


def evaluate_artifact(  # noqa: PLR0913  # a folder, a log and what serving is made of
    location: str | Path,
    events: EventLog,
    products: Sequence[Product],
    rooms: Sequence[Room],
    *,
    embedder: TextEmbedder,
    screen: Screen,
    viewers: int = MOST_VIEWERS,
    at: datetime | None = None,
) -> dict[str, float]:
    """Scores of a trained folder on a log: histories from before `at`, outcomes from then on, of at most `viewers` viewers, who are the
    same for every folder. Without `at` the last quarter is foreseen.

    Popularity is the folder's own. Raises ArtifactError for a folder that cannot be used, ValueError for a log without viewers.
    """
    folder = open_artifact(location, kind="recommender", schema=1)
    everybody = Histories(events)
    if not len(everybody):
        raise ValueError("no events of viewers to evaluate on; import events first or simulate some")
    behaviour = Behaviour.load(folder)
    shop = ShopIndex(embedder, picture_dim=1, factor_dim=behaviour.factor_dim)
    shop.put_products(products)
    shop.put_factors(behaviour.item_vectors())
    at, asked = at or everybody.moment(0.75), everybody.some(viewers, 0)
    sources = Sources(behaviour, shop, LearnedSources.load(folder))
    scores = evaluate(asked, Surroundings(events, rooms, screen), sources, Ranker.load(folder), at)
    return {**scores, **evaluate_rooms(asked, rooms, RoomRanker(shop, load_weights(folder)), at)}


def evaluate(log: Log, surroundings: Surroundings, sources: Sources, ranker: Ranker, at: datetime) -> dict[str, float]:
    """Each viewer's history before `at` against all products they clicked, put into the cart or bought from then on.

    Returns nDCG@10 of the pipeline and of its parts alone (means over viewers with a past and a future), and for the sessions that
    follow the ranker's GAUC, log-loss and expected calibration error of P(click) within an hour.
    """
    cases = [(viewer_id, *_split(events, at)) for viewer_id, events in sorted(log.items())]
    usable = [(viewer_id, past, after) for viewer_id, past, after in cases if past and _acted(after)]
    scores = defaultdict[str, list[float]](list)
    for viewer_id, past, after in usable:
        request = sources.request(viewer_id, past, (), (), at)
        for name, ranking in _rankings(request, ranker, sources).items():
            scores[name].append(ndcg(ranking, _acted(after)))
    metrics = {f"ndcg_at_10_{name}": float(np.mean(scores[name])) if usable else 0.0 for name in (*RANKINGS, *sources.learned.kinds)}
    popularity = metrics["ndcg_at_10_popularity"]
    metrics["lift_over_popularity"] = metrics["ndcg_at_10_pipeline"] / popularity if popularity else 0.0
    return {**metrics, "viewers": float(len(usable)), **_probabilities(usable, surroundings, sources, ranker)}


def _split(events: Sequence[Event], at: datetime) -> tuple[list[Event], list[Event]]:
    return [event for event in events if event.at < at], [event for event in events if event.at >= at]


def _acted(events: Sequence[Event]) -> frozenset[ProductId]:
    return frozenset(event.product_id for event in events if event.type in ACTED and event.product_id is not None)


def _rankings(request: RankRequest, ranker: Ranker, sources: Sources) -> dict[str, list[ProductId]]:
    popular = [candidate.product_id for candidate in sources.behaviour.popularity.popular(10_000, ())]
    by_source = {
        source: [c.product_id for c in sorted(request.candidates, key=lambda c: -c.score) if c.source == source]
        for source in ("bought_together", "similar_to", *sources.learned.kinds)
    }
    fused = dict[ProductId, float]()
    for ranking in (*by_source.values(), popular):
        for rank, product_id in enumerate(ranking, start=1):
            fused[product_id] = fused.get(product_id, 0.0) + 1.0 / (60 + rank)
    return {
        "pipeline": [ranked.product_id for ranked in ranker.rank(request)],
        "popularity": popular,
        "reciprocal_rank": sorted(fused, key=lambda product_id: -fused[product_id]),
        **by_source,
    }


def _probabilities(
    cases: Sequence[tuple[ViewerId, list[Event], list[Event]]], surroundings: Surroundings, sources: Sources, ranker: Ranker
) -> dict[str, float]:
    """Of each viewer's next session: how well P(click) orders the products, and whether it can be taken at its word."""
    areas, chances, clicked = list[float](), list[float](), list[bool]()
    for viewer_id, past, after in cases:
        at, room_id = after[0].at, after[0].room_id
        shelf, shown = surroundings.shelf(room_id), surroundings.shown(room_id, at)
        request = sources.request(viewer_id, past, (), shelf, at, shown=shown)
        acted = _acted([event for event in after if event.at - at <= FORESEEN])
        ranked = ranker.rank(request)
        labels = np.array([item.product_id in acted for item in ranked])
        if labels.any() and not labels.all():
            areas.append(area_under_curve(np.array([item.click for item in ranked]), labels))
        chances.extend(item.click for item in ranked)
        clicked.extend(labels.tolist())
    p, y = np.clip(np.array(chances), 1e-6, 1 - 1e-6), np.array(clicked, dtype=np.float64)
    if not len(p):
        return {}
    return {
        "gauc_click": float(np.mean(areas)) if areas else 0.5,
        "log_loss_click": float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()),
        "log_loss_click_base_rate": _entropy(float(y.mean())),
        "calibration_error_click": calibration_error(p, y),
    }


def _entropy(rate: float) -> float:
    """Log-loss of always answering the base rate."""
    return -(rate * math.log(rate) + (1 - rate) * math.log(1 - rate)) if 0 < rate < 1 else 0.0


def calibration_error(chances: NDArray[np.float64], outcomes: NDArray[np.float64], bins: int = 10) -> float:
    """Expected calibration error over bins of equal size: mean |predicted - observed|, 0..1.

    >>> calibration_error(np.array([0.0, 1.0]), np.array([0.0, 1.0]), bins=2)
    0.0
    """
    order = np.argsort(chances, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(sum(len(part) * abs(chances[part].mean() - outcomes[part].mean()) for part in parts) / len(chances))
