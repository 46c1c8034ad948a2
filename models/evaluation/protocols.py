"""How a log is split into what a model may learn from and what it has to foresee; always by time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.interactions.log import Interactions, InteractionsError, Places
from models.recommend.scoring import History

RATIO = 0.75


@dataclass(frozen=True, slots=True)
class Case:
    """One user's question: the history that may be used, and the items that came next. The two share no item."""

    history: History
    targets: Places  # int32 (t,), distinct, t >= 1


@dataclass(frozen=True, slots=True)
class Split:
    train: Interactions
    cases: tuple[Case, ...]


def split(log: Interactions, protocol: str) -> Split:
    """`log` by the rule of that name in PROTOCOLS. Raises InteractionsError for another name, or when nobody can be asked about.

    A target is always an item that is new to its user, since what was had is masked; what a user repeats counts in their history.
    """
    if protocol not in PROTOCOLS:
        raise InteractionsError(f"there is no protocol {protocol!r}; {', '.join(PROTOCOLS)} are known")
    if protocol == "time-75" and not log.has_times:
        raise InteractionsError("time-75 needs times that compare across users, and this data has none; use ratio-75 or leave-one-out")
    kept = np.ones(len(log), dtype=np.bool_)
    cases = list[Case]()
    for user, places, cut, end in _cuts(log, PROTOCOLS[protocol]):
        kept[places[cut:]] = False
        past = places[:cut]
        new = np.setdiff1d(log.item[places[cut:end]], log.item[past]).astype(np.int32)
        if len(new):
            cases.append(Case(History(log.item[past], log.weight[past], user), new))
    if not cases or not kept.any():
        raise InteractionsError(f"{protocol} leaves nothing to foresee: no user has an item before and a new one after the split")
    return Split(log.where(kept), tuple(cases))


# The entries of one user in order of time, and the log -> how many of them are before the split, and up to where targets are
Cut = Callable[[NDArray[np.int64], Interactions], tuple[int, int]]


def _cuts(log: Interactions, cut: Cut) -> Iterator[tuple[int, NDArray[np.int64], int, int]]:
    for user, places in enumerate(log.by_user()):
        if len(places):
            yield user, places, *cut(places, log)


def _leave_one_out(places: NDArray[np.int64], log: Interactions) -> tuple[int, int]:
    """The last item that the user did not have before is the target; what follows it are repeats."""
    _, first = np.unique(log.item[places], return_index=True)
    last = int(first.max())
    return (last, last + 1) if last else (len(places), len(places))


def _ratio(places: NDArray[np.int64], _: Interactions) -> tuple[int, int]:
    """The first three quarters of each user's entries, at least one."""
    return max(1, round(RATIO * len(places))), len(places)


def _moment(places: NDArray[np.int64], log: Interactions) -> tuple[int, int]:
    """One moment for all: before it are three quarters of all entries. Users who come later have no history."""
    return int(np.searchsorted(places, int(RATIO * len(log)))), len(places)


PROTOCOLS: Mapping[str, Cut] = {"leave-one-out": _leave_one_out, "ratio-75": _ratio, "time-75": _moment}
