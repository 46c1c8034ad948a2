"""What is odd about a log is told before anybody trains on it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from models.interactions.event_log import EventLog
from models.interactions.quality import data_report
from models.types import Event, EventId, EventType, ProductId, ViewerId

START = datetime(2026, 1, 1, tzinfo=UTC)


def log(count: int = 2_000, *, kinds: Sequence[EventType] = ("impression", "click"), days: float = 10.0) -> list[Event]:
    return [
        Event(
            EventId(f"e{number}"),
            ViewerId(f"v{number % 100}"),
            kinds[number % len(kinds)],
            START + timedelta(days=days * number / count),
            product_id=ProductId(f"p{number % 20}"),
        )
        for number in range(count)
    ]


def moved(events: Sequence[Event], *, by: str, days: float = 0.0) -> list[Event]:
    """The same under other ids, and later."""
    return [replace(one, event_id=EventId(by + one.event_id), at=one.at + timedelta(days=days)) for one in events]


PRODUCTS = frozenset(ProductId(f"p{number}") for number in range(20))


def test_an_even_log_raises_no_alarm() -> None:
    found = data_report(EventLog.of(log()), PRODUCTS)
    assert found.alarms == ()
    assert (found.events, found.viewers, found.products) == (2_000, 100, 20)
    assert found.by_type == {"impression": 1_000, "click": 1_000}
    assert found.days == pytest.approx(10.0, abs=0.01)
    assert found.type_drift == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([], "no events"),
        (log(100), "teach little"),
        ([event for event in log() if not timedelta(days=4) < event.at - START < timedelta(days=6)], "empty"),
        ([*log(), *moved([one for one in log(20_000, days=0.0005) if one.viewer_id == "v1"], by="m")], "machines"),
        (log(kinds=("enter", "leave")), "nobody clicked"),
        ([*log(), *moved(log()[:1], by="s", days=-9_000.0)], "is a clock wrong"),
        ([*log(), *moved(log()[-1:], by="s", days=300.0)], "is a clock wrong"),
    ],
)
def test_what_is_odd_is_told(events: list[Event], said: str) -> None:
    assert any(said in alarm for alarm in data_report(EventLog.of(events), PRODUCTS).alarms)


def test_products_that_the_catalogue_lacks_and_another_mix_of_events_are_told() -> None:
    few = frozenset(ProductId(f"p{number}") for number in range(10))
    assert any("50%" in alarm for alarm in data_report(EventLog.of(log()), few).alarms)
    late = log(2_000, kinds=("cart",), days=1.0)
    shifted = [
        *log(),
        *(Event(EventId(f"l{e.event_id}"), e.viewer_id, e.type, e.at + timedelta(days=11), product_id=e.product_id) for e in late),
    ]
    assert any("shifted" in alarm for alarm in data_report(EventLog.of(shifted), PRODUCTS).alarms)


def test_other_products_than_before_are_told() -> None:
    since = START + timedelta(days=8)
    renamed = [one if one.at < since else replace(one, product_id=ProductId(f"new-{one.product_id}")) for one in log(5_000)]
    assert any("other products" in alarm for alarm in data_report(EventLog.of(renamed)).alarms)
