"""Entries into rooms are drawn from the whole time asked about."""

from datetime import UTC, datetime, timedelta

import pytest

from models.demo.catalog import demo_products, demo_rooms
from models.demo.simulator import simulate
from models.evaluation.rooms import Choice, Lot, choices
from models.interactions.event_log import EventLog, Histories
from models.recommend.hashed_text import HashedTextEmbedder
from models.recommend.retriever import ShopIndex
from models.recommend.rooms import RoomRanker

UNTIL = datetime(2026, 1, 15, tzinfo=UTC)
START = UNTIL - timedelta(days=3)


@pytest.fixture(scope="module")
def asked() -> Histories:
    return Histories(EventLog.of(simulate(demo_products(), demo_rooms(), viewers=60, days=6, seed=5, until=UNTIL)))


def entries(asked: Histories, lot: Lot | None = None) -> list[Choice]:
    ranker = RoomRanker(ShopIndex(HashedTextEmbedder(), picture_dim=1, factor_dim=1))
    return list(choices(asked, demo_rooms(), ranker, START, UNTIL, lot))


def test_entries_are_drawn_by_lot_and_not_the_first_ones_taken(asked: Histories) -> None:
    every = entries(asked)
    drawn = entries(asked, Lot(len(every) // 4, seed=1))
    assert 0 < len(drawn) <= len(every) // 4
    places = [every.index(choice) for choice in drawn]
    assert places == sorted(places)
    assert places[0] < len(every) / 4
    assert places[-1] > len(every) * 3 / 4
    assert entries(asked, Lot(len(every) // 4, seed=1)) == drawn
    assert entries(asked, Lot(len(every) // 4, seed=2)) != drawn


def test_a_lot_that_is_large_enough_draws_all(asked: Histories) -> None:
    assert entries(asked, Lot(10_000, seed=1)) == entries(asked)


def test_the_room_entered_is_one_of_several_live_ones(asked: Histories) -> None:
    assert all(choice.entered in choice.live and len(choice.live) > 1 for choice in entries(asked))
