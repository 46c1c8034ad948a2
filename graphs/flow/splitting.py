"""Choosing a branch: by a condition, or by a sticky weighted draw."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Branch:
    label: str
    source: str  # the node whose value the choice takes
    weight: float = 1.0


def sticky_index(key: str, salt: str, weights: Sequence[float]) -> int:
    """Which of the weighted variants a key gets: the same one in every process and after every restart.

    The key is hashed with the salt (the split's name, so that two experiments are independent) to a number in [0, 1),
    which falls into one of the intervals that the weights cut. Raising a variant's weight moves only the keys at its edge.

    >>> sticky_index("viewer-1", "ranker", [1.0, 0.0])
    0
    >>> sticky_index("viewer-1", "ranker", [0.0, 1.0])
    1
    """
    digest = hashlib.blake2b(f"{salt}\0{key}".encode(), digest_size=7).digest()
    point = int.from_bytes(digest) / (1 << 56) * sum(weights)
    last = 0
    for index, weight in enumerate(weights):
        if weight > 0:
            last = index
            if point < weight:
                return index
        point -= weight
    return last  # rounding left the point at the very end


def select_true(value: object, branches: Sequence[Branch]) -> int:
    """The first of two branches if the condition holds, else the second."""
    return 0 if value else 1


def select_sticky(split: str) -> Callable[[object, Sequence[Branch]], int]:
    """A selector that gives the same key the same variant of this split, in proportion to the weights."""

    def select(key: object, branches: Sequence[Branch]) -> int:
        return sticky_index(str(key), split, [branch.weight for branch in branches])

    return select
