"""Not ten times the same: each further product of a category counts a little less."""

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from models.types import ProductId, Ranked

Entry = tuple[float, int, int]  # minus the score, place in the ranking, how many of its category the score allows for


def varied(ranked: Sequence[Ranked], category_of: Mapping[ProductId, str], *, k: int, penalty: float) -> tuple[Ranked, ...]:
    """The best `k`, chosen one by one; the n-th of a category (from 0) has its score and reasons times (1 - penalty)^n.

    Best first, reasons still add up to the score. A product without a category stands for itself. `penalty` 0 keeps the order, and is
    1 at most. Maximal marginal relevance (Carbonell and Goldstein 1998) with the category as the likeness.
    """
    waiting: list[Entry] = [(-item.score, place, 0) for place, item in enumerate(ranked)]
    heapq.heapify(waiting)
    taken = Counter[str]()
    chosen = list[Ranked]()
    while waiting and len(chosen) < k:
        negative, place, allowed = heapq.heappop(waiting)
        item = ranked[place]
        category = category_of.get(item.product_id)
        count = taken[category] if category is not None else 0
        if count > allowed:  # others of its category were chosen since
            heapq.heappush(waiting, (-item.score * (1.0 - penalty) ** count, place, count))
            continue
        if category is not None:
            taken[category] += 1
        chosen.append(_scaled(item, -negative))
    return tuple(chosen)


def _scaled(item: Ranked, score: float) -> Ranked:
    if score == item.score:
        return item
    share = score / item.score
    return replace(item, score=score, reasons=tuple((kind, because, weight * share) for kind, because, weight in item.reasons))
