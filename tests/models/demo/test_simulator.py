"""The simulated viewers are reproducible, behave plausibly, and act on what was planted in them."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from models.demo.catalog import demo_products, demo_rooms
from models.demo.simulator import complement, preferences, simulate
from models.types import Event, ViewerId

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)


def simulated(viewers: int = 40, days: float = 4.0, seed: int = 5) -> list[Event]:
    return list(simulate(demo_products(), demo_rooms(), viewers=viewers, days=days, seed=seed, until=UNTIL))


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return simulated()


def by_viewer(events: list[Event]) -> dict[ViewerId, list[Event]]:
    grouped = defaultdict[ViewerId, list[Event]](list)
    for event in events:
        if not event.viewer_id.startswith("host-"):
            grouped[event.viewer_id].append(event)
    return grouped


def test_the_same_seed_gives_the_same_events_and_another_seed_others(events: list[Event]) -> None:
    assert simulated() == events
    assert simulated(seed=6) != events


def test_ids_are_unique_and_times_are_ordered_within_the_window(events: list[Event]) -> None:
    assert len({event.event_id for event in events}) == len(events)
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert all(UNTIL - timedelta(days=4) <= event.at < UNTIL for event in events)


def test_every_kind_of_event_of_the_funnel_occurs(events: list[Event]) -> None:
    assert {"enter", "leave", "watch", "impression", "click", "like", "cart", "purchase", "display"} <= {e.type for e in events}


def test_what_a_viewer_does_comes_in_a_plausible_order(events: list[Event]) -> None:
    needs = {"click": "impression", "like": "click", "cart": "click", "purchase": "cart"}
    for log in by_viewer(events).values():
        seen = set[tuple[str, str]]()
        room = None
        for event in log:
            if event.type in needs:
                assert (needs[event.type], str(event.product_id)) in seen
            assert event.room_id == (event.room_id if event.type == "enter" else room)
            room = event.room_id if event.type == "enter" else None if event.type == "leave" else room
            seen.add((event.type, str(event.product_id)))


def test_a_viewer_does_not_depend_on_how_many_others_there_are(events: list[Event]) -> None:
    alone = by_viewer(simulated(viewers=3))
    together = by_viewer(events)
    assert all(together[viewer_id] == log for viewer_id, log in alone.items())


def test_viewers_click_on_what_was_planted_in_them(events: list[Event]) -> None:
    products = {product.product_id: product for product in demo_products()}
    clicked, passed = list[float](), list[float]()
    for viewer_id, log in by_viewer(events).items():
        truth = preferences(viewer_id, 5)
        chosen = {event.product_id for event in log if event.type == "click"}
        for event in log:
            if event.type == "impression" and event.product_id is not None:
                (clicked if event.product_id in chosen else passed).append(truth.affinity(products[event.product_id]))
    assert sum(clicked) / len(clicked) > sum(passed) / len(passed) + 1.5


def test_what_goes_together_is_planted_per_seed() -> None:
    products = demo_products()
    pairs = {product.product_id: complement(product.product_id, products, 5) for product in products}
    assert all(product_id != other for product_id, other in pairs.items())
    assert pairs != {product.product_id: complement(product.product_id, products, 6) for product in products}


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        simulate(demo_products(), demo_rooms(), viewers=1, days=1.0, seed=0, until=datetime(2026, 1, 1))


def test_a_shop_without_rooms_is_simulated_too() -> None:
    events = list(simulate(demo_products(), (), viewers=5, days=2.0, seed=0, until=UNTIL))
    assert events
    assert all(event.room_id is None for event in events)
