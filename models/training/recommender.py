"""Trains the recommender: item-to-item weights, item vectors and the ranker, from nothing but events and products."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor

from models.artifacts import open_artifact, read_manifest, write_manifest
from models.demo.catalog import demo_products, demo_rooms
from models.demo.simulator import simulate
from models.evaluation.candidates import cases_of
from models.evaluation.recommender import JUDGED, KNOWN_UNTIL, evaluate
from models.evaluation.rooms import evaluate_rooms
from models.interactions.event_log import EventLog, Histories
from models.recommend.behaviour import Behaviour
from models.recommend.features import DENSE_NAMES, ItemVectors
from models.recommend.item_factors import Fit, item_to_item, item_vectors
from models.recommend.learned import LearnedSources
from models.recommend.passages import TextEmbedder
from models.recommend.ranker import Ranker, RankerConfig, WideAndDeep
from models.recommend.retriever import ShopIndex
from models.recommend.rooms import RoomRanker, Weights, load_weights, save_weights
from models.recommend.sources import Sources
from models.recommend.surroundings import Screen, Surroundings
from models.training.learned import LearnedPlan, Verdict, fit_learned, judged
from models.training.recommender_data import Examples, held_out, interest_matrix, popularity_before
from models.training.replay import Replay
from models.training.rooms import RoomVerdict, learnt_weights
from models.types import HISTORY_EVENTS, LearnedKind, ModelInputError, Product, ProductId, Room

KIND, SCHEMA = "recommender", 1
DEMO_UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
DEMO_SEED = 7  # of the world that `deployments.demo` fills the store with


@dataclass(frozen=True, slots=True)
class TrainOptions:
    held_out: float = 0.2  # share of viewers that are only tested on
    behaviour_until: float = 0.5  # share of the log's time: item weights for the ranker's training come from before it
    ranker_until: float = 0.75  # ranker examples come from before it, tests from after it
    requests: int = 10_000  # replayed for the ranker, however many events there are
    tested_viewers: int = 5_000  # at most, of those held out
    learning_viewers: int = 100_000  # at most, whom the learned sources (sequence, iALS) see; the other parts see everybody
    epochs: int = 8
    batch: int = 4_096
    learning_rate: float = 3e-3
    fit: Fit = field(default_factory=Fit)
    ranker: RankerConfig = field(default_factory=RankerConfig)
    learned: LearnedPlan = field(default_factory=LearnedPlan)


def train(  # noqa: PLR0913  # data, place and options of one run
    events: EventLog,
    products: Sequence[Product],
    rooms: Sequence[Room],
    out: Path,
    *,
    embedder: TextEmbedder,
    screen: Screen,
    seed: int,
    options: TrainOptions | None = None,
    data: Mapping[str, object] | None = None,
) -> dict[str, float]:
    """Train on the earlier events of most viewers, test on the later events of the others, write `out` with its manifest.

    `embedder` and `screen` must be those that serve, since similarity of texts is a source of candidates, and what a room shows leads to
    others. What takes long is sampled as the options say, and the manifest says of how many: `ranker_requests`, `tested_viewers`,
    `learning_viewers`. `data` describes the events in the
    manifest. Returns the metrics of `models.evaluation.recommender.evaluate`. Raises ValueError when there is nothing to learn from.
    """
    options = options or TrainOptions()
    everybody = Histories(events)
    if not len(everybody):
        raise ValueError("no events of viewers to train on; import events first or simulate some")
    kept, tested = _parted(everybody, options, seed)
    shop = ShopIndex(embedder, picture_dim=1, factor_dim=options.fit.factor_dim)
    shop.put_products(products)
    middle, end = everybody.moment(options.behaviour_until), everybody.moment(options.ranker_until)
    early, verdicts = chosen(kept, products, shop, (middle, end), options, seed)
    surroundings = Surroundings(events, rooms, screen)
    examples = replayed(kept, surroundings, early, (middle, end), options, seed)
    model = fit_ranker(examples, options, seed)
    weights, room_verdict = learnt_weights(kept.some(options.tested_viewers, seed), rooms, RoomRanker(shop), (middle, end), seed)
    behaviour = fit_behaviour(kept, products, end, options.fit, seed)
    shop.put_factors(behaviour.item_vectors())
    learners = kept.some(options.learning_viewers, seed)
    learned = fit_learned(learners, products, end, replace(options.learned, kinds=early.learned.kinds), seed)
    ranker = Ranker(model, ItemVectors.stacked(behaviour.item_vectors(), options.fit.factor_dim), options.ranker)
    metrics = {
        **evaluate(tested, surroundings, Sources(behaviour, shop, learned), ranker, end),
        **evaluate_rooms(tested, rooms, RoomRanker(shop, weights), end),
    }
    sampled = {"ranker_requests": len(np.unique(examples.group)), "tested_viewers": len(tested), "learning_viewers": len(learners)}
    described = {**_described(everybody, end, verdicts, room_verdict), **sampled, **(data or {})}
    _write(out, Parts(behaviour, learned, ranker, weights), metrics, seed, described)
    return metrics


def _parted(everybody: Histories, options: TrainOptions, seed: int) -> tuple[Histories, Histories]:
    """Those who teach, and those who are only tested on."""
    is_tested = held_out(everybody.log, options.held_out)
    return everybody.among(~is_tested), everybody.among(is_tested).some(options.tested_viewers, seed)


def _described(
    everybody: Histories, known_until: datetime, verdicts: Mapping[LearnedKind, Verdict], rooms: RoomVerdict | None
) -> dict[str, object]:
    """What was trained on and what came of it, for the manifest."""
    return {
        "events": everybody.event_count,
        "viewers": len(everybody),
        KNOWN_UNTIL: known_until.isoformat(),
        "history_events": HISTORY_EVENTS,
        "sources": as_data(verdicts),
        **({} if rooms is None else {"rooms": asdict(rooms)}),
    }


def refit(out: Path, events: EventLog, products: Sequence[Product], *, seed: int, options: TrainOptions | None = None) -> None:
    """Sources of candidates of an artifact once more, now from all events: to be done when it was judged.

    The ranker's weights stay. What was judged is kept in `JUDGED` below it, to be judged again beside a later version: sources that
    know how the log ends would look better than they are. Raises ArtifactError for a folder that `train` did not write.
    """
    options = options or TrainOptions()
    manifest = read_manifest(open_artifact(out, kind=KIND, schema=SCHEMA))
    if not (out / JUDGED).exists():
        copytree(out, out / JUDGED)
    everybody = Histories(events)
    until = everybody.moment(1.0) + timedelta(seconds=1)
    behaviour = fit_behaviour(everybody, products, until, options.fit, seed)
    learners = everybody.some(options.learning_viewers, seed)
    learned = fit_learned(learners, products, until, replace(options.learned, kinds=LearnedSources.load(out).kinds), seed)
    ranker = Ranker.load(out).with_vectors(ItemVectors.stacked(behaviour.item_vectors(), options.fit.factor_dim))
    _write(
        out,
        Parts(behaviour, learned, ranker, load_weights(out)),
        manifest["metrics"],
        seed,
        {**manifest["data"], "refitted": "on all events, after the metrics"},
    )


def train_on_demo(  # noqa: PLR0913  # of the demo, and what serving is made of
    out: Path,
    *,
    embedder: TextEmbedder,
    screen: Screen,
    seed: int = DEMO_SEED,
    viewers: int = 1500,
    days: float = 28.0,
    options: TrainOptions | None = None,
) -> dict[str, float]:
    """Make the shipped recommender: `train` on simulated viewers of the demo shop. Returns the metrics."""
    products, rooms = demo_products(), demo_rooms()
    events = EventLog.of(simulate(products, rooms, viewers=viewers, days=days, seed=seed, until=DEMO_UNTIL))
    data = {"source": "models.demo.simulator", "simulated_viewers": viewers, "days": days, "until": DEMO_UNTIL.isoformat()}
    return train(events, products, rooms, out, embedder=embedder, screen=screen, seed=seed, options=options, data=data)


def fit_behaviour(histories: Histories, products: Sequence[Product], until: datetime, fit: Fit, seed: int) -> Behaviour:
    """Item weights, vectors and popularity from the events before `until`; popularity from what hosts displayed as well."""
    popularity = popularity_before(histories, until)
    items = sorted({*popularity.state()["ids"], *(product.product_id for product in products)})
    matrix = interest_matrix(histories, [ProductId(item) for item in items], until)
    return Behaviour([ProductId(item) for item in items], item_to_item(matrix, fit), item_vectors(matrix, fit, seed), popularity)


def chosen(
    histories: Histories,
    products: Sequence[Product],
    shop: ShopIndex,
    window: tuple[datetime, datetime],
    options: TrainOptions,
    seed: int,
) -> tuple[Sources, dict[LearnedKind, Verdict]]:
    """Sources that know what was before `window`, of the learned ones those that won on what came within it, and why."""
    behaviour = fit_behaviour(histories, products, window[0], options.fit, seed)
    if not behaviour.item_vectors():
        raise ModelInputError(
            f"nobody clicked, put into the cart or bought anything before {window[0]:%Y-%m-%d %H:%M}, where sources of candidates learn; "
            "send such events too, or import a longer log"
        )
    shop.put_factors(behaviour.item_vectors())
    learners = histories.some(options.learning_viewers, seed)
    sources = Sources(behaviour, shop, fit_learned(learners, products, window[0], options.learned, seed))
    verdicts = judged(sources, cases_of(histories.some(options.tested_viewers, seed), *window, seed=seed))
    serving = [kind for kind, verdict in verdicts.items() if verdict.serves]
    return replace(sources, learned=sources.learned.only(serving)), verdicts


def as_data(verdicts: Mapping[LearnedKind, Verdict]) -> dict[str, object]:
    """As an artifact's manifest states them."""
    return {kind: asdict(verdict) for kind, verdict in verdicts.items()}


def replayed(
    histories: Histories, surroundings: Surroundings, sources: Sources, window: tuple[datetime, datetime], options: TrainOptions, seed: int
) -> Examples:
    """What the ranker learns from: requests within `window`, answered by sources that know what was before it."""
    vectors = ItemVectors.stacked(sources.behaviour.item_vectors(), options.fit.factor_dim)
    replay = Replay(sources, vectors, surroundings, histories)
    return replay.examples(*window, requests=options.requests, seed=seed)


def fit_ranker(examples: Examples, options: TrainOptions, seed: int) -> WideAndDeep:
    """Fit on most viewers, calibrate on the rest."""
    torch.manual_seed(seed)
    model = WideAndDeep(options.ranker)
    calibration = examples.viewer % 7 == 0
    fitted, left = examples.where(~calibration), examples.where(calibration)
    dense = torch.from_numpy(fitted.rows[:, : len(DENSE_NAMES)])
    model.mean.copy_(dense.mean(dim=0))
    spread = dense.std(dim=0)
    model.scale.copy_(torch.where(spread > 0, 1.0 / spread.clamp(min=0.05), 0.0))  # of what never varied nothing can be learnt
    _descend(model, torch.from_numpy(fitted.rows), torch.from_numpy(fitted.labels), options)
    _calibrate(model, torch.from_numpy(left.rows), torch.from_numpy(left.labels))
    return model.eval()


def funnel_loss(log_chances: Tensor, labels: Tensor) -> Tensor:
    """Mean over rows of the summed binary cross-entropies of the three tasks; both arguments are float32 (n, 3)."""
    log_not = torch.log(-torch.expm1(log_chances.clamp(max=-1e-6)))
    return -(labels * log_chances + (1.0 - labels) * log_not).sum(dim=1).mean()


def _descend(model: WideAndDeep, rows: Tensor, labels: Tensor, options: TrainOptions) -> None:
    groups = [
        {"params": model.deep.parameters(), "weight_decay": 1e-2},
        {"params": model.wide.parameters(), "weight_decay": 1e-1},
    ]
    optimizer = torch.optim.AdamW(groups, lr=options.learning_rate)
    steps = options.epochs * -(-len(rows) // options.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.learning_rate, total_steps=steps)
    for _ in track(range(options.epochs), description="ranker", console=Console(stderr=True)):
        for batch in torch.split(torch.randperm(len(rows)), options.batch):
            optimizer.zero_grad()
            funnel_loss(model.calibrated(model.logits(rows[batch])), labels[batch]).backward()  # type: ignore[no-untyped-call]  # torch's own
            optimizer.step()
            schedule.step()


def _calibrate(model: WideAndDeep, rows: Tensor, labels: Tensor) -> None:
    """Platt scaling of the three conditional logits on viewers that the weights have not seen."""
    if len(rows) == 0:
        return
    with torch.no_grad():
        logits = model.logits(rows)
    optimizer = torch.optim.LBFGS([model.slope, model.bias], max_iter=50)

    def closure() -> float:
        optimizer.zero_grad()
        loss = funnel_loss(model.calibrated(logits), labels)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        return float(loss.detach())

    optimizer.step(closure)  # type: ignore[no-untyped-call]  # torch's own


@dataclass(frozen=True, slots=True)
class Parts:
    """What an artifact consists of."""

    behaviour: Behaviour
    learned: LearnedSources
    ranker: Ranker
    room_weights: Weights


def _write(out: Path, parts: Parts, metrics: Mapping[str, float], seed: int, data: Mapping[str, object]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    parts.behaviour.save(out)
    parts.learned.save(out)
    parts.ranker.save(out)
    save_weights(parts.room_weights, out)
    for path in filter(Path.is_file, out.iterdir()):
        path.chmod(0o644)  # safetensors writes for the owner only
    write_manifest(out, kind=KIND, schema=SCHEMA, command="livecart train recommender", seed=seed, data=data, metrics=metrics)
