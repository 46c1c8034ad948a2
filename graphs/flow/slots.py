"""Slots: the typed edges of a graph."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)
E_co = TypeVar("E_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Slot(Generic[T_co]):
    """The future value of one node: a typed promise, not the value itself."""

    name: str
    owner: object = field(repr=False)  # the builder it belongs to: a slot means nothing in another graph


@dataclass(frozen=True, slots=True)
class StreamSlot(Slot[T_co], Generic[E_co, T_co]):
    """A slot whose node yields items of type E on the way to its value T."""
