"""Overlapping boxes: how much they share, and which of them to keep."""

import numpy as np
from numpy.typing import NDArray

from models.types import Vectors

MAX_OVERLAP = 0.6  # intersection over union above which two boxes show the same product


def overlaps(boxes: Vectors, others: Vectors) -> Vectors:
    """Intersection over union, float32 (n, m) in 0..1, of boxes (n, 4) and others (m, 4): x1, y1, x2, y2."""
    shared = np.minimum(boxes[:, None, 2:], others[None, :, 2:]) - np.maximum(boxes[:, None, :2], others[None, :, :2])
    inner = shared.clip(min=0).prod(axis=2)
    area, other_area = ((each[:, 2:] - each[:, :2]).clip(min=0).prod(axis=1) for each in (boxes, others))
    union = area[:, None] + other_area[None, :] - inner
    shares: Vectors = np.divide(inner, union, out=np.zeros_like(inner), where=union > 0).astype(np.float32)
    return shares


def keep_best(boxes: Vectors, scores: Vectors, *, limit: int, max_overlap: float = MAX_OVERLAP) -> NDArray[np.int64]:
    """Indices of at most `limit` boxes, best score first, none of which overlaps a better one by more than `max_overlap`."""
    order = np.argsort(-scores, kind="stable")
    shared = overlaps(boxes, boxes)
    kept: list[int] = []
    for index in order:
        if len(kept) == limit:
            break
        if not kept or shared[index, kept].max() <= max_overlap:
            kept.append(int(index))
    return np.asarray(kept, dtype=np.int64)
