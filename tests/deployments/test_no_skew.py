"""The ranker sees in serving what it saw in training: the same request, from the store and from a log, has the same features.

`LIVECART_MOMENTS=10000 pytest tests/deployments/test_no_skew.py -m slow` looks at ten thousand of them, in about five minutes.
"""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from deployments.loading import LoadedRetriever
from deployments.retrieval import LiveRetriever
from deployments.shop import LiveShop
from deployments.store import Store
from deployments.store.values import StoreOptions
from graphs.recommend import RecommendNodes, RecommendRequest, recommend_graph
from models.demo.catalog import demo_products, demo_rooms
from models.demo.simulator import simulate
from models.recommend.features import ItemVectors, features
from models.recommend.hashed_text import HashedTextEmbedder
from models.recommend.history import Log, by_viewer
from models.recommend.item_factors import Fit
from models.recommend.learned import LearnedSources
from models.recommend.popularity import Popularity
from models.recommend.retriever import ShopIndex
from models.recommend.rooms import RoomRanker
from models.recommend.sources import Sources
from models.training.recommender import fit_behaviour
from models.types import Event, Ranked, RankRequest
from tests.deployments.store.examples import BY

UNTIL = datetime(2026, 1, 15, tzinfo=UTC)
FIT = Fit(factor_dim=8)
PRODUCTS = demo_products()
ROOMS = [replace(room, showing=None) for room in demo_rooms()]  # what a host holds up comes with displays, which are not replayed


@dataclass(slots=True)
class Listener:
    """A ranker that keeps what it was asked."""

    asked: list[RankRequest] = field(default_factory=list)

    async def rank(self, request: RankRequest) -> tuple[Ranked, ...]:
        self.asked.append(request)
        return ()


@dataclass(slots=True)
class Clock:
    at: datetime

    def __call__(self) -> datetime:
        return self.at


def moments(log: Log, start: datetime, count: int) -> list[Event]:
    """Events of viewers who did something before, spread over the log, in order of time; none at the very time of the one before."""
    after = (now for events in log.values() for before, now in pairwise(events) if start < before.at < now.at)
    every = sorted(after, key=lambda event: (event.at, event.event_id))
    return [every[place] for place in np.unique(np.linspace(0, len(every) - 1, count).astype(int))]


def offline(log: Log, asked: list[Event], start: datetime) -> Iterator[tuple[Event, RankRequest]]:
    """As `models.training.recommender_data.Replay` makes requests of a log."""
    sources = Sources(fit_behaviour(log, PRODUCTS, start, FIT, 0), index_with(log, start))
    stream = iter(sorted((event for events in log.values() for event in events if event.at >= start), key=lambda event: event.at))
    pending = next(stream, None)
    shelves = {room.room_id: room.shelf for room in ROOMS}
    for event in asked:
        while pending is not None and pending.at < event.at:
            sources.behaviour.observe(pending)
            pending = next(stream, None)
        history = [before for before in log[event.viewer_id] if before.at < event.at][-50:]
        shelf = shelves[event.room_id] if event.room_id else ()
        yield event, sources.request(event.viewer_id, history, (), shelf, event.at)


def index_with(log: Log, start: datetime) -> ShopIndex:
    index = ShopIndex(HashedTextEmbedder(), picture_dim=2, factor_dim=FIT.factor_dim)
    index.put_products(PRODUCTS)
    index.put_factors(fit_behaviour(log, PRODUCTS, start, FIT, 0).item_vectors())
    return index


@pytest.mark.parametrize("count", [200, pytest.param(int(os.environ.get("LIVECART_MOMENTS", "1000")), marks=pytest.mark.slow)])
async def test_features_of_a_log_are_those_of_the_store(tmp_path: Path, count: int) -> None:
    viewers = 60 if count < 1_000 else count // 10
    log = by_viewer(simulate(PRODUCTS, ROOMS, viewers=viewers, days=10, seed=5, until=UNTIL))
    start = UNTIL - timedelta(days=5)
    asked = moments(log, start, count)
    vectors = ItemVectors.stacked(fit_behaviour(log, PRODUCTS, start, FIT, 0).item_vectors(), FIT.factor_dim)
    expected = [(event, features(request, vectors)) for event, request in offline(log, asked, start)]
    listener, clock = Listener(), Clock(start)
    async with await Store.open(f"sqlite:///{tmp_path / 'livecart.db'}", StoreOptions()) as store:
        await store.put_products([replace(product, stock=None) for product in PRODUCTS], actor=BY)
        await store.put_rooms(ROOMS, actor=BY)
        everything = sorted((event for events in log.values() for event in events), key=lambda event: (event.at, event.event_id))
        index = index_with(log, start)
        behaviour = fit_behaviour(log, PRODUCTS, start, FIT, 0).with_popularity(Popularity())
        retriever = await LiveRetriever(
            store, LoadedRetriever(index, behaviour, RoomRanker(index), "tag", LearnedSources()), poll_s=0.002
        ).start()
        shop = LiveShop(store, poll_s=0.01)
        await shop.start()
        graph = recommend_graph(RecommendNodes(shop, shop, retriever, listener, now=clock))
        stream = iter(everything)
        pending = next(stream, None)
        for event, rows in expected:
            batch = list[Event]()
            while pending is not None and pending.at < event.at:
                batch.append(pending)
                pending = next(stream, None)
            for first in range(0, len(batch), 1_000):
                await store.append_events(batch[first : first + 1_000])
            while retriever.seen_events < await store.count_events():  # noqa: ASYNC110  # it counts by the clock
                await asyncio.sleep(0.001)
            clock.at = event.at
            await graph.run(RecommendRequest(event.viewer_id, event.room_id), budget_s=30.0)
            np.testing.assert_array_equal(features(listener.asked.pop(), vectors), rows)
        await shop.stop()
        await retriever.stop()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("follow ")]
