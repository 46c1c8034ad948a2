"""Frames that people drew boxes on, for the detector's training: read once, then seen anew each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter
from rich.progress import track

from models.demo.drawing.look import CATEGORIES
from models.evaluation.datasets.formats import read_boxes
from models.evaluation.datasets.labelled import Labelled
from models.training.weather import compressed, weathered
from models.types import Box
from models.vision.images import decode
from models.vision.suppression import overlaps

KEPT_PX = 480  # the longer side kept in memory
MAX_PIXELS = 40_000_000
UNNAMED = -100  # the category of products whose label is none of ours: torch's cross entropy leaves them out
FrameExample = tuple[torch.Tensor, torch.Tensor, torch.Tensor]  # uint8 (3, side, side); float (k, 4) x1 y1 x2 y2 in 0..1; int64 (k,)


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """`boxes` and `crowds` are pixels of `image`; crowds are products too many or too small to be told apart."""

    image: Image.Image
    boxes: tuple[Box, ...]
    categories: tuple[int, ...]  # of `boxes`: indices of CATEGORIES, or UNNAMED
    crowds: tuple[Box, ...]


def read_frames(data: Path, pictures: Path | None = None) -> list[LabelledFrame]:
    """The frames of a COCO, VOC or TSV data set, as `livecart evaluate detector` reads them. Raises DatasetError or ModelInputError."""
    return [_frame(each) for each in track(read_boxes(data, pictures=pictures), description="reading labelled frames")]


def labelled_example(frame: LabelledFrame, rng: Random, side_px: int) -> FrameExample:
    """One look at a frame: a part of it or, smaller, all of it, in another light, stretched to a square of `side_px`."""
    image = _without_crowds(frame, rng) if _is_heap(frame) or rng.random() < 0.5 else frame.image
    window = _window(image.size, rng)
    whole = window[2] - window[0], window[3] - window[1]
    canvas = Image.new("RGB", (round(whole[0]), round(whole[1])), tuple(rng.randrange(256) for _ in range(3)))
    canvas.paste(image, (round(-window[0]), round(-window[1])))
    canvas = ImageEnhance.Brightness(canvas.convert("RGB")).enhance(rng.uniform(0.6, 1.4))
    pixels = np.asarray(compressed(weathered(canvas, rng).resize((side_px, side_px), Image.Resampling.BILINEAR), rng))
    moved = (np.asarray(frame.boxes).reshape(-1, 4) - np.tile(window[:2], 2)) / np.tile(whole, 2)
    cut = moved.clip(0, 1)
    kept = (cut[:, 2:] - cut[:, :2]).prod(axis=1) >= 0.5 * (moved[:, 2:] - moved[:, :2]).prod(axis=1)
    boxes = torch.from_numpy(cut[kept].astype(np.float32))
    return (
        torch.from_numpy(pixels.copy()).permute(2, 0, 1),
        boxes,
        torch.tensor(frame.categories, dtype=torch.int64)[torch.from_numpy(kept)],
    )


def cut_products(frames: Sequence[LabelledFrame], least_px: int = 60) -> list[tuple[Image.Image, int]]:
    """What the boxes cut out, with its category: to be shown in drawn rooms as well."""
    return [
        (frame.image.crop(box), category)
        for frame in frames
        for box, category in zip(frame.boxes, frame.categories, strict=True)
        if min(box[2] - box[0], box[3] - box[1]) >= least_px
    ]


def _is_heap(frame: LabelledFrame) -> bool:
    """Whether a crowd holds products that are labelled beside such that are not."""
    if not frame.crowds or not frame.boxes:
        return False
    return bool(overlaps(np.asarray(frame.boxes, dtype=np.float32), np.asarray(frame.crowds, dtype=np.float32)).any())


def _window(size: tuple[int, int], rng: Random) -> Box:
    """Which part of the picture is seen; reaches beyond it where the whole is seen from further away."""
    wide, tall = (side * rng.uniform(0.6, 1.0) if rng.random() < 0.6 else side * rng.uniform(1.0, 1.6) for side in size)
    left, top = (rng.uniform(min(0.0, side - part), max(0.0, side - part)) for side, part in zip(size, (wide, tall), strict=True))
    return left, top, left + wide, top + tall


def _without_crowds(frame: LabelledFrame, rng: Random) -> Image.Image:
    """Crowds out of focus: what is left sharp is what is asked for."""
    soft = frame.image.filter(ImageFilter.GaussianBlur(rng.uniform(4, 9)))
    image = frame.image.copy()
    for region in frame.crowds:
        corner = int(region[0]), int(region[1])
        image.paste(soft.crop((*corner, int(region[2]), int(region[3]))), corner)
    for box in frame.boxes:
        corner = int(box[0]), int(box[1])
        image.paste(frame.image.crop((*corner, int(box[2]), int(box[3]))), corner)
    return image


def _frame(labelled: Labelled) -> LabelledFrame:
    decoded = decode(labelled.encoded(), max_pixels=MAX_PIXELS, enough_px=KEPT_PX)
    labelled = labelled.within(decoded.width, decoded.height)
    image = decoded.image
    image.thumbnail((KEPT_PX, KEPT_PX))
    scale = image.width / decoded.width
    boxes = [(x1 * scale, y1 * scale, x2 * scale, y2 * scale) for x1, y1, x2, y2 in labelled.boxes]
    named = [CATEGORIES.index(name) if name in CATEGORIES else UNNAMED for name in labelled.categories]
    asked = [index for index, ignored in enumerate(labelled.ignored) if not ignored]
    crowds = tuple(box for box, ignored in zip(boxes, labelled.ignored, strict=True) if ignored)
    return LabelledFrame(image, tuple(boxes[index] for index in asked), tuple(named[index] for index in asked), crowds)
