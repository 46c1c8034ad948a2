"""What a viewer is told of why a product is there: only what is true of them, and only what counts."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from models.types import Event, EventType, ProductId, ReasonKind, SourceKind

R = TypeVar("R")
# By these a viewer shows interest in a product; what is only on screen is none of theirs
TOUCHES: frozenset[EventType] = frozenset({"click", "like", "comment", "share", "cart", "purchase"})
LEAST_SHARE = 0.01  # of a score that a reason has to make up to be told
ON_SCREEN = "goes with what is on screen"


def touched_of(history: Iterable[Event]) -> frozenset[ProductId]:
    """The products that the viewer showed interest in."""
    return frozenset(event.product_id for event in history if event.product_id is not None and event.type in TOUCHES)


def telling(reasons: Sequence[R], score: float, weight_of: Callable[[R], float]) -> tuple[R, ...]:
    """Those, of the largest first, that weigh a hundredth of the score or more; else the first alone.

    >>> telling((0.9, 0.0), 0.9, float), telling((0.0, 0.0), 0.0, float)
    ((0.9,), (0.0,))
    """
    told = tuple(reason for reason in reasons if 0.0 < weight_of(reason) >= LEAST_SHARE * score)
    return told or tuple(reasons[:1])


def reason_kind(source: SourceKind) -> ReasonKind:
    """What viewers did together is all that the learned sources know, as with `bought_together`."""
    return "bought_together" if source == "sequence" or source == "ials" else source  # noqa: PLR1714  # a set does not narrow the type


def reason_text(source: SourceKind, because: ProductId | None, titles: Mapping[ProductId, str], touched: Collection[ProductId]) -> str:
    """`touched`: what the viewer showed interest in; beyond that a source has gone by what is on screen."""
    title = titles.get(because, because) if because is not None else None
    match source:
        case "similar_to":
            return f"similar to {title}" if title else "similar to what you looked at"
        case "bought_together":
            return f"often bought by viewers of {title}" if title else "often bought by viewers like you"
        case "on_shelf":
            return "on this room's shelf"
        case "popular":
            return "popular right now"
        case "fresh":
            return "new in the shop"
        case "sequence":
            return "what viewers with a history like yours went on to" if touched else ON_SCREEN
        case "ials" if because is None and touched:
            return "liked by viewers who like what you like"
        case "ials":
            return f"liked by viewers who, like you, liked {title}" if because in touched else ON_SCREEN
