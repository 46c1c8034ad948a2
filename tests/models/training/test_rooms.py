"""Weights of the room ranking serve where they win for viewers, however often each of them came."""

from datetime import UTC, datetime, timedelta

import pytest

from models.demo.catalog import demo_products, demo_rooms
from models.demo.simulator import simulate
from models.evaluation.rooms import choices
from models.interactions.event_log import EventLog, Histories
from models.recommend.hashed_text import HashedTextEmbedder
from models.recommend.retriever import ShopIndex
from models.recommend.rooms import SET_BY_HAND, RoomRanker
from models.training import rooms
from models.training.rooms import learnt_weights
from models.training.verdict import STANDARD_ERRORS

UNTIL = datetime(2026, 1, 15, tzinfo=UTC)
WINDOW = (UNTIL - timedelta(days=8), UNTIL)


@pytest.fixture(scope="module")
def asked() -> Histories:
    return Histories(EventLog.of(simulate(demo_products(), demo_rooms(), viewers=60, days=12, seed=5, until=UNTIL)))


def ranker() -> RoomRanker:
    return RoomRanker(ShopIndex(HashedTextEmbedder(), picture_dim=1, factor_dim=1))


def test_the_gain_is_a_mean_over_viewers(asked: Histories, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "LEAST_CHOICES", 20)
    weights, verdict = learnt_weights(asked, demo_rooms(), ranker(), WINDOW, 1)
    assert verdict is not None
    second = sorted(asked)[1::2]
    left = [choice for choice in choices(asked, demo_rooms(), ranker(), *WINDOW) if choice.viewer_id in second]
    assert verdict.entries == len(left)
    assert verdict.viewers == len({choice.viewer_id for choice in left}) < verdict.entries
    assert verdict.serves == (verdict.gain > STANDARD_ERRORS * verdict.gain_error)
    assert (weights == SET_BY_HAND) != verdict.serves


def test_few_entries_teach_nothing(asked: Histories) -> None:
    assert learnt_weights(asked, demo_rooms(), ranker(), (UNTIL - timedelta(hours=6), UNTIL), 1) == (SET_BY_HAND, None)
