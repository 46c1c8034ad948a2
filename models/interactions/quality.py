"""Is a log fit to train on? What it holds, what is odd about it, and whether its latest part still looks like what came before."""

from collections.abc import Set
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from models.interactions.event_log import DISPLAY, NONE, ROWS_AT_ONCE, TYPES, EventLog, Histories, microseconds
from models.types import ProductId

LATEST = 0.2  # of the log's events, compared with what came before
MOST_DRIFT = 0.25  # population stability index from which a distribution counts as another one (Siddiqi 2006)
MOST_PRODUCT_DRIFT = 1.0  # the same of products, since assortments do move; in fewer events than the next number they move by chance
FEWEST_COMPARED = 5_000
MOST_UNKNOWN = 0.05  # share of product events about products that are not in the catalogue
MOST_A_MINUTE = 120  # events of one viewer; people do less
FEWEST_EVENTS, FEWEST_VIEWERS = 1_000, 50
_STRAY = 0.01  # share of the events, at either end of the log
_MOST_STRETCHED = 3.0  # the span of all events by that of all but the stray ones
_COMPARED = 50  # values that are compared by themselves; the others count together
_FLOOR = 1e-4  # of a share, so that what is missing on one side has a logarithm
_MINUTE_US, _DAY_US = 60_000_000, 86_400_000_000

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DataReport:
    events: int
    viewers: int
    products: int  # that events name
    days: float  # from the first to the last
    dense_days: float  # of them those that hold all but a hundredth of the events at either end
    by_type: dict[str, int]
    unknown_products: float  # share of the events with a product whose product the catalogue lacks; 0 without a catalogue
    empty_days: int  # within the span, without any event
    hasty_viewers: int  # with more than `MOST_A_MINUTE` events in some minute
    type_drift: float  # population stability index of the event types, the latest fifth of the events against the rest
    product_drift: float  # of the products
    alarms: tuple[str, ...]  # what a person should look at before this is trained on

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def data_report(events: EventLog, catalogue: Set[ProductId] = frozenset()) -> DataReport:
    """Of viewers' events, hosts' displays left out; an empty log is one alarm. Counted a block at a time: memory does not grow."""
    histories = Histories(events)
    if not len(histories):
        return DataReport(0, 0, 0, 0.0, 0.0, {}, 0.0, 0, 0, 0.0, 0.0, ("there are no events of viewers",))
    first_us, last_us = (int(events.columns.at_us[place]) for place in (histories.order.min(), histories.order.max()))
    counts = _Counts.of(events, microseconds(histories.moment(1.0 - LATEST)))
    types, products = counts.types.sum(axis=0), counts.products.sum(axis=0)
    known = np.array([not catalogue or product_id in catalogue for product_id in events.products], dtype=np.bool_)
    found = DataReport(
        events=histories.event_count,
        viewers=len(histories),
        products=int((products > 0).sum()),
        days=(last_us - first_us) / _DAY_US,
        dense_days=(histories.moment(1.0 - _STRAY) - histories.moment(_STRAY)).total_seconds() * 1e6 / _DAY_US,
        by_type={TYPES[code]: int(types[code]) for code in np.argsort(-types, kind="stable").tolist() if types[code]},
        unknown_products=float(products[~known].sum() / products.sum()) if products.any() else 0.0,
        empty_days=last_us // _DAY_US - first_us // _DAY_US + 1 - len(counts.days),
        hasty_viewers=_hasty(histories),
        type_drift=stability(*counts.types),
        product_drift=stability(*counts.products),
        alarms=(),
    )
    return DataReport(**{**asdict(found), "alarms": _alarms(found)})


@dataclass(slots=True)
class _Counts:
    """Of viewers' events, before the latest part (row 0) and in it (row 1)."""

    types: Counts  # int64 (2, types)
    products: Counts  # int64 (2, products)
    days: set[int]  # since 1970, with an event

    @classmethod
    def of(cls, events: EventLog, latest_us: float) -> "_Counts":
        made = cls(np.zeros((2, len(TYPES)), dtype=np.int64), np.zeros((2, len(events.products)), dtype=np.int64), set())
        for _, block in events.blocks():
            own = block.type != DISPLAY
            made.days.update(np.unique(block.at_us[own] // _DAY_US).tolist())
            for row, side in enumerate((block.at_us <= latest_us, block.at_us > latest_us)):
                made.types[row] += np.bincount(block.type[own & side], minlength=len(TYPES))
                named = block.product[own & side & (block.product != NONE)]
                made.products[row] += np.bincount(named, minlength=len(events.products))
        return made


def stability(before: Counts, after: Counts) -> float:
    """Population stability index: sum over values of (a - b) ln(a / b) for their shares b before and a after; 0 when nothing changed.

    Both are int64 (values,): how often each value came. Beyond the most frequent ones before, all count as one. 0 when either side is
    empty.

    >>> stability(np.array([1, 1]), np.array([1, 1]))
    0.0
    >>> stability(np.array([9, 1]), np.array([1, 9])) > MOST_DRIFT
    True
    """
    if not before.any() or not after.any():
        return 0.0
    frequent = np.argsort(-before, kind="stable")[:_COMPARED]
    frequent = frequent[before[frequent] > 0]
    shares = [np.append(side[frequent], side.sum() - side[frequent].sum()) / side.sum() for side in (before, after)]
    b, a = (np.maximum(share, _FLOOR) for share in shares)
    return float(((a - b) * np.log(a / b)).sum())


def _hasty(histories: Histories) -> int:
    """Viewers with more than `MOST_A_MINUTE` events in some minute."""
    at_us, found = histories.log.columns.at_us, set[int]()
    for first in range(0, len(histories.order), ROWS_AT_ONCE):  # a viewer's minute reaches into the next block at most by itself
        places = histories.order[first : first + ROWS_AT_ONCE + MOST_A_MINUTE]
        viewer, minute = histories.log.columns.viewer[places], at_us[places] // _MINUTE_US
        last = len(places) - MOST_A_MINUTE
        if last > 0:
            is_hasty = (viewer[:last] == viewer[MOST_A_MINUTE:]) & (minute[:last] == minute[MOST_A_MINUTE:])
            found.update(viewer[:last][is_hasty].tolist())
    return len(found)


def _alarms(found: DataReport) -> tuple[str, ...]:
    told = {
        f"only {found.events} events of {found.viewers} viewers; fewer than {FEWEST_EVENTS} of {FEWEST_VIEWERS} teach little": (
            found.events < FEWEST_EVENTS or found.viewers < FEWEST_VIEWERS
        ),
        f"{found.unknown_products:.0%} of what viewers touched is not in the catalogue": found.unknown_products > MOST_UNKNOWN,
        f"a few events stretch the log from {found.dense_days:.1f} to {found.days:.1f} days: is a clock wrong?": (
            found.days > _MOST_STRETCHED * found.dense_days
        ),
        f"{found.empty_days} days are empty: was an import left out?": found.empty_days > 0,
        f"{found.hasty_viewers} viewers sent more than {MOST_A_MINUTE} events in a minute: machines?": found.hasty_viewers > 0,
        f"event types have shifted lately (index {found.type_drift:.2f}): has a client changed what it sends?": (
            found.type_drift > MOST_DRIFT
        ),
        f"viewers lately touch other products (index {found.product_drift:.2f}): has the assortment changed, or the ids?": (
            found.product_drift > MOST_PRODUCT_DRIFT and found.events >= FEWEST_COMPARED
        ),
        "nobody clicked, put anything into the cart or bought": not {"click", "cart", "purchase"} & found.by_type.keys(),
    }
    return tuple(text for text, is_so in told.items() if is_so)
