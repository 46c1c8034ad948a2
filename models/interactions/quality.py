"""Is a log fit to train on? What it holds, what is odd about it, and whether its latest part still looks like what came before."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from models.types import Event, ProductId

LATEST = 0.2  # of the log's time, compared with what came before
MOST_DRIFT = 0.25  # population stability index from which a distribution counts as another one (Siddiqi 2006)
MOST_UNKNOWN = 0.05  # share of product events about products that are not in the catalogue
MOST_A_MINUTE = 120  # events of one viewer; people do less
FEWEST_EVENTS, FEWEST_VIEWERS = 1_000, 50
_CATEGORIES = 50  # products that are compared by name; the others count together
_FLOOR = 1e-4  # of a share, so that what is missing on one side has a logarithm


@dataclass(frozen=True, slots=True)
class DataReport:
    events: int
    viewers: int
    products: int  # that events name
    days: float  # from the first to the last
    by_type: dict[str, int]
    unknown_products: float  # share of the events with a product whose product the catalogue lacks; 0 without a catalogue
    empty_days: int  # within the span, without any event
    hasty_viewers: int  # with more than `MOST_A_MINUTE` events in some minute
    type_drift: float  # population stability index of the event types, the latest fifth of the time against the rest
    product_drift: float  # of the products
    alarms: tuple[str, ...]  # what a person should look at before this is trained on

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def data_report(events: Sequence[Event], catalogue: Collection[ProductId] = ()) -> DataReport:
    """Of viewers' events, hosts' displays left out; an empty log is one alarm."""
    rows = pd.DataFrame(
        {
            "viewer": [event.viewer_id for event in events],
            "type": [event.type for event in events],
            "product": [event.product_id for event in events],
            "at": pd.to_datetime([event.at for event in events], utc=True),
        }
    )
    rows = rows[rows["type"] != "display"]
    if rows.empty:
        return DataReport(0, 0, 0, 0.0, {}, 0.0, 0, 0, 0.0, 0.0, ("there are no events of viewers",))
    named = rows["product"].dropna()
    first, last = rows["at"].min(), rows["at"].max()
    is_latest = rows["at"] > last - (last - first) * LATEST
    found = DataReport(
        events=len(rows),
        viewers=int(rows["viewer"].nunique()),
        products=int(named.nunique()),
        days=float((last - first) / pd.Timedelta(days=1)),
        by_type={str(kind): int(count) for kind, count in rows["type"].value_counts().items()},
        unknown_products=float((~named.isin(list(catalogue))).mean()) if len(catalogue) and len(named) else 0.0,
        empty_days=_empty_days(rows["at"]),
        hasty_viewers=_hasty(rows),
        type_drift=stability(rows.loc[~is_latest, "type"], rows.loc[is_latest, "type"]),
        product_drift=stability(rows.loc[~is_latest, "product"].dropna(), rows.loc[is_latest, "product"].dropna()),
        alarms=(),
    )
    return DataReport(**{**asdict(found), "alarms": _alarms(found)})


def stability(before: "pd.Series[str]", after: "pd.Series[str]") -> float:
    """Population stability index: sum over values of (a - b) ln(a / b) for their shares b before and a after; 0 when nothing changed.

    Beyond the most frequent values all count as one. 0 when either side is empty.

    >>> stability(pd.Series(["click", "cart"]), pd.Series(["cart", "click"]))
    0.0
    >>> stability(pd.Series(["click"] * 9 + ["cart"]), pd.Series(["click"] + ["cart"] * 9)) > MOST_DRIFT
    True
    """
    if before.empty or after.empty:
        return 0.0
    frequent = before.value_counts().index[:_CATEGORIES]
    shares = [
        side.where(side.isin(frequent), "(others)").value_counts(normalize=True).reindex([*frequent, "(others)"]).fillna(0.0).clip(_FLOOR)
        for side in (before, after)
    ]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def _empty_days(at: "pd.Series[pd.Timestamp]") -> int:
    days = at.dt.floor("D")
    return int((days.max() - days.min()).days + 1 - days.nunique())


def _hasty(rows: pd.DataFrame) -> int:
    a_minute = rows.groupby(["viewer", rows["at"].dt.floor("min")]).size()
    return int(a_minute[a_minute > MOST_A_MINUTE].index.get_level_values("viewer").nunique())


def _alarms(found: DataReport) -> tuple[str, ...]:
    told = {
        f"only {found.events} events of {found.viewers} viewers; fewer than {FEWEST_EVENTS} of {FEWEST_VIEWERS} teach little": (
            found.events < FEWEST_EVENTS or found.viewers < FEWEST_VIEWERS
        ),
        f"{found.unknown_products:.0%} of what viewers touched is not in the catalogue": found.unknown_products > MOST_UNKNOWN,
        f"{found.empty_days} days are empty: was an import left out?": found.empty_days > 0,
        f"{found.hasty_viewers} viewers sent more than {MOST_A_MINUTE} events in a minute: machines?": found.hasty_viewers > 0,
        f"event types have shifted lately (index {found.type_drift:.2f}): has a client changed what it sends?": (
            found.type_drift > MOST_DRIFT
        ),
        "nobody clicked, put anything into the cart or bought": not {"click", "cart", "purchase"} & found.by_type.keys(),
    }
    return tuple(text for text, is_so in told.items() if is_so)
