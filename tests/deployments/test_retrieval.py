"""The retriever as it follows a store: what counts, and how it ends."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from deployments.loading import LoadedRetriever
from deployments.retrieval import LiveRetriever
from deployments.store import Store
from models.interactions.event_log import EventLog, Histories
from models.recommend.behaviour import Behaviour
from models.recommend.hashed_text import HashedTextEmbedder
from models.recommend.item_factors import Fit
from models.recommend.learned import LearnedSources
from models.recommend.retriever import ShopIndex
from models.recommend.rooms import RoomRanker
from models.training.recommender import fit_behaviour
from models.types import ProductId
from tests.deployments.store.examples import BY, START, event, product


@pytest.fixture
def behaviour() -> Behaviour:
    return fit_behaviour(Histories(EventLog.of(())), [product()], START, Fit(factor_dim=2), seed=0)


async def test_only_products_of_the_catalogue_become_popular_and_stop_may_be_repeated(tmp_path: Path, behaviour: Behaviour) -> None:
    index = ShopIndex(HashedTextEmbedder(), picture_dim=2, factor_dim=2)
    async with await Store.open(f"sqlite:///{tmp_path / 'livecart.db'}") as store:
        await store.put_products([product(1)], actor=BY)
        invented = [replace(event(number), product_id=ProductId(f"invented-{number}")) for number in range(2, 50)]
        await store.append_events([*invented, event(1)])
        retriever = LiveRetriever(store, LoadedRetriever(index, behaviour, RoomRanker(index), "tag", LearnedSources()), poll_s=0.01)
        await retriever.start()
        for _ in range(1_000):
            if behaviour.popularity.popular(100, ()):
                break
            await asyncio.sleep(0.01)
        assert behaviour.popularity.state()["ids"] == ["p1"]
        await retriever.stop()
        await retriever.stop()
        await store.ping()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("follow ")]
