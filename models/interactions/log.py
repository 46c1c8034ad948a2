"""Who had to do with what and when: the one form that every importer returns and every model learns from."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from models.recommend.history import INTEREST
from models.types import EventType, ModelInputError

Places = NDArray[np.int32]  # indices into `users` or `items`
Flags = NDArray[np.bool_]


class InteractionsError(ModelInputError):
    """A log that cannot be used; the text names file, line or row, column, what was found there and what is needed."""


@dataclass(frozen=True, slots=True)
class Interactions:
    """One entry per interaction, the arrays run in parallel, in order of time; equal times keep the order of the file."""

    users: tuple[str, ...]
    items: tuple[str, ...]
    user: Places  # int32 (n,): index into `users`
    item: Places  # int32 (n,): index into `items`
    at: NDArray[np.float64]  # (n,): unix seconds, or the place in its file or line where the data has no times
    weight: NDArray[np.float32]  # (n,): interest shown, 1 a click or an untyped row; see models.recommend.history.INTEREST
    value: NDArray[np.float32]  # (n,): what the data states besides (rating, price, seconds); NaN where it states nothing
    has_times: bool = True  # False: `at` orders the entries of one user and says nothing across users
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # item -> attributes, by the importer's names
    user_attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    duplicates: int = 0  # rows dropped because an equal one was there
    passed_over: int = 0  # rows that show no interest in an item, such as an `enter`

    def __len__(self) -> int:
        return len(self.user)

    def where(self, kept: Flags) -> "Interactions":
        """The entries that a bool (n,) marks; users and items keep their places."""
        return replace(self, user=self.user[kept], item=self.item[kept], at=self.at[kept], weight=self.weight[kept], value=self.value[kept])

    def by_user(self) -> list[NDArray[np.int64]]:
        """Per user the places of their entries, oldest first."""
        order = np.argsort(self.user, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.user, minlength=len(self.users)))[:-1])


class Collector:
    """Gathers rows as compact arrays: a log of millions fits into memory."""

    def __init__(self) -> None:
        self._users: dict[str, int] = {}
        self._items: dict[str, int] = {}
        self._user, self._item = array("i"), array("i")
        self._at, self._weight, self._value = array("d"), array("f"), array("f")

    def __len__(self) -> int:
        return len(self._user)

    def add(self, user: str, item: str, at: float, kind: EventType | None = None, value: float | None = None) -> None:
        """One row; `kind` must be one that shows interest, None is an untyped row."""
        self._user.append(self._users.setdefault(user, len(self._users)))
        self._item.append(self._items.setdefault(item, len(self._items)))
        self._at.append(at)
        self._weight.append(1.0 if kind is None else INTEREST[kind])
        self._value.append(np.nan if value is None else value)

    def knows_user(self, user: str) -> bool:
        return user in self._users

    def finish(self, source: str, *, has_times: bool = True, unique_pairs: bool = False) -> Interactions:
        """Everything in order of time. Equal rows count once; with `unique_pairs` a user and an item meet once, at the first time.

        Raises InteractionsError when there is nothing.
        """
        if not self._user:
            raise InteractionsError(f"{source} holds no interaction of a user with an item")
        log = Interactions(
            users=tuple(self._users),
            items=tuple(self._items),
            user=np.array(self._user, dtype=np.int32),
            item=np.array(self._item, dtype=np.int32),
            at=np.array(self._at, dtype=np.float64),
            weight=np.array(self._weight, dtype=np.float32),
            value=np.array(self._value, dtype=np.float32),
            has_times=has_times,
        )
        return in_order(log, unique_pairs=unique_pairs)


def in_order(log: Interactions, *, unique_pairs: bool) -> Interactions:
    """In order of time, equal rows once; with `unique_pairs` a user and an item meet once, at the first time."""
    order = np.argsort(log.at, kind="stable")
    ordered = replace(log, **{name: getattr(log, name)[order] for name in ("user", "item", "at", "weight", "value")})
    keys: list[NDArray[np.generic]] = [ordered.item, ordered.user]
    if not unique_pairs:
        keys = [np.nan_to_num(ordered.value, nan=-1.0), ordered.weight, ordered.at, *keys]
    grouped = np.lexsort(keys)  # stable: within equal rows the first of the file comes first
    repeats = np.logical_and.reduce([key[grouped][1:] == key[grouped][:-1] for key in keys])
    kept = np.ones(len(ordered), dtype=np.bool_)
    kept[grouped[1:][repeats]] = False
    return replace(ordered.where(kept), duplicates=int((~kept).sum()))
