"""The learned sources as they serve: they find what was planted, follow the latest click, and come back from their files."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from models.artifacts import write_manifest
from models.demo.catalog import demo_products, demo_rooms
from models.demo.simulator import preferences, simulate
from models.evaluation.candidates import cases_of, scores_by_source
from models.evaluation.recommender import ndcg
from models.interactions.event_log import EventLog, Histories
from models.recommend.factorised import AlsPlan, AlsScorer
from models.recommend.features import CROSS_NAMES, DENSE_NAMES, FEATURE_NAMES, source_columns
from models.recommend.hashed_text import HashedTextEmbedder
from models.recommend.history import touched
from models.recommend.learned import LearnedSources
from models.recommend.ranker import Ranker
from models.recommend.retriever import ShopIndex
from models.recommend.scoring import histories_of
from models.recommend.sequence import SequenceConfig, SequenceNetwork
from models.recommend.sequence_forward import SequenceForward
from models.recommend.sequence_source import SequenceSource
from models.recommend.sources import Sources
from models.training.learned import LearnedPlan, fit_learned, interactions_before, judged, named_sources
from models.training.recommender import TrainOptions, fit_behaviour
from models.training.sequence import SequencePlan
from models.types import ArtifactError, LearnedKind, ModelInputError, ProductId, RankRequest, ViewerId
from tests.models.recommend.conftest import NOW, event

SEED = 7
UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
PRODUCTS = demo_products()
SMALL = SequencePlan(epochs=0, least_steps=250, batch=64, network=SequenceConfig(items=1, dim=32, length=20, dropout=0.1, item_dropout=0.1))
PLAN = LearnedPlan(("sequence", "ials"), SMALL, AlsPlan(factors=16))


@pytest.fixture(scope="module")
def histories() -> Histories:
    return Histories(EventLog.of(simulate(PRODUCTS, demo_rooms(), viewers=150, days=14.0, seed=SEED, until=UNTIL)))


@pytest.fixture(scope="module")
def learned(histories: Histories) -> LearnedSources:
    """Trained on the first three quarters."""
    return fit_learned(histories, PRODUCTS, histories.moment(0.75), PLAN, SEED)


@pytest.fixture(scope="module")
def sources(histories: Histories, learned: LearnedSources) -> Sources:
    behaviour = fit_behaviour(histories, PRODUCTS, histories.moment(0.75), TrainOptions().fit, SEED)
    shop = ShopIndex(HashedTextEmbedder(), picture_dim=1, factor_dim=behaviour.factor_dim)
    shop.put_products(PRODUCTS)
    shop.put_factors(behaviour.item_vectors())
    return Sources(behaviour, shop, learned)


def test_what_a_viewer_likes_is_found_twice_as_well_as_by_popularity(histories: Histories, sources: Sources) -> None:
    """Against the planted truth itself: the ten products that the simulator made each viewer like best."""
    found: dict[str, list[float]] = {"sequence": [], "ials": [], "popular": []}
    at = histories.moment(0.75)
    for viewer_id, events in histories.items():
        past = events[: events.before(at)]
        if not touched(past, limit=1):
            continue
        truth = preferences(viewer_id, SEED)
        liked = {p.product_id for p in sorted(PRODUCTS, key=lambda p: -truth.affinity(p))[:10]}
        candidates = sources.learned.candidates(past, (), k=10, exclude=())
        found["popular"].append(ndcg([c.product_id for c in sources.behaviour.popularity.popular(10, ())], liked))
        for kind in ("sequence", "ials"):
            found[kind].append(ndcg([c.product_id for c in candidates if c.source == kind], liked))
    means = {name: float(np.mean(values)) for name, values in found.items()}
    assert means["sequence"] >= 2.0 * means["popular"], means
    assert means["ials"] >= 2.0 * means["popular"], means


def test_the_report_says_what_serves_and_why(histories: Histories, sources: Sources) -> None:
    cases = cases_of(histories, histories.moment(0.75), UNTIL, seed=SEED)
    verdicts = judged(sources, cases)
    scores = scores_by_source(sources, cases)
    for kind, verdict in verdicts.items():
        assert verdict.ndcg_at_10 == pytest.approx(scores[kind].mean())
        assert verdict.serves == (verdict.gain > 1.645 * verdict.gain_error)
        assert ("does not serve" in verdict.why) == (not verdict.serves)
    assert judged(replace(sources, learned=LearnedSources()), cases) == {}


def test_a_click_changes_the_next_answer(learned: LearnedSources) -> None:
    history = [event(PRODUCTS[0].product_id, ago_s=60.0)]
    before = learned.candidates(history, (), k=5, exclude=())
    after = learned.candidates([*history, event(PRODUCTS[30].product_id)], (), k=5, exclude=())
    for kind in learned.kinds:
        assert [c.product_id for c in before if c.source == kind] != [c.product_id for c in after if c.source == kind]


def test_candidates_are_ordered_bounded_and_without_what_is_excluded(learned: LearnedSources) -> None:
    clicked, excluded = PRODUCTS[0].product_id, frozenset(p.product_id for p in PRODUCTS[1:20])
    found = learned.candidates([event(clicked), event(ProductId("unknown"))], (PRODUCTS[40].product_id,), k=7, exclude=excluded)
    for kind in learned.kinds:
        own = [c for c in found if c.source == kind]
        assert len(own) == 7
        assert all(a.score >= b.score for a, b in pairwise(own))
        assert not {c.product_id for c in own} & {*excluded, PRODUCTS[40].product_id}
    assert learned.candidates([], (), k=7, exclude=()) == ()
    assert learned.candidates([event(ProductId("unknown"))], (), k=7, exclude=()) == ()


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("steps", [[3], [1, 2, 3, 3, 0], list(range(20))])
def test_the_served_forward_pass_is_that_of_the_network(layers: int, steps: list[int]) -> None:
    torch.manual_seed(SEED)
    network = SequenceNetwork(SequenceConfig(items=30, dim=16, layers=layers, length=20)).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    with torch.inference_mode():
        state = torch.nn.functional.normalize(network(torch.tensor([steps]))[0, -1], dim=-1)
        chances = torch.softmax(network.logits(state[None])[0], dim=0)
    served = SequenceForward(network.config, {name: tensor.numpy() for name, tensor in network.state_dict().items()})
    np.testing.assert_allclose(served.state(steps), state.numpy(), atol=1e-5)
    ids = [ProductId(str(number)) for number in range(30)]
    found = SequenceSource(network, ids).candidates([event(str(step)) for step in steps], (), k=30, exclude=())
    if len(set(steps)) == len(steps):  # else the history is cut to what is no repeat
        order = chances.argsort(descending=True)
        assert [c.product_id for c in found[:5]] == [str(place) for place in order[:5].tolist()]
        assert [c.score for c in found[:5]] == pytest.approx(chances[order[:5]].tolist(), rel=0.1)


def test_ials_scores_as_the_evaluation_does_and_names_what_speaks_most(histories: Histories) -> None:
    log = interactions_before(histories, PRODUCTS, UNTIL)
    assert log is not None
    scorer = AlsScorer(AlsPlan(factors=8), seed=3)
    scorer.fit(log)
    (source,) = fit_learned(histories, PRODUCTS, UNTIL, LearnedPlan(("ials",), ials=AlsPlan(factors=8)), 3)._sources
    history = histories_of(log)[0]
    events = [event(log.items[item]) for item in history.items[-3:]]
    scores = scorer.scores([replace(history, items=history.items[-3:], weights=np.ones(3, np.float32))])[0]
    for candidate in source.candidates(events, (), k=5, exclude=()):
        assert candidate.score == pytest.approx(scores[log.items.index(candidate.product_id)], rel=1e-3)
        assert candidate.because in {each.product_id for each in events}


def test_no_product_is_a_reason_for_itself(learned: LearnedSources) -> None:
    seen = [PRODUCTS[place].product_id for place in range(6)]
    for events in ([event(seen[0])], [event(product_id) for product_id in seen]):
        found = learned.only({"ials"}).candidates(events, (), k=len(PRODUCTS), exclude=())
        assert {candidate.product_id for candidate in found} & set(seen)
        assert all(candidate.because != candidate.product_id for candidate in found)


@pytest.mark.parametrize("serving", [("sequence", "ials"), ("ials",), ()])
def test_what_the_manifest_lets_serve_comes_back(learned: LearnedSources, tmp_path: Path, serving: Sequence[LearnedKind]) -> None:
    learned.save(tmp_path)
    data: dict[str, object] = {"sources": {kind: {"serves": kind in serving} for kind in learned.kinds}} if serving else {}
    write_manifest(tmp_path, kind="recommender", schema=1, command="", seed=0, data=data, metrics={})
    loaded = LearnedSources.load(tmp_path)
    assert loaded.kinds == tuple(serving)
    history = [event(p.product_id) for p in PRODUCTS[:4]]
    assert loaded.candidates(history, (), k=9, exclude=()) == learned.only(serving).candidates(history, (), k=9, exclude=())


def test_a_ranker_of_before_the_learned_sources_ranks_as_it_did(ranker: Ranker, tmp_path: Path) -> None:
    ranker.save(tmp_path)
    later = {column for kind in ("sequence", "ials") for column in source_columns(kind)}
    kept = [column for column in range(len(DENSE_NAMES)) if column not in later]
    tensors = load_file(tmp_path / "ranker.safetensors")
    save_file({name: _cut(tensor, name, kept) for name, tensor in tensors.items()}, tmp_path / "ranker.safetensors")
    described = json.loads((tmp_path / "ranker.json").read_text())
    described["feature_names"] = [*(DENSE_NAMES[column] for column in kept), *CROSS_NAMES]
    (tmp_path / "ranker.json").write_text(json.dumps(described))
    rows = np.zeros((3, len(FEATURE_NAMES)), dtype=np.float32)
    rows[:, kept] = np.linspace(0, 1, 3 * len(kept)).reshape(3, -1)
    old = Ranker.load(tmp_path)
    given = rows.copy()
    given[:, sorted(later)] = 1.0
    np.testing.assert_array_equal(old.score(given), old.score(rows))
    described["feature_names"][0] = "another"
    (tmp_path / "ranker.json").write_text(json.dumps(described))
    with pytest.raises(ArtifactError, match="other features"):
        Ranker.load(tmp_path)


def _cut(tensor, name: str, kept: list[int]):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  # a tensor
    return tensor[..., kept].contiguous() if name in {"mean", "scale", "deep.0.weight"} else tensor


def test_reasons_of_learned_sources_add_up_with_the_others(ranker: Ranker, learned: LearnedSources) -> None:
    history = (event(PRODUCTS[0].product_id, ago_s=30.0),)
    candidates = learned.candidates(history, (), k=10, exclude=())
    for item in ranker.rank(RankRequest(ViewerId("v"), history, candidates, (), (), NOW)):
        assert sum(weight for *_, weight in item.reasons) == pytest.approx(item.score, rel=1e-4)
        assert {source for source, *_ in item.reasons} <= {"sequence", "ials"}


def test_names_of_sources_are_checked() -> None:
    assert named_sources("auto") is None
    assert named_sources("none") == ()
    assert named_sources("ials, sequence") == ("sequence", "ials")
    with pytest.raises(ModelInputError, match="there is no learned source magic"):
        named_sources("magic")


def test_the_latest_steps_are_kept_repeats_in_a_row_once() -> None:
    history = [event("a"), event("a", "cart"), event("b", "impression"), event("c", "like"), event("a")]
    assert touched(history, limit=9) == ["a", "c", "a"]
    assert touched(history, (ProductId("a"), ProductId("d")), limit=3) == ["a", "d", "a"]
