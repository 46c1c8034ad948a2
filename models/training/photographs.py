"""Photographs of products for the embedder's training: read once, then cut, turned and lit anew each time they are shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageEnhance, ImageOps
from torch import Tensor
from torch.utils.data import IterableDataset

from models.evaluation.datasets.labelled import DatasetError
from models.evaluation.datasets.listing import read_listing
from models.training.crops import degraded
from models.training.pictures import worker_rng
from models.types import ModelInputError
from models.vision.images import decode

MAX_PIXELS = 40_000_000
KEPT_SIDE_PX = 160  # 75 kB a photograph in memory; crops of a quarter of it still fill the network's input
PhotographBatch = tuple[Tensor, Tensor]  # uint8 (products, views, 3, side, side); int64 (products,): which product each group shows


@dataclass(frozen=True, slots=True)
class Album:
    """Photographs in memory, grouped by product: `pictures[p]` are those of `products[p]`."""

    products: tuple[str, ...]
    pictures: tuple[tuple[Image.Image, ...], ...]

    def split(self, share: float) -> tuple["Album", "Album"]:
        """Two albums of the same products: the second has the last `share` of each one's photographs (at least one), the first the rest.

        Photographs that follow each other often show one scene: cutting once keeps the two albums as different as they can be.
        """
        cuts = [max(1, min(len(each) - 1, round(len(each) * (1 - share)))) for each in self.pictures]
        first = tuple(pictures[:cut] for pictures, cut in zip(self.pictures, cuts, strict=True))
        return Album(self.products, first), Album(self.products, tuple(p[cut:] for p, cut in zip(self.pictures, cuts, strict=True)))


def read_album(listing: Path) -> Album:
    """Reads the photographs of a CSV `path,product_id`, or of a folder with a sub-folder per product.

    Raises DatasetError: a picture cannot be read, or a product has fewer than two.
    """
    by_product: dict[str, list[Image.Image]] = {}
    for each in read_listing(listing):
        try:
            by_product.setdefault(each.product_id, []).append(_kept(decode(each.encoded(), max_pixels=MAX_PIXELS).image))
        except ModelInputError as error:
            raise DatasetError(f"{each.name}: {each.path}: {error.message}") from error
    lonely = next((product for product, pictures in by_product.items() if len(pictures) < 2), None)
    if lonely is not None:
        raise DatasetError(f"{listing}: at least two photographs of each product are needed, {lonely} has one")
    return Album(tuple(by_product), tuple(map(tuple, by_product.values())))


class PhotographStream(IterableDataset[PhotographBatch]):
    """Groups of `views` different photographs of one product, `groups` products a step. Only the products named `shown` appear."""

    def __init__(self, album: Album, shown: Sequence[int], *, seed: int, side_px: int, groups: int, views: int, first: int = 0) -> None:  # noqa: PLR0913  # one keyword per setting
        self.album = album
        self.shown = tuple(shown)
        self.seed = seed
        self.side_px = side_px
        self.groups = min(groups, len(shown))
        self.views = views
        self.first = first

    def __iter__(self) -> Iterator[PhotographBatch]:
        rng = worker_rng(self.seed, self.first)
        while True:
            products = rng.sample(self.shown, self.groups)
            crops = [photograph_crop(picture, rng, self.side_px) for product in products for picture in self._chosen(product, rng)]
            yield torch.stack(crops).reshape(self.groups, self.views, 3, self.side_px, self.side_px), torch.tensor(products)

    def _chosen(self, product: int, rng: Random) -> list[Image.Image]:
        pictures = self.album.pictures[product]
        return rng.sample(pictures, self.views) if len(pictures) >= self.views else rng.choices(pictures, k=self.views)


def photograph_crop(picture: Image.Image, rng: Random, side_px: int) -> Tensor:
    """uint8 (3, side, side): a part of the photograph as another camera, at another moment, would have seen it."""
    share, aspect = rng.uniform(0.2, 1.0) ** 0.5, rng.uniform(0.75, 1.33) ** 0.5
    wide, tall = min(1.0, share * aspect) * picture.width, min(1.0, share / aspect) * picture.height
    left, top = rng.uniform(0, picture.width - wide), rng.uniform(0, picture.height - tall)
    box = (left, top, left + wide, top + tall)
    size = (side_px, side_px)
    cut = _turned(picture, box, size, rng) if rng.random() < 0.5 else picture.resize(size, Image.Resampling.BILINEAR, box=box)
    cut = ImageOps.mirror(cut) if rng.random() < 0.5 else cut
    if rng.random() < 0.3:
        _covered(cut, rng)
    cut = degraded(ImageEnhance.Color(cut).enhance(rng.uniform(0.7, 1.35)), rng)
    gains = np.asarray([rng.uniform(0.88, 1.12) for _ in range(3)], dtype=np.float32)
    return torch.from_numpy((np.asarray(cut) * gains).clip(0, 255).astype(np.uint8)).permute(2, 0, 1)


def whole(picture: Image.Image, side_px: int) -> Tensor:
    """uint8 (3, side, side): the photograph as it is."""
    return torch.from_numpy(np.asarray(picture.resize((side_px, side_px), Image.Resampling.BILINEAR)).copy()).permute(2, 0, 1)


def _kept(picture: Image.Image) -> Image.Image:
    return picture.resize((KEPT_SIDE_PX, KEPT_SIDE_PX), Image.Resampling.BILINEAR, reducing_gap=2.0)


def _turned(picture: Image.Image, box: tuple[float, float, float, float], size: tuple[int, int], rng: Random) -> Image.Image:
    """The box turned by up to 25 degrees, its corners moved a little: another camera position."""
    angle = np.deg2rad(rng.uniform(-25, 25))
    turn = np.asarray([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle, half = np.asarray([box[0] + box[2], box[1] + box[3]]) / 2, np.asarray([box[2] - box[0], box[3] - box[1]]) / 2
    signs = np.asarray([[-1, -1], [-1, 1], [1, 1], [1, -1]])
    jitter = np.asarray([[rng.uniform(-0.12, 0.12) for _ in range(2)] for _ in range(4)])
    corners = ((signs + jitter) * half) @ turn.T + middle
    inside = corners.clip(0, np.asarray(picture.size) - 1.0)
    return picture.transform(size, Image.Transform.QUAD, inside.ravel().tolist(), Image.Resampling.BILINEAR)


def _covered(cut: Image.Image, rng: Random) -> None:
    """A hand, a tag or a chat line: one patch without information."""
    wide, tall = cut.width * rng.uniform(0.1, 0.5), cut.height * rng.uniform(0.1, 0.4)
    left, top = rng.uniform(-0.1, 1.0) * cut.width, rng.uniform(-0.1, 1.0) * cut.height
    ImageDraw.Draw(cut).rectangle((left, top, left + wide, top + tall), fill=tuple(rng.randrange(256) for _ in range(3)))
