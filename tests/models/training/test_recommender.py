"""The recommender is trained with one call, and the shipped one foresees what viewers it never saw do later."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import torch

from graphs.recommend import DISPLAYS_READ, on_screen
from models.artifacts import open_artifact, read_manifest
from models.demo.catalog import demo_products, demo_rooms
from models.demo.simulator import simulate
from models.evaluation.recommender import evaluate_artifact
from models.interactions.event_log import EventLog
from models.language.text_embedder import TextEmbedder
from models.recommend.behaviour import Behaviour
from models.recommend.hashed_text import HashedTextEmbedder
from models.recommend.ranker import Ranker
from models.recommend.surroundings import Screen
from models.training.recommender import DEMO_UNTIL, KIND, SCHEMA, TrainOptions, funnel_loss, train, train_on_demo
from models.training.recommender_data import is_held_out
from models.types import HISTORY_EVENTS, EventId, ModelInputError

SCREEN = Screen(on_screen, DISPLAYS_READ)
ZOO = Path(__file__).parents[3] / "models" / "zoo"


def test_training_writes_an_artifact_that_loads_and_tells_its_scores(tmp_path: Path) -> None:
    small = TrainOptions(requests=120, epochs=1)
    metrics = train_on_demo(tmp_path, embedder=HashedTextEmbedder(), screen=SCREEN, seed=3, viewers=60, days=6.0, options=small)
    folder = open_artifact(tmp_path, kind=KIND, schema=SCHEMA)
    assert read_manifest(folder)["metrics"] == pytest.approx(metrics)
    assert metrics["viewers"] > 0
    assert read_manifest(folder)["data"]["history_events"] == HISTORY_EVENTS
    assert Behaviour.load(folder).item_vectors()
    assert Ranker.load(folder).feature_count == len(Ranker.feature_names)


def test_without_events_there_is_nothing_to_train_on(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no events"):
        train(EventLog.of(()), demo_products(), demo_rooms(), tmp_path, embedder=HashedTextEmbedder(), screen=SCREEN, seed=0)


@pytest.mark.parametrize("years", [-25, 1])
def test_an_event_far_from_all_others_changes_little(tmp_path: Path, years: int) -> None:
    found = list(simulate(demo_products(), demo_rooms(), viewers=60, days=6.0, seed=3, until=DEMO_UNTIL))
    stray = replace(found[0], event_id=EventId("stray"), at=found[0].at + timedelta(days=365 * years))
    log, options = EventLog.of([*found, stray]), TrainOptions(requests=120, epochs=1)
    train(log, demo_products(), demo_rooms(), tmp_path, embedder=HashedTextEmbedder(), screen=SCREEN, seed=3, options=options)
    known_until = datetime.fromisoformat(str(read_manifest(tmp_path)["data"]["known_until"]))
    assert found[0].at < known_until < DEMO_UNTIL
    assert Behaviour.load(tmp_path).item_vectors()


def test_a_log_in_which_nobody_showed_interest_is_refused_with_what_to_do(tmp_path: Path) -> None:
    found = simulate(demo_products(), demo_rooms(), viewers=20, days=2.0, seed=3, until=DEMO_UNTIL)
    seen = EventLog.of(event for event in found if event.type in {"enter", "leave", "watch", "impression"})
    with pytest.raises(ModelInputError, match="nobody clicked"):
        train(seen, demo_products(), demo_rooms(), tmp_path, embedder=HashedTextEmbedder(), screen=SCREEN, seed=3)


def test_the_shipped_recommender_ranks_twice_as_well_as_popularity_for_viewers_it_never_saw() -> None:
    folder = open_artifact(ZOO / "recommender", kind=KIND, schema=SCHEMA)
    trained = read_manifest(folder)
    simulated = simulate(demo_products(), demo_rooms(), viewers=200, days=28.0, seed=trained["seed"], until=DEMO_UNTIL)
    unseen = EventLog.of(event for event in simulated if is_held_out(event.viewer_id, TrainOptions().held_out))
    embedder = TextEmbedder.load(ZOO / "text_embedder")
    found = evaluate_artifact(folder, unseen, demo_products(), demo_rooms(), embedder=embedder, screen=SCREEN)
    assert found["viewers"] >= 30
    assert found["ndcg_at_10_pipeline"] >= 2.0 * found["ndcg_at_10_popularity"]
    assert found["log_loss_click"] < found["log_loss_click_base_rate"]
    assert trained["metrics"]["lift_over_popularity"] >= 2.0


def test_the_loss_is_the_sum_of_three_cross_entropies() -> None:
    chances, labels = torch.tensor([[0.8, 0.5, 0.1]]), torch.tensor([[1.0, 1.0, 0.0]])
    expected = torch.nn.functional.binary_cross_entropy(chances, labels, reduction="sum")
    assert float(funnel_loss(chances.log(), labels)) == pytest.approx(float(expected), rel=1e-4)
