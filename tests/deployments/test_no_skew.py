"""The ranker sees in serving what it saw in training: the same request, from the store and from a log, has the same features.

`LIVECART_MOMENTS=10000 pytest tests/deployments/test_no_skew.py -m slow` looks at ten thousand of them, in about five minutes.
"""

import asyncio
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from deployments.loading import LoadedRetriever
from deployments.retrieval import LiveRetriever
from deployments.shop import LiveShop
from deployments.store import Store
from deployments.store.values import StoreOptions
from graphs.recommend import DISPLAYS_READ, RecommendNodes, RecommendRequest, on_screen, recommend_graph
from graphs.watching.displays import RENEW_S, DisplayWriter
from graphs.watching.watcher import Displayed, Showing
from models.demo.catalog import demo_products, demo_rooms
from models.demo.simulator import simulate
from models.interactions.event_log import EventLog, Histories
from models.recommend.features import ItemVectors, features
from models.recommend.hashed_text import HashedTextEmbedder
from models.recommend.item_factors import Fit
from models.recommend.learned import LearnedSources
from models.recommend.popularity import Popularity
from models.recommend.retriever import ShopIndex
from models.recommend.rooms import RoomRanker
from models.recommend.sources import Sources
from models.recommend.surroundings import Screen, Surroundings
from models.training.recommender import fit_behaviour
from models.training.replay import Replay
from models.types import Event, Ranked, RankRequest
from tests.deployments.store.examples import BY

UNTIL = datetime(2026, 1, 15, tzinfo=UTC)
START = UNTIL - timedelta(days=10)
FIT = Fit(factor_dim=8)
PRODUCTS = demo_products()
ROOMS = [replace(room, showing=None) for room in demo_rooms()]  # what a host holds up comes with displays


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


def happened(viewers: int) -> list[Event]:
    """What viewers did, and what hosts displayed as whoever watches the room tells it: begin, renewals, the end."""
    events = list[Event]()
    for event in simulate(PRODUCTS, ROOMS, viewers=viewers, days=10, seed=5, until=UNTIL):
        if event.type != "display" or event.room_id is None or event.product_id is None:
            events.append(event)
            continue
        writer = DisplayWriter(event.room_id, event.room_id, START)
        began_s = (event.at - START).total_seconds()
        showing = Showing(event.product_id, int(began_s), began_s)
        events += [writer.begun(showing), *(writer.still_on(showing, began_s + RENEW_S * n) for n in range(1, 10))]
        events.append(writer.ended(Displayed(event.product_id, int(began_s), began_s, began_s + 555.0)))
    return events


def told_at(event: Event) -> datetime:
    """When the store learnt of it."""
    took_s = event.value if event.type == "display" and event.value is not None else 0.0
    return event.at + timedelta(seconds=took_s)


def moments(histories: Histories, start: datetime, count: int) -> NDArray[np.int64]:
    """Places of events of viewers who did something before, spread over the log; none at the very time of the one before."""
    after = (now for events in histories.values() for before, now in pairwise(events) if start < before.at < now.at)
    every = np.sort([int(event.event_id) for event in after])  # in a log an event's id is its place
    return np.asarray(every[np.unique(np.linspace(0, len(every) - 1, count).astype(int))])


def replay_of(histories: Histories, start: datetime) -> Replay:
    """What the ranker's examples come from, of sources that know what was before `start`."""
    behaviour = fit_behaviour(histories, PRODUCTS, start, FIT, 0)
    vectors = ItemVectors.stacked(behaviour.item_vectors(), FIT.factor_dim)
    surroundings = Surroundings(histories.log, ROOMS, Screen(on_screen, DISPLAYS_READ))
    return Replay(Sources(behaviour, index_with(histories, start)), vectors, surroundings, histories)


def index_with(log: Histories, start: datetime) -> ShopIndex:
    index = ShopIndex(HashedTextEmbedder(), picture_dim=2, factor_dim=FIT.factor_dim)
    index.put_products(PRODUCTS)
    index.put_factors(fit_behaviour(log, PRODUCTS, start, FIT, 0).item_vectors())
    return index


@pytest.mark.parametrize("count", [200, pytest.param(int(os.environ.get("LIVECART_MOMENTS", "1000")), marks=pytest.mark.slow)])
async def test_features_of_a_log_are_those_of_the_store(tmp_path: Path, count: int) -> None:
    viewers = 60 if count < 1_000 else count // 10
    everything = happened(viewers)
    log = Histories(EventLog.of(everything))
    start = UNTIL - timedelta(days=5)
    replay = replay_of(log, start)
    asked = list(replay.asked(moments(log, start, count), start, np.random.default_rng(0)))
    assert sum(bool(one.named) for one in asked) > count / 10
    assert sum(bool(one.request.context and not one.named) for one in asked) > count / 20  # rooms that showed something
    listener, clock = Listener(), Clock(start)
    async with await Store.open(f"sqlite:///{tmp_path / 'livecart.db'}", StoreOptions()) as store:
        await store.put_products([replace(product, stock=None) for product in PRODUCTS], actor=BY)
        await store.put_rooms(ROOMS, actor=BY)
        index = index_with(log, start)
        behaviour = fit_behaviour(log, PRODUCTS, start, FIT, 0).with_popularity(Popularity())
        retriever = await LiveRetriever(
            store, LoadedRetriever(index, behaviour, RoomRanker(index), "tag", LearnedSources()), poll_s=0.002
        ).start()
        shop = LiveShop(store, poll_s=0.01)
        await shop.start()
        graph = recommend_graph(RecommendNodes(shop, shop, retriever, listener, now=clock))
        stream = iter(sorted(everything, key=lambda event: (told_at(event), event.event_id)))
        pending = next(stream, None)
        for one in asked:
            batch = list[Event]()
            while pending is not None and told_at(pending) < one.event.at:
                batch.append(pending)
                pending = next(stream, None)
            for first in range(0, len(batch), 1_000):
                await store.append_events(batch[first : first + 1_000])
            while retriever.seen_events < await store.count_events():  # noqa: ASYNC110  # it counts by the clock
                await asyncio.sleep(0.001)
            clock.at = one.event.at
            await graph.run(RecommendRequest(one.event.viewer_id, one.event.room_id, context=one.named), budget_s=30.0)
            served = features(listener.asked.pop(), replay.vectors)
            np.testing.assert_array_equal(served, features(one.request, replay.vectors))
        await shop.stop()
        await retriever.stop()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("follow ")]
