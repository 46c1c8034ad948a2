"""What a viewer's events say about their interest in products: the one reading of a history that all parts share."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from models.types import Event, EventType, ProductId, ViewerId

Log = Mapping[ViewerId, Sequence[Event]]  # each viewer's events, oldest first

# Interest that one event shows; a purchase counts as five clicks. Events not named here show none.
INTEREST: Mapping[EventType, float] = {"click": 1.0, "like": 1.0, "comment": 1.0, "share": 1.5, "cart": 3.0, "purchase": 5.0}
CONTEXT_INTEREST = 2.0  # a product on screen or under discussion now
FORESEEN = timedelta(hours=1)  # after a request: what is done within it was to be foreseen, in training and in judging
STEP_DECAY = 0.7  # of interest per product looked at since


def weighted_products(history: Sequence[Event], context: Sequence[ProductId] = (), *, limit: int) -> dict[ProductId, float]:
    """The `limit` products of most recent interest with weights 0..1, the largest being 1; context first, then newest first.

    A product's weight is its strongest event times `STEP_DECAY` to the number of distinct products that came after it.
    """
    strongest: dict[ProductId, float] = {}
    for event in reversed(history):
        interest = INTEREST.get(event.type, 0.0)
        if event.product_id is not None and interest:
            strongest[event.product_id] = max(interest, strongest.get(event.product_id, 0.0))
    weights = {product_id: interest * STEP_DECAY**age for age, (product_id, interest) in enumerate(strongest.items())}
    merged = {product_id: max(CONTEXT_INTEREST, weights.get(product_id, 0.0)) for product_id in context} | {
        product_id: weight for product_id, weight in weights.items() if product_id not in context
    }
    kept = dict(list(merged.items())[:limit])
    top = max(kept.values(), default=1.0)
    return {product_id: weight / top for product_id, weight in kept.items()}


def touched(history: Sequence[Event], context: Sequence[ProductId] = (), *, limit: int) -> list[ProductId]:
    """The latest `limit` products in the order in which interest was shown, then the context, its first last; repeats in a row once."""
    shown = [event.product_id for event in history if event.product_id is not None and event.type in INTEREST]
    steps = [*shown, *reversed(context)]
    return [product_id for before, product_id in zip([None, *steps], steps, strict=False) if product_id != before][-limit:]
