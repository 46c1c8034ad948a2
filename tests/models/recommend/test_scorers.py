"""One suite for every recommender: what holds for one of them holds for all."""

from pathlib import Path

import numpy as np
import pytest

from models.evaluation.protocols import split
from models.evaluation.recommenders import MODELS, Options, Question, compared
from models.interactions.log import Collector, Interactions
from models.recommend import neighbours
from models.recommend.factorised import AlsPlan, AlsScorer, BprPlan, BprScorer
from models.recommend.hashed_text import HashedTextEmbedder
from models.recommend.scoring import History, Scorer, UnsuitableLogError, histories_of, proposed
from models.recommend.sequence import SequenceConfig
from models.training.as_shop import products_of
from models.training.blend import BlendScorer
from models.training.pipeline import PipelineScorer, Shop
from models.training.recommender import TrainOptions
from models.training.sequence import SequencePlan, SequenceScorer, train

SMALL = SequencePlan(epochs=40, least_steps=0, batch=32, seed=3, network=SequenceConfig(items=1, dim=32, dropout=0.1, item_dropout=0.1))
GROUP = 4  # items that go together


def made(name: str) -> Scorer:
    """The model of that name, small enough for a test."""
    small: dict[str, Scorer] = {
        "ials": AlsScorer(AlsPlan(factors=16), seed=3),
        "bpr": BprScorer(BprPlan(factors=16), seed=3),
        "sequence": SequenceScorer(SMALL),
        "ranked": PipelineScorer(Shop(None, products_of(planted()), HashedTextEmbedder()), seed=3, options=TrainOptions(epochs=2)),
    }
    return small[name] if name in small else MODELS[name](Options(seed=3))


def planted(users: int = 130, groups: int = 10) -> Interactions:
    """Each user goes through one group of items in its order, beginning anywhere; items of a group share an attribute."""
    collector = Collector()
    for user in range(users):
        group = user % groups
        for step in range(GROUP):
            collector.add(f"u{user}", f"i{group * GROUP + (user // groups + step) % GROUP}", float(step))
    log = collector.finish("planted", has_times=False)
    attributes = {item: (f"group={int(item[1:]) // GROUP}",) for item in log.items}
    return Interactions(log.users, log.items, log.user, log.item, log.at, log.weight, log.value, False, attributes)


@pytest.fixture(params=list(MODELS), scope="module")
def fitted(request: pytest.FixtureRequest) -> tuple[str, Scorer]:
    name: str = request.param
    scorer = made(name)
    scorer.fit(planted())
    return name, scorer


def test_scores_are_finite_float32_rows_for_any_history(fitted: tuple[str, Scorer]) -> None:
    _, scorer = fitted
    log = planted()
    nothing = History(np.array([], np.int32), np.array([], np.float32))
    repeated = History(np.array([3] * 80, np.int32), np.ones(80, np.float32))
    found = scorer.scores([nothing, repeated, *histories_of(log)[:3]])
    assert found.shape == (5, len(log.items))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert scorer.scores([]).shape == (0, len(log.items))


def test_a_history_is_scored_alike_alone_and_among_others(fitted: tuple[str, Scorer]) -> None:
    _, scorer = fitted
    histories = [History(each.items[:2], each.weights[:2]) for each in histories_of(planted())[:6]]
    together = scorer.scores(histories)
    for place, history in enumerate(histories):
        assert scorer.scores([history])[0] == pytest.approx(together[place], abs=1e-3)


def test_what_is_masked_is_never_proposed(fitted: tuple[str, Scorer]) -> None:
    _, scorer = fitted
    histories = histories_of(planted())[:20]
    found = proposed(scorer.scores(histories), [history.items for history in histories], 1_000)
    for row, history in zip(found, histories, strict=True):
        kept = row[row >= 0].tolist()
        assert not set(kept) & set(history.items.tolist())
        assert len(kept) == len(set(kept)) == 10 * GROUP - len(set(history.items.tolist()))


def test_a_planted_pattern_is_learnt(fitted: tuple[str, Scorer]) -> None:
    """From two items of a group the other two follow; what is only popular cannot know."""
    name, scorer = fitted
    log = planted()
    histories = [History(each.items[:2], each.weights[:2]) for each in histories_of(log)]
    found = proposed(scorer.scores(histories), [history.items for history in histories], 2)
    hits = np.mean([len(set(row) & set(each.items[2:].tolist())) / 2 for row, each in zip(found, histories_of(log), strict=True)])
    assert hits < 0.2 if name == "popular" else hits > 0.9


@pytest.mark.parametrize("name", [name for name in MODELS if name != "ranked"])  # its own tests say how exact it is
def test_the_same_seed_gives_the_same_scores(name: str) -> None:
    log = planted(users=40, groups=5)
    first, again = made(name), made(name)
    first.fit(log)
    again.fit(log)
    histories = histories_of(log)[:5]
    np.testing.assert_array_equal(first.scores(histories), again.scores(histories))


def test_order_matters_to_the_sequence_model() -> None:
    scorer = made("sequence")
    scorer.fit(planted())
    forward = histories_of(planted())[0].items[:2]
    ones = np.ones(2, np.float32)
    there, back = scorer.scores([History(forward, ones), History(forward[::-1].copy(), ones)])
    assert not np.allclose(there, back, atol=1e-2)


def test_training_of_the_sequence_model_is_resumed(tmp_path: Path) -> None:
    log = planted(users=40, groups=5)
    plan = SequencePlan(epochs=3, least_steps=0, batch=16, seed=3, network=SMALL.network)
    whole = train(log, plan, tmp_path)
    again = train(log, plan, tmp_path)  # finished: nothing is left to do
    assert (tmp_path / "checkpoint.pt").is_file()
    for left, right in zip(whole.parameters(), again.parameters(), strict=True):
        assert left.equal(right)


def test_the_blend_believes_the_source_that_is_right() -> None:
    blend = BlendScorer({"popular": made("popular"), "itemknn": made("itemknn")}, seed=1)
    blend.fit(planted(users=400))
    assert sum(blend.weights["itemknn"]) > 2 * sum(blend.weights["popular"])


def test_the_blend_does_without_a_source_that_the_log_does_not_suit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "LARGEST_EASE", 3)
    blend = BlendScorer({"ease": made("ease"), "itemknn": made("itemknn")})
    blend.fit(planted())
    assert list(blend.weights) == ["itemknn"]
    with pytest.raises(UnsuitableLogError, match="none of ease can learn"):
        BlendScorer({"ease": made("ease")}).fit(planted())


def test_a_log_without_a_pair_still_gives_scores() -> None:
    collector = Collector()
    collector.add("u", "i", 0.0)
    log = collector.finish("one row")
    for name in MODELS.keys() - {"ranked"}:
        scorer = made(name)
        scorer.fit(log)
        assert np.isfinite(scorer.scores(histories_of(log))).all(), name


def test_a_model_that_a_log_is_too_large_for_is_skipped_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "LARGEST_EASE", 3)
    monkeypatch.setattr(neighbours, "MOST_PAIRS", 30)
    asked = {name: made(name) for name in ("ease", "itemknn", "popular")}
    rows = list(compared(Question(split(planted(), "leave-one-out")), asked))
    assert "3; use itemknn" in str(rows[0]["skipped"])
    assert "30; use ials" in str(rows[1]["skipped"])
    assert rows[2]["hr"] is not None
