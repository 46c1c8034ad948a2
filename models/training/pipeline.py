"""The recommender that serves, as a Scorer: candidates of all sources, ranked by Wide & Deep, fitted on the same events as the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from models.interactions.event_log import EventLog, Histories
from models.interactions.log import Interactions
from models.recommend.behaviour import Behaviour
from models.recommend.features import ItemVectors
from models.recommend.history import INTEREST
from models.recommend.item_factors import EASE_UP_TO
from models.recommend.passages import TextEmbedder
from models.recommend.ranker import Ranker
from models.recommend.retriever import ShopIndex
from models.recommend.scoring import History, Scores, UnsuitableLogError
from models.recommend.sources import Sources
from models.recommend.surroundings import NO_SCREEN, Surroundings
from models.training.as_shop import events_of
from models.training.learned import fit_learned
from models.training.recommender import TrainOptions, as_data, chosen, fit_behaviour, fit_ranker, replayed
from models.types import Event, EventId, Product, ProductId, ViewerId

LEAST_EVENTS = 500
LATEST_FIFTH = 0.8  # of each user's entries: where there are no times, the sources are judged and the ranker learns on what follows


@dataclass(frozen=True, slots=True)
class Shop:
    """What the pipeline looks at besides interactions.

    `events` are all that were read, and what may not be known is left out by `fit`; None: there are but the interactions themselves.
    """

    events: Sequence[Event] | None
    products: Sequence[Product]
    embedder: TextEmbedder


class PipelineScorer:
    """An item that no source proposes is scored by popularity, below every one that is proposed."""

    def __init__(self, shop: Shop, *, seed: int = 7, options: TrainOptions | None = None) -> None:
        self._shop = shop
        self._seed = seed
        self._options = options or TrainOptions()

    def fit(self, log: Interactions) -> None:
        known = Histories(EventLog.of(events_of(log) if self._shop.events is None else _known(self._shop.events, log)))
        if known.event_count < LEAST_EVENTS:
            raise UnsuitableLogError(f"Wide & Deep learns from at least {LEAST_EVENTS} events before the split; this log has fewer")
        options, products = self._options, self._shop.products
        index = ShopIndex(self._shop.embedder, picture_dim=1, factor_dim=options.fit.factor_dim)
        index.put_products(products)
        end = known.moment(1.0) + timedelta(seconds=1)
        window = known.moment(options.behaviour_until if log.has_times else LATEST_FIFTH), end
        early, self._verdicts = chosen(known, products, index, window, options, self._seed)
        nowhere = Surroundings(known.log, (), NO_SCREEN)
        model = fit_ranker(replayed(known, nowhere, early, window, options, self._seed), options, self._seed)
        behaviour = fit_behaviour(known, products, end, options.fit, self._seed)
        index.put_factors(behaviour.item_vectors())
        learned = fit_learned(known, products, end, replace(options.learned, kinds=early.learned.kinds), self._seed)
        self._ranker = Ranker(model, ItemVectors.stacked(behaviour.item_vectors(), options.fit.factor_dim), options.ranker)
        self._sources, self._known, self._log, self._end = Sources(behaviour, index, learned), known, log, end
        self._place = {ProductId(item): place for place, item in enumerate(log.items)}
        self._popular = _popular(behaviour, log)

    def scores(self, histories: Sequence[History]) -> Scores:
        scores = np.tile(self._popular, (len(histories), 1))
        for row, history in zip(scores, histories, strict=True):
            viewer_id, events = self._events_of(history)
            at = events[-1].at if events else self._end
            for ranked in self._ranker.rank(self._sources.request(viewer_id, events, (), (), at)):
                place = self._place.get(ranked.product_id)
                if place is not None:
                    row[place] = 1.0 + ranked.score
        return scores

    def described(self) -> Mapping[str, object]:
        """What the pipeline came to be made of after `fit`."""
        item_to_item = "ease" if len(self._sources.behaviour.ids) <= EASE_UP_TO else "itemknn"
        learned = self._sources.learned.kinds
        return {
            "is": "the pipeline that serves",
            "candidates": [item_to_item, "similar_to", "popular", "fresh", *learned],
            "ranked_by": "Wide & Deep",
            "judged": as_data(self._verdicts),
        }

    def _events_of(self, history: History) -> tuple[ViewerId, Sequence[Event]]:
        """What the viewer did; for somebody who is not in the log, clicks on the items of the history, a minute apart."""
        if history.user >= 0:
            viewer_id = ViewerId(self._log.users[history.user])
            return viewer_id, self._known.get(viewer_id, ())
        viewer_id = ViewerId("somebody")
        clicked = Event(event_id=EventId("none"), viewer_id=viewer_id, type="click", at=self._end)
        count = len(history.items)
        return viewer_id, [
            replace(clicked, product_id=ProductId(self._log.items[item]), at=self._end - timedelta(minutes=count - number))
            for number, item in enumerate(history.items.tolist())
        ]


def _popular(behaviour: Behaviour, log: Interactions) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    shares = behaviour.popularity.share([ProductId(item) for item in log.items])
    return np.array([shares[ProductId(item)] for item in log.items], dtype=np.float32)


def _known(events: Sequence[Event], log: Interactions) -> list[Event]:
    """The events up to each viewer's last one in `log`, without interest in items that `log` does not hold for them."""
    last_s = dict(zip(log.users, _last_s(log), strict=True))
    pairs = set(zip(log.user.tolist(), log.item.tolist(), strict=True))
    held = {(log.users[user], log.items[item]) for user, item in pairs}
    return [
        event
        for event in events
        if event.at.timestamp() <= last_s.get(event.viewer_id, -np.inf)
        and (event.type not in INTEREST or event.product_id is None or (event.viewer_id, event.product_id) in held)
    ]


def _last_s(log: Interactions) -> list[float]:
    return [float(log.at[places[-1]]) if len(places) else -np.inf for places in log.by_user()]
