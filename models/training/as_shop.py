"""A log of interactions as the shop that it might come from: events for the pipeline that serves, and products of its items."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from models.interactions.log import Interactions
from models.types import Event, EventId, EventType, Money, Product, ProductId, ViewerId

LAST = datetime(2026, 1, 1, tzinfo=UTC)
_KINDS: dict[float, EventType] = {1.0: "click", 1.5: "share", 3.0: "cart", 5.0: "purchase"}


def events_of(log: Interactions) -> Iterator[Event]:
    """An event per entry, of the type whose interest its weight is, an untyped row a click.

    Without times a user's entries are spread evenly over one day, the same for all: nothing is then learnt from hours or from age.
    """
    day = timedelta(days=1)
    for user, places in enumerate(log.by_user()):
        for number, place in enumerate(places.tolist()):
            at = datetime.fromtimestamp(float(log.at[place]), UTC) if log.has_times else LAST - day * (1.0 - (number + 0.5) / len(places))
            kind = _KINDS.get(float(log.weight[place]), "click")
            product_id = ProductId(log.items[log.item[place]])
            yield Event(EventId(str(place)), ViewerId(log.users[user]), kind, at, product_id=product_id)


def products_of(log: Interactions) -> list[Product]:
    """A product per item; its attributes are its title, as far as the data state any."""
    free = Money(Decimal(0), "CNY")
    return [Product(ProductId(item), " ".join(log.attributes.get(item, ())) or item, "item", free) for item in log.items]
