"""The items with the highest logits `items @ state + bias`, and the sum of all exponentials: exact, or nearly so where there are many."""

import math
from typing import Protocol

import faiss
import numpy as np
import torch
from numpy.typing import NDArray

from models.recommend.scoring import best_places
from models.types import Vectors

EXACT_UP_TO = 20_000  # items
_SPARE = 50  # more than wanted are scored in full, so that rounding loses none
_SAMPLE = 4_096  # items that stand for those that were not found
_SHARE_OF_CELLS = 4  # one in so many is looked through

Found = tuple[NDArray[np.int64], Vectors, float]  # places best first, their logits, the log of the sum of all items' exponentials


class ItemSearch(Protocol):
    """Stateless between calls, safe from any thread."""

    def best(self, state: Vectors, count: int) -> Found:
        """For `state` float32 (dim,). At most `count` places."""
        ...


def item_search(items: Vectors, bias: Vectors) -> ItemSearch:
    """`items` float32 (n, dim), `bias` float32 (n,)."""
    return AllItems(items, bias) if len(items) <= EXACT_UP_TO else NearCells(items, bias)


class AllItems:
    """Goes through all items in half precision, which is half of the memory to read, and scores what it finds again in full."""

    def __init__(self, items: Vectors, bias: Vectors) -> None:
        self._items, self._bias = items, bias
        self._coarse = torch.from_numpy(items).bfloat16()

    def best(self, state: Vectors, count: int) -> Found:
        with torch.inference_mode():
            coarse: Vectors = torch.mv(self._coarse, torch.from_numpy(state).bfloat16()).float().numpy() + self._bias
        near = np.sort(best_places(coarse, count + _SPARE))
        logits: Vectors = self._items[near] @ state + self._bias[near]
        order = np.argsort(-logits, kind="stable")[:count]
        return near[order], logits[order], _log_sum(coarse)


class NearCells:
    """An inverted file over (item, bias), asked for (state, 1): a few of its cells are looked through.

    The sum over the items that were not found is that over a fixed sample of them, scaled up.
    """

    def __init__(self, items: Vectors, bias: Vectors) -> None:
        count = len(items)
        self._rows = np.ascontiguousarray(np.concatenate([items, bias[:, None]], axis=1), dtype=np.float32)
        cells = round(2 * math.sqrt(count))
        self._index = faiss.index_factory(self._rows.shape[1], f"IVF{cells},Flat", faiss.METRIC_INNER_PRODUCT)
        self._index.train(self._rows)
        self._index.add(self._rows)
        self._looks = faiss.SearchParametersIVF(nprobe=max(1, cells // _SHARE_OF_CELLS))  # type: ignore[call-arg]  # stub lacks it
        self._sample = np.sort(np.random.default_rng(0).choice(count, min(_SAMPLE, count), replace=False))
        self._sampled = self._rows[self._sample]

    def best(self, state: Vectors, count: int) -> Found:
        asked = np.append(state, np.float32(1.0)).astype(np.float32)
        logits, places = self._index.search(asked[None], min(count, len(self._rows)), params=self._looks)
        found, scores = places[0][places[0] >= 0], logits[0][places[0] >= 0]
        others: Vectors = (self._sampled @ asked)[~np.isin(self._sample, found)]
        scale = (len(self._rows) - len(found)) / max(1, len(others))
        return found, scores, float(np.logaddexp(_log_sum(scores), _log_sum(others) + math.log(scale)) if len(others) else _log_sum(scores))


def _log_sum(logits: Vectors) -> float:
    if not len(logits):
        return -math.inf
    top = float(logits.max())
    return top + math.log(float(np.exp(logits - top).sum()))
