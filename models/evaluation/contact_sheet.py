"""A picture of what a detector finds and what it misses: one tile per photograph."""

import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from models.evaluation.detection import Answered, found_products
from models.types import Box
from models.vision.images import decode

TILE_PX = 150
COLUMNS = 8
MAX_TILES = 40
FOUND, MISSED, WRONG, IGNORED = (40, 220, 60), (240, 30, 30), (255, 170, 0), (170, 170, 170)
MAX_PIXELS = 40_000_000


def draw_sheet(answered: Sequence[Answered], out: Path, *, min_score: float) -> None:
    """Writes at most 40 tiles to a `.png` or `.jpg`, with boxes of `min_score` and more.

    Boxes that fit a product green, missed products red, boxes that fit none orange, ignored regions and boxes in them grey.
    """
    shown = answered[:MAX_TILES]
    sheet = Image.new("RGB", (COLUMNS * TILE_PX, math.ceil(len(shown) / COLUMNS) * TILE_PX), "white")
    for index, each in enumerate(shown):
        sheet.paste(_tile(each, min_score), (index % COLUMNS * TILE_PX, index // COLUMNS * TILE_PX))
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out, optimize=True, quality=80)


def _tile(answered: Answered, min_score: float) -> Image.Image:
    labelled = answered.labelled
    picture = decode(labelled.encoded(), max_pixels=MAX_PIXELS)
    scale = (TILE_PX - 2) / max(picture.width, picture.height)
    tile = picture.image.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))
    pen = ImageDraw.Draw(tile)
    matched = found_products(answered, min_score=min_score)
    regions = [box for box, ignored in zip(labelled.boxes, labelled.ignored, strict=True) if ignored]
    for box in regions:
        pen.rectangle(_scaled(box, scale), outline=IGNORED)
    for index, found in enumerate(answered.found):
        if found.score >= min_score:
            wrong = IGNORED if any(_inside(found.box, region) for region in regions) else WRONG
            pen.rectangle(_scaled(found.box, scale), outline=FOUND if index in matched.values() else wrong, width=2)
    for index, (box, ignored) in enumerate(zip(labelled.boxes, labelled.ignored, strict=True)):
        if not ignored and index not in matched:
            pen.rectangle(_scaled(box, scale), outline=MISSED, width=2)
    return tile


def _scaled(box: Box, scale: float) -> Box:
    return box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale


def _inside(box: Box, region: Box) -> bool:
    """Whether at least half of the box lies in the region, which is when COCO forgives it."""
    wide, tall = min(box[2], region[2]) - max(box[0], region[0]), min(box[3], region[3]) - max(box[1], region[1])
    return max(wide, 0.0) * max(tall, 0.0) >= 0.5 * (box[2] - box[0]) * (box[3] - box[1])
