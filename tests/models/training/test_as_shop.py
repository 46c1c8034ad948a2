"""A log of interactions becomes events in the order in which they were."""

from dataclasses import replace
from itertools import pairwise

from models.interactions.log import Collector, Interactions
from models.training.as_shop import events_of, products_of


def log(*, has_times: bool) -> Interactions:
    collector = Collector()
    for number, item in enumerate(("b", "a", "c")):
        collector.add("u", item, 1e9 + 60.0 * number, "purchase" if item == "c" else None)
    return replace(collector.finish("a log", has_times=has_times), attributes={"a": ("red", "lamp")})


def test_entries_keep_their_order_times_and_types() -> None:
    events = list(events_of(log(has_times=True)))
    assert [(event.product_id, event.type) for event in events] == [("b", "click"), ("a", "click"), ("c", "purchase")]
    assert [event.at.timestamp() for event in events] == [1e9, 1e9 + 60, 1e9 + 120]


def test_without_times_entries_are_spread_over_one_day_in_their_order() -> None:
    events = list(events_of(log(has_times=False)))
    assert all(before.at < after.at for before, after in pairwise(events))
    assert (events[-1].at - events[0].at).total_seconds() < 86_400


def test_attributes_are_what_a_product_is_called() -> None:
    assert {product.product_id: product.title for product in products_of(log(has_times=True))} == {"a": "red lamp", "b": "b", "c": "c"}
