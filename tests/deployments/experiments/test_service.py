"""Who gets what: the same everywhere, kept when weights move, and told in the answer."""

import asyncio
import io
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from deployments.experiments import service
from deployments.experiments.service import Experiments, draw, takes_part
from deployments.ingress.fakes import fake_gateway, fake_models
from deployments.settings import ExperimentConfig, IngressConfig
from deployments.store import Store
from graphs.answer import AnswerRequest
from graphs.errors import GraphError, NotFound, Unavailable
from graphs.flow import Run
from graphs.moment import MomentRequest
from graphs.recommend import Exposure, RecommendRequest
from graphs.rooms import RoomsRequest
from models.types import Event, EventId, ViewerId
from tests.deployments.store.examples import BY, START, product

VIEWERS = [ViewerId(f"viewer-{number}") for number in range(400)]


def config(**given: object) -> ExperimentConfig:
    variants = {"control": {}, "plain": {"use_fallback": ["rank"]}}
    return ExperimentConfig.model_validate({"graph": "recommend", "variants": variants, **given})


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(f"sqlite:///{tmp_path / 'livecart.db'}") as opened:
        await opened.append_events([Event(EventId(viewer), viewer, "enter", START) for viewer in VIEWERS])
        await opened.put_products([product(1), product(2)], actor=BY)
        yield opened


async def chosen(experiments: Experiments, settings: ExperimentConfig) -> dict[ViewerId, str | None]:
    return {viewer: await experiments.choose("x", settings, RecommendRequest(viewer)) for viewer in VIEWERS}


async def test_every_replica_gives_a_viewer_the_same_variant(store: Store) -> None:
    one, two = Experiments(store), Experiments(store)
    for replica in (one, two):
        replica.apply({"x": config()})
    assert await chosen(one, config()) == await chosen(two, config())
    shares = Counter((await chosen(one, config())).values())
    assert abs(shares["plain"] - 200) < 60
    assert one.exposures.waiting == len(VIEWERS)


async def test_without_a_viewer_or_a_place_in_the_experiment_nobody_is_exposed(store: Store) -> None:
    experiments = Experiments(store)
    settings = config(traffic=0.25)
    experiments.apply({"x": settings})
    assert await experiments.choose("x", settings, "a request without a viewer") is None
    part = {viewer: variant for viewer, variant in (await chosen(experiments, settings)).items() if variant is not None}
    assert abs(len(part) - 100) < 40
    assert experiments.exposures.waiting == len(part)
    assert abs(Counter(part.values())["plain"] - len(part) / 2) < 30  # who takes part has nothing to do with who gets what


def test_the_draw_is_the_same_on_every_machine_and_in_every_version() -> None:
    assert [draw("ranker", {"a": 0.5, "b": 0.5}, ViewerId(f"viewer-{number}")) for number in range(8)] == list("abbbaaaa")
    assert [takes_part("ranker", config(traffic=0.3), ViewerId(f"viewer-{number}")) for number in range(8)].count(True) in range(6)


async def test_the_gateway_runs_the_variant_and_the_answer_names_it(store: Store) -> None:
    gateway = fake_gateway(store)
    await gateway.configure(IngressConfig(experiments={"x": config()}))
    seen: dict[str, set[str]] = {}
    for viewer in VIEWERS[:30]:
        run = await gateway.run("recommend", RecommendRequest(viewer), budget_s=5)
        shown = gateway.experiments.shown(run)
        assert shown is not None
        assert run.variants == {"x": shown.variant} == {shown.name: shown.variant}
        seen.setdefault(shown.variant, set()).add(viewer)
    assert len(seen) == 2
    other = await gateway.run("rooms", RoomsRequest(VIEWERS[0]), budget_s=5)
    assert gateway.experiments.shown(other) is None
    await gateway.experiments.close()
    for variant, viewers in seen.items():
        assert [await store.exposure("x", ViewerId(viewer)) for viewer in viewers] == [variant] * len(viewers)


async def test_settings_that_cannot_be_applied_change_nothing(store: Store) -> None:
    gateway = fake_gateway(store)
    await gateway.configure(IngressConfig(experiments={"x": config()}))
    before = gateway.graphs
    for wrong in ({"recommender": "/absent"}, {"use_fallback": ["nothing"]}):
        with pytest.raises(GraphError):
            await gateway.configure(IngressConfig(experiments={"y": config(variants={"control": {}, "plain": wrong})}))
    assert gateway.graphs is before
    assert (await gateway.experiments.result("x")).name == "x"
    with pytest.raises(NotFound, match="no experiment `y`; the settings of the ingress have x"):
        await gateway.experiments.result("y")


async def test_replicas_agree_on_moved_weights_and_viewers_keep_what_they_had(store: Store) -> None:
    moving = config(allocation="thompson")
    one, two = Experiments(store), Experiments(store)
    for replica in (one, two):
        replica.apply({"x": moving})
    before = await chosen(one, moving)
    await one.exposures.flush()
    at = datetime.now(UTC)
    happened = [Event(EventId(f"i-{viewer}"), viewer, "impression", at) for viewer in VIEWERS]
    liked = [viewer for viewer, variant in before.items() if variant == "plain"]
    happened += [Event(EventId(f"c-{viewer}"), viewer, "click", at) for viewer in liked[::2]]
    await store.append_events(happened)
    await asyncio.gather(one.move_weights("x", now_s=time.time()), two.move_weights("x", now_s=time.time()))
    assert one.weights("x", moving) == two.weights("x", moving) == {"control": 0.05, "plain": 0.95}
    assert await chosen(two, moving) == before
    new = [await two.choose("x", moving, RecommendRequest(ViewerId(f"new-{number}"))) for number in range(300)]
    assert new.count("plain") > 255


async def test_the_running_experiments_write_exposures_and_move_weights(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LOOK_EVERY_S", 0.01)
    moving = config(allocation="thompson")
    experiments = Experiments(store)
    experiments.apply({"x": moving, "gone": config(allocation="thompson", enabled=False)})
    now = time.time()
    await store.allocate("x", int(now // moving.reallocate_every_s) + 1, {"control": 0.2, "plain": 0.8})  # another replica's clock is ahead
    running = asyncio.create_task(experiments.run())
    variant = await experiments.choose("x", moving, RecommendRequest(VIEWERS[0]))
    for _ in range(1_000):
        if await store.exposure("x", VIEWERS[0]) is not None and experiments.weights("x", moving)["plain"] == 0.8:
            break
        await asyncio.sleep(0.01)
    running.cancel()
    assert await store.exposure("x", VIEWERS[0]) == variant
    assert experiments.weights("x", moving) == {"control": 0.2, "plain": 0.8}
    edited = config(allocation="thompson", variants={"control": {}, "other": {}})
    assert experiments.weights("x", edited) == {"control": 0.5, "other": 0.5}
    assert await store.allocation("gone") is None


async def test_a_streamed_answer_is_the_viewers_variant(store: Store) -> None:
    gateway = fake_gateway(store)
    wording = {"graph": "answer", "variants": {"control": {}, "hasty": {"timeouts_s": {"intent": 0.5}}}}
    settings = IngressConfig.model_validate({"experiments": {"wording": wording}})
    await gateway.configure(settings)
    heard: set[str] = set()
    for viewer in VIEWERS[:12]:
        asked = AnswerRequest("where does the fake shop deliver?", viewer_id=viewer)
        async with aclosing(gateway.stream("answer", asked, budget_s=5)) as steps:
            run = [step async for step in steps][-1]
        assert isinstance(run, Run)
        assert run.variants == {"wording": await gateway.experiments.choose("wording", settings.experiments["wording"], asked)}
        heard |= set(run.variants.values())
    assert heard == {"control", "hasty"}


async def test_results_are_kept_for_some_seconds_and_made_once_for_all(store: Store) -> None:
    experiments = Experiments(store)
    experiments.apply({"x": config(), "off": config(enabled=False)})
    await chosen(experiments, config())
    await experiments.exposures.flush()
    first, second = await asyncio.gather(experiments.result("x"), experiments.result("x"))
    assert first.computed_at == second.computed_at == (await experiments.result("x")).computed_at
    assert sum(variant.viewers for variant in first.variants) == len(VIEWERS)
    assert [found.name for found in await experiments.results()] == ["x", "off"]


async def test_a_store_that_is_away_costs_no_answer_but_results(store: Store) -> None:
    experiments = Experiments(store)
    moving = config(allocation="thompson")
    experiments.apply({"x": moving})
    await store.close()
    assert await experiments.choose("x", moving, RecommendRequest(VIEWERS[0])) in ("control", "plain")
    with pytest.raises(Unavailable):
        await experiments.result("x")
    await experiments.close()
    assert experiments.exposures.waiting == 1


@pytest.mark.parametrize(
    "edited",
    [
        {},
        {"x": config(variants={"fresh": {}, "other": {}})},
        {"x": config(enabled=False)},
        {"y": config(graph="rooms", variants={"fresh": {}, "other": {"timeouts_s": {"history": 0.5}}})},
    ],
    ids=["gone", "other variants", "off", "another graph"],
)
async def test_a_request_under_way_ends_on_the_settings_that_it_began_with(store: Store, edited: dict[str, ExperimentConfig]) -> None:
    models = fake_models()
    gateway = fake_gateway(store, models)
    await gateway.configure(IngressConfig(experiments={"x": config()}))
    models.detector.delay_s = 0.5
    frame = picture()
    running = [asyncio.create_task(gateway.run("moment", MomentRequest(frame, viewer), budget_s=5)) for viewer in VIEWERS[:8]]
    await asyncio.sleep(0.02)
    assert gateway.ongoing == len(running)
    await gateway.configure(IngressConfig(experiments=edited))
    expected = [draw("x", {"control": 0.5, "plain": 0.5}, viewer) for viewer in VIEWERS[:8]]
    runs = await asyncio.gather(*running)
    assert [run.variants for run in runs] == [{"x": label} for label in expected]
    assert {run.degraded for run in runs} == {False}
    assert [gateway.experiments.shown(run) for run in runs] == [Exposure("x", label) for label in expected]
    assert set(expected) == {"control", "plain"}


def picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (640, 480)).save(written, "PNG")
    return written.getvalue()
