"""The pipeline that serves, measured like the others: it knows nothing of what it has to foresee."""

from datetime import UTC, datetime

import numpy as np
import pytest

from models.demo.catalog import demo_products, demo_rooms
from models.demo.simulator import simulate
from models.evaluation.protocols import split
from models.interactions.event_log import EventLog
from models.interactions.events import interactions_of
from models.recommend.hashed_text import HashedTextEmbedder
from models.recommend.scoring import History, UnsuitableLogError, histories_of
from models.training.learned import LearnedPlan
from models.training.pipeline import PipelineScorer, Shop, _known
from models.training.recommender import TrainOptions
from models.types import Event

SMALL = TrainOptions(requests=100, epochs=1, learned=LearnedPlan(()))  # whether a learned source wins may hang on ARPACK's last bits


@pytest.fixture(scope="module")
def events() -> list[Event]:
    until = datetime(2026, 3, 1, tzinfo=UTC)
    return sorted(simulate(demo_products(), demo_rooms(), viewers=30, days=3.0, seed=3, until=until), key=lambda event: event.at)


def test_scores_are_finite_deterministic_and_put_proposals_first(events: list[Event]) -> None:
    log = interactions_of(EventLog.of(events), "simulated")
    shop = Shop(events, demo_products(), HashedTextEmbedder())
    stranger = History(np.array([0, 1], np.int32), np.ones(2, np.float32))
    histories = [*histories_of(log)[:3], stranger, History(np.array([], np.int32), np.array([], np.float32))]
    found = []
    for _ in range(2):
        scorer = PipelineScorer(shop, seed=3, options=SMALL)
        scorer.fit(log)
        found.append(scorer.scores(histories))
    np.testing.assert_allclose(found[0], found[1], atol=1e-3)  # ARPACK ends within its tolerance, not on the same bits
    assert found[0].shape == (5, len(log.items))
    assert found[0].dtype == np.float32
    assert np.isfinite(found[0]).all()
    assert (found[0].max(axis=1) > 1).all()


@pytest.mark.parametrize("protocol", ["leave-one-out", "ratio-75", "time-75"])
def test_no_interest_in_a_target_is_known(events: list[Event], protocol: str) -> None:
    log = interactions_of(EventLog.of(events), "simulated")
    divided = split(log, protocol)
    known = {(event.viewer_id, event.product_id) for event in _known(events, divided.train) if event.type in {"click", "cart", "purchase"}}
    targets = {(log.users[case.history.user], log.items[item]) for case in divided.cases for item in case.targets.tolist()}
    assert known
    assert not known & targets


def test_too_few_events_are_no_ground_for_a_ranker(events: list[Event]) -> None:
    few = events[:60]
    with pytest.raises(UnsuitableLogError, match="at least 500 events"):
        PipelineScorer(Shop(few, demo_products(), HashedTextEmbedder())).fit(interactions_of(EventLog.of(few), "few"))
