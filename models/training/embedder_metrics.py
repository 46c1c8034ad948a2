"""How well an embedder tells apart what it was not trained on: drawn looks, and photographs kept back from the training."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from models.demo.drawing import scene
from models.demo.drawing.look import Look, random_look
from models.training.crops import crops_of, similar_looks
from models.training.photographs import Album, whole
from models.vision.embedder import ProductEmbedder

ENROLLED_LOOKS = 2  # drawn pictures enrolled per product
SOUGHT_LOOKS = 4
ENROLLED_PHOTOGRAPHS = 5
EMBED_BATCH = 64


@dataclass(frozen=True, slots=True)
class Scores:
    """Cosines of queries to a shelf. A stranger's are those of a query whose own product is not on the shelf."""

    same: NDArray[np.float64]  # (n,): to the query's own product
    strangers: NDArray[np.float64]  # (n,): to the best of the other products

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        return cls(np.concatenate([each.same for each in parts]), np.concatenate([each.strangers for each in parts]))

    def summary(self, prefix: str, threshold: float) -> dict[str, float]:
        """`rank1` on the shelf; `false_rejects`: own products below the threshold; `false_accepts`: strangers at or above it."""
        return {
            f"{prefix}rank1": float((self.same > self.strangers).mean()),
            f"{prefix}false_rejects": float((self.same < threshold).mean()),
            f"{prefix}false_accepts": float((self.strangers >= threshold).mean()),
        }


def shared_threshold(parts: Sequence[Scores]) -> float:
    """The cosine with the fewest false accepts plus false rejects, each part weighing the same.

    >>> round(shared_threshold([Scores(np.asarray([0.8, 0.9]), np.asarray([0.1, 0.2]))]), 2)
    0.5
    """
    grid = np.linspace(-1, 1, 2001)
    costs = np.mean([_shares_below(each.same, grid) + 1 - _shares_below(each.strangers, grid) for each in parts], axis=0)
    best = np.flatnonzero(costs <= costs.min() + 1e-9)
    return float(grid[best[len(best) // 2]])


@torch.inference_mode()
def drawn_scores(model: ProductEmbedder, *, looks: int, side_px: int, shelf_size: int, similar: bool = False) -> Scores:
    """Unseen drawn looks on shelves of their own. Half of `similar` ones differ from others in little more than colour or print."""
    rng = Random(f"held-out looks {similar}")
    backdrops = [scene.stage(rng, (160, 160)).picture for _ in range(32)]
    pool = similar_looks(rng, looks) if similar else [random_look(rng) for _ in range(looks)]
    starts = range(0, max(1, looks - shelf_size + 1), shelf_size)
    return Scores.joined([_drawn_shelf(model, pool[start : start + shelf_size], rng, backdrops, side_px) for start in starts])


@torch.inference_mode()
def photograph_scores(
    model: ProductEmbedder, enrolled: Album, sought: Album, *, products: Sequence[int], shelf_size: int, side_px: int
) -> Scores:
    """Every photograph of `sought` that shows one of `products`, on a shelf of its own product and random others of the album."""
    rng = Random("photograph shelves")
    gallery = [_embedded(model, [whole(each, side_px) for each in _some(pictures, rng)]) for pictures in enrolled.pictures]
    same, strangers = [], []
    for product in products:
        others = [index for index in range(len(gallery)) if index != product]
        for query in _embedded(model, [whole(each, side_px) for each in sought.pictures[product]]):
            shelf = rng.sample(others, min(shelf_size - 1, len(others)))
            same.append(float((gallery[product] @ query).max()))
            strangers.append(float((torch.cat([gallery[index] for index in shelf]) @ query).max()))
    return Scores(np.asarray(same), np.asarray(strangers))


def _drawn_shelf(model: ProductEmbedder, looks: Sequence[Look], rng: Random, backdrops: list[Image.Image], side_px: int) -> Scores:
    views = ENROLLED_LOOKS + SOUGHT_LOOKS
    crops = [crop for look in looks for crop in crops_of(look, rng, backdrops, views=views, side_px=side_px)]
    vectors = _embedded(model, crops).reshape(len(looks), views, -1)
    similarity = torch.einsum("aqd,bgd->aqbg", vectors[:, ENROLLED_LOOKS:], vectors[:, :ENROLLED_LOOKS]).amax(dim=-1)
    own = torch.eye(len(looks), dtype=torch.bool)[:, None].expand(-1, SOUGHT_LOOKS, -1)
    strangers = similarity.masked_fill(own, -1.0).amax(dim=-1).flatten()
    return Scores(similarity[own].double().numpy(), strangers.double().numpy())


def _some(pictures: Sequence[Image.Image], rng: Random) -> list[Image.Image]:
    return rng.sample(list(pictures), min(ENROLLED_PHOTOGRAPHS, len(pictures)))


def _embedded(model: ProductEmbedder, crops: Sequence[Tensor]) -> Tensor:
    """float32 (n, dim), on the CPU."""
    device = next(model.parameters()).device
    chunks = [torch.stack(list(crops[start : start + EMBED_BATCH])) for start in range(0, len(crops), EMBED_BATCH)]
    return torch.cat([model(chunk.to(device, torch.float32) / 255).float().cpu() for chunk in chunks])


def _shares_below(values: NDArray[np.float64], grid: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.searchsorted(np.sort(values), grid, side="left") / len(values)
