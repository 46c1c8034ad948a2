"""An endless seeded stream of drawn live-room frames for the detector's training, made on the fly in worker processes."""

from collections.abc import Iterator, Sequence
from random import Random

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # the field's name for it
from PIL import Image
from torch.utils.data import IterableDataset, get_worker_info

from models.demo.drawing.frame import Picture, compose, on_plain
from models.demo.drawing.look import CATEGORIES, random_look
from models.demo.drawing.views import numbered_view, render
from models.training.cutouts import cut_out
from models.training.labelled import FrameExample, LabelledFrame, cut_products, labelled_example
from models.training.weather import compressed, weathered

SPRITE_PX = 200
POOL_SIZE = 384
LABELLED = 0.4  # share of the frames that people labelled, where there are some
CUT_OUT = 0.2  # share of the products in drawn rooms that are cut out of them
SHUFFLED_FRAMES = 48  # relatives of one frame are spread over several batches
FRAME_SIZES = ((292, 520), (338, 450), (382, 382), (450, 338), (520, 292))  # width, height: the shapes of phones and cameras


class FrameStream(IterableDataset[FrameExample]):
    """Live-room frames with their boxes. Each frame shows zero to five products out of a pool that keeps being renewed.

    Some of the frames are `labelled` ones, and some of the products are cut out of them.
    """

    def __init__(self, *, seed: int, side_px: int, first: int = 0, labelled: Sequence[LabelledFrame] = ()) -> None:
        self.seed = seed
        self.side_px = side_px
        self.labelled = labelled
        self.first = first  # how many were drawn before: a resumed training sees others

    def __iter__(self) -> Iterator[FrameExample]:
        rng = worker_rng(self.seed, self.first)
        products = cut_products(self.labelled)
        pool = [_sprite(rng, products) for _ in range(32)]
        ready: list[FrameExample] = []
        while True:
            pool += [_sprite(rng, products)] * (rng.random() < 0.7)
            del pool[: max(0, len(pool) - POOL_SIZE)]
            if self.labelled and rng.random() < LABELLED:
                example = labelled_example(rng.choice(self.labelled), rng, self.side_px)
            else:
                example = frame_example(rng, pool, self.side_px)
            closer = zoomed(example, rng)
            ready += [example, mirrored(example, rng), closer, mirrored(closer, rng)]
            while len(ready) >= SHUFFLED_FRAMES:
                yield ready.pop(rng.randrange(len(ready)))


def frame_example(rng: Random, pool: list[tuple[Image.Image, int]], side_px: int) -> FrameExample:
    """One frame drawn from a pool of (sprite, category index), stretched to a square as the detector's input is."""
    chosen = rng.sample(pool, rng.choice((0, 1, 1, 2, 2, 3, 4, 5)))
    picture = _frame(rng, chosen)
    wide, tall = picture.image.size
    pixels = np.asarray(compressed(weathered(picture.image, rng).resize((side_px, side_px), Image.Resampling.BILINEAR), rng))
    boxes = torch.tensor(picture.boxes, dtype=torch.float32).reshape(-1, 4) / torch.tensor([wide, tall, wide, tall])
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1), boxes, torch.tensor([category for _, category in chosen], dtype=torch.int64)


def mirrored(example: FrameExample, rng: Random) -> FrameExample:
    """The frame seen in a mirror under another light: as good as a new one to the network, for a tenth of the drawing."""
    pixels, boxes, categories = example
    gains = torch.tensor([rng.uniform(0.8, 1.2) for _ in range(3)]).view(3, 1, 1) * rng.uniform(0.85, 1.1)
    turned = torch.stack((1 - boxes[:, 2], boxes[:, 1], 1 - boxes[:, 0], boxes[:, 3]), dim=1)
    return (pixels.flip(2) * gains).clamp(0, 255).to(torch.uint8), turned, categories


def zoomed(example: FrameExample, rng: Random) -> FrameExample:
    """A part of the frame, enlarged; products of which less than half is left in it are no longer asked for."""
    pixels, boxes, categories = example
    side = pixels.shape[-1]
    wide, tall = (rng.randrange(round(side * 0.6), side + 1) for _ in range(2))
    left, top = rng.randrange(side - wide + 1), rng.randrange(side - tall + 1)
    window = pixels[None, :, top : top + tall, left : left + wide].float()
    enlarged = F.interpolate(window, (side, side), mode="bilinear", align_corners=False)[0].to(torch.uint8)
    moved = (boxes * side - torch.tensor([left, top, left, top])) / torch.tensor([wide, tall, wide, tall])
    cut = moved.clamp(0, 1)
    kept = (cut[:, 2:] - cut[:, :2]).prod(dim=1) >= 0.5 * (moved[:, 2:] - moved[:, :2]).prod(dim=1)
    return enlarged, cut[kept], categories[kept]


def _frame(rng: Random, chosen: list[tuple[Image.Image, int]]) -> Picture:
    if len(chosen) == 1 and rng.random() < 0.4:
        return on_plain(chosen[0][0], rng, rng.choice(FRAME_SIZES), fill=rng.uniform(0.45, 0.95))
    return compose([sprite for sprite, _ in chosen], rng, rng.choice(FRAME_SIZES))


def _sprite(rng: Random, products: Sequence[tuple[Image.Image, int]]) -> tuple[Image.Image, int]:
    if products and rng.random() < CUT_OUT:
        product, category = rng.choice(products)
        return cut_out(product, rng, SPRITE_PX), category
    look = random_look(rng)
    return render(look, numbered_view(rng.randrange(6), seed=look.seed), SPRITE_PX), CATEGORIES.index(look.category)


def worker_rng(seed: int, first: int) -> Random:
    """A generator of this loader worker's own; the worker computes on one thread."""
    torch.set_num_threads(1)
    worker = get_worker_info()
    return Random(f"{seed}/{first}/{worker.id if worker else 0}")
