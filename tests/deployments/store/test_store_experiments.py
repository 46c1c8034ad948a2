"""Exposures, what viewers did before and since, and weights that replicas agree on: one suite, both databases."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from alembic import command
from sqlalchemy import text

from deployments.store import Allocation, Exposure, NewExposure, Store, StoreOptions, experiments, tallies
from deployments.store.database import Database
from deployments.store.migrate import alembic_config
from graphs.errors import InvalidRow
from models.evaluation.experiments import MEASURES
from models.types import Event, EventId, EventType, ViewerId
from tests.deployments.store.examples import BY, START, event


def exposed(viewer: str, variant: str = "control", *, after_s: float = 0.0, experiment: str = "ranker") -> NewExposure:
    return NewExposure(experiment, variant, ViewerId(viewer), START + timedelta(seconds=after_s))


def did(number: int, viewer: str, kind: EventType, after_s: float, value: float | None = None) -> Event:
    return Event(EventId(f"e{number}"), ViewerId(viewer), kind, START + timedelta(seconds=after_s), value=value)


async def known(store: Store, *viewers: str) -> None:
    await store.append_events([did(10_000 + place, viewer, "enter", -1.0) for place, viewer in enumerate(viewers)])


async def test_the_first_variant_of_a_viewer_stays(store: Store) -> None:
    await known(store, "v1", "v2")
    assert await store.note_exposures([exposed("v1", "a"), exposed("v1", "b"), exposed("v1", "b", experiment="other")]) == {
        ("ranker", "v1"): "a",
        ("other", "v1"): "b",
    }
    held = await store.note_exposures([exposed("v1", "b", after_s=9), exposed("v2", "b")])
    assert (held["ranker", ViewerId("v1")], held["ranker", ViewerId("v2")]) == ("a", "b")
    assert await store.exposure("ranker", ViewerId("v1")) == "a"
    assert await store.exposure("ranker", ViewerId("v3")) is None
    record = await store.viewer(ViewerId("v1"))
    assert record is not None
    assert record.exposures == (Exposure("other", "b", START), Exposure("ranker", "a", START))


async def test_of_viewers_who_are_not_known_nothing_is_held(store: Store) -> None:
    assert await store.note_exposures([exposed("v1")]) == {}
    assert await store.viewer(ViewerId("v1")) is None
    assert await store.experiment_sums("ranker") == []


async def test_what_no_database_could_hold_is_refused(store: Store) -> None:
    with pytest.raises(InvalidRow):
        await store.note_exposures([exposed("v\ud800")])


async def test_many_writers_of_one_exposure_keep_one(store: Store) -> None:
    await known(store, "v1")
    held = await asyncio.gather(*(store.note_exposures([exposed("v1", f"variant-{number}")]) for number in range(20)))
    assert len({one["ranker", ViewerId("v1")] for one in held}) == 1


async def test_what_viewers_did_is_summed_from_their_own_exposure_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "VIEWERS_AT_ONCE", 2)
    monkeypatch.setattr(tallies, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(experiments, "SUMMED_AT_ONCE", 2)
    await store.append_events(
        [
            did(1, "v1", "impression", -10), did(2, "v1", "click", -5), did(3, "v1", "purchase", -4, 50.0),
            did(4, "v1", "impression", 0), did(5, "v1", "impression", 1), did(6, "v1", "click", 2), did(7, "v1", "purchase", 3, 20.5),
            did(8, "v1", "purchase", 4), did(9, "v1", "like", 5),
            did(10, "v2", "impression", 50), did(11, "v2", "impression", 150),
            did(12, "v3", "impression", 1), did(13, "v4", "enter", 1), did(14, "v5", "click", 1), did(15, "other", "click", 1),
            did(16, "v1", "click", -40 * 86_400),
        ]
    )  # fmt: skip
    await store.note_exposures([exposed("v1", "a"), exposed("v2", "a", after_s=100), *(exposed(f"v{number}", "b") for number in (3, 4, 5))])
    found = {one.variant: one.products for one in await store.experiment_sums("ranker")}
    assert {variant: products.shape for variant, products in found.items()} == dict.fromkeys("ab", (len(MEASURES),) * 2)
    viewers = np.array([[1, 2, 1, 2, 20.5, 1, 1, 1, 50], [1, 1, 0, 0, 0, 1, 0, 0, 0]])
    np.testing.assert_allclose(found["a"], viewers.T @ viewers)
    assert dict(zip(MEASURES, found["b"][0], strict=True)) == dict.fromkeys(MEASURES, 0.0) | {
        "viewers": 3.0,
        "impressions": 1.0,
        "clicks": 1.0,
    }


async def test_sums_made_bit_by_bit_are_those_made_at_once(new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever they are asked for in between, in whatever slices, and whoever is erased meanwhile."""
    monkeypatch.setattr(tallies, "EVENTS_AT_ONCE", 7)
    monkeypatch.setattr(tallies, "VIEWERS_AT_ONCE", 3)
    rng = np.random.default_rng(3)
    kinds: tuple[EventType, ...] = ("impression", "click", "purchase", "like")
    async with await Store.open(new_database()) as often, await Store.open(new_database()) as once:
        for step in range(12):
            drawn = rng.integers(0, [15, 4, 100], size=(10, 3)).tolist()
            batch = [did(100 * step + n, f"v{v}", kinds[kind], at - 50, 1.25 * at) for n, (v, kind, at) in enumerate(drawn)]
            given = [exposed(f"v{v}", "ab"[v % 2], after_s=at - 50) for v, _, at in drawn[:4]]
            for store in (often, once):
                await store.append_events(batch)
                await store.note_exposures(given)
            await often.experiment_sums("ranker")
            if step == 6:
                for store in (often, once):
                    await store.erase_viewer(ViewerId(f"v{drawn[0][0]}"), actor=BY)
        found, expected = [{one.variant: one.products for one in await store.experiment_sums("ranker")} for store in (often, once)]
        assert found.keys() == expected.keys() == {"a", "b"}
        for variant, products in found.items():
            np.testing.assert_allclose(products, expected[variant])


async def test_a_start_finds_the_sums_of_before_without_counting_events_again(new_database: Callable[[], str]) -> None:
    url = new_database()
    async with await Store.open(url) as store:
        await store.append_events([did(number, f"v{number % 5}", "click", number) for number in range(1, 40)])
        await store.note_exposures([exposed(f"v{number}", "ab"[number % 2]) for number in range(5)])
        before = await store.experiment_sums("ranker")
    database = Database(url, StoreOptions())
    with database.engine.begin() as connection:
        connection.execute(text("DELETE FROM events"))  # what is counted is not looked at any more
    await database.close()
    async with await Store.open(url) as store:
        after = await store.experiment_sums("ranker")
    assert [one.variant for one in after] == ["a", "b"]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.products, other.products)


async def test_an_erased_viewer_counts_under_the_token_of_their_events(store: Store) -> None:
    await store.append_events([did(1, "v1", "impression", 1), did(2, "v1", "click", 2)])
    await store.note_exposures([exposed("v1", "a"), exposed("v1", "a", experiment="other")])
    before = await store.experiment_sums("ranker")
    assert await store.erase_viewer(ViewerId("v1"), actor=BY)
    assert await store.viewer(ViewerId("v1")) is None
    (nobody,) = {numbered.event.viewer_id for numbered in await store.events_since(0)}
    record = await store.viewer(nobody)
    assert record is not None
    assert {one.experiment for one in record.exposures} == {"ranker", "other"}
    np.testing.assert_allclose((await store.experiment_sums("ranker"))[0].products, before[0].products)
    assert await store.note_exposures([exposed("v1", "b")]) == {}
    await store.append_events([event(3)])
    assert await store.note_exposures([exposed("v1", "b")]) == {("ranker", "v1"): "b"}


async def test_the_first_to_write_a_periods_weights_decides_for_all(store: Store) -> None:
    assert await store.allocation("ranker") is None
    given = [{"a": number / 10, "b": 1 - number / 10} for number in range(1, 6)]
    answers = await asyncio.gather(*(store.allocate("ranker", 7, weights) for weights in given))
    assert all(answer == answers[0] for answer in answers)
    later = await store.allocate("ranker", 8, {"a": 1.0, "b": 0.0})
    assert later == Allocation(8, {"a": 1.0, "b": 0.0})
    assert await store.allocation("ranker") == later
    assert await store.allocation("other") is None


async def test_exposures_outlive_the_migration_there_and_back(new_database: Callable[[], str]) -> None:
    url = new_database()
    async with await Store.open(url) as store:
        await known(store, "v1", "v2")
        await store.note_exposures([exposed("v2", "b"), exposed("v1", "a", after_s=1)])
    database, config = Database(url, StoreOptions()), alembic_config()
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")
        assert connection.execute(text("SELECT seq, viewer_id FROM exposures ORDER BY seq")).all() == [(1, "v2"), (2, "v1")]
        command.upgrade(config, "head")
    await database.close()
    async with await Store.open(url) as store:
        assert await store.exposure("ranker", ViewerId("v1")) == "a"
