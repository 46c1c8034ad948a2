"""A version whose files are whole and whose numbers are none does not come to serve."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.recommend.behaviour import Behaviour
from models.recommend.learned import LearnedSources
from models.recommend.probe import probe_candidates, probe_ranker
from models.recommend.ranker import Ranker
from models.recommend.rooms import FILE, SET_BY_HAND, load_weights
from models.types import ArtifactError
from tests.models.recommend.conftest import ZOO


def test_the_shipped_version_can_be_asked() -> None:
    probe_ranker(Ranker.load(ZOO), ZOO)
    probe_candidates(Behaviour.load(ZOO), LearnedSources.load(ZOO), ZOO)


def test_numbers_that_are_none_are_refused() -> None:
    ranker, behaviour = Ranker.load(ZOO), Behaviour.load(ZOO)
    ranker._vectors.rows[:] = np.nan
    with pytest.raises(ArtifactError, match="recommender"):
        probe_ranker(ranker, ZOO)
    behaviour._neighbours.data[:] = np.inf
    with pytest.raises(ArtifactError, match="no numbers"):
        probe_candidates(behaviour, LearnedSources(), ZOO)
    behaviour._neighbours.indices[:] = len(behaviour.ids)
    with pytest.raises(ArtifactError, match="IndexError"):
        probe_candidates(behaviour, LearnedSources(), ZOO)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"watched_share": "x"}, "watched_share"),
        ({"watched_share": True}, "watched_share"),
        ({"watched_share": -1.0, "fresh": 2.0}, "watched_share"),
        ({"colour": 1.0}, "colour"),
        ({"fresh": 0.5}, "sum to 0.5"),
        ([1.0], "all of it"),
    ],
)
def test_weights_of_rooms_that_are_none_are_refused(tmp_path: Path, weights: object, said: str) -> None:
    (tmp_path / FILE).write_text(json.dumps(weights))
    with pytest.raises(ArtifactError, match=said):
        load_weights(tmp_path)


def test_weights_of_rooms_are_read_as_written(tmp_path: Path) -> None:
    assert load_weights(tmp_path) == SET_BY_HAND
    (tmp_path / FILE).write_text(json.dumps(SET_BY_HAND))
    assert load_weights(tmp_path) == SET_BY_HAND
    assert sum(load_weights(ZOO).values()) == pytest.approx(1.0, abs=1e-6)
