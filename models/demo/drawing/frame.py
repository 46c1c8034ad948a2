"""Products put into a room: the frames of the demo and of the detector's training."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageEnhance, ImageFilter

from models.demo.drawing import scene
from models.types import Box

IntBox = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Picture:
    """A composed frame; `boxes` are in pixels, in the order of the products that were put in."""

    image: Image.Image
    boxes: tuple[Box, ...]


def compose(sprites: Sequence[Image.Image], rng: Random, size: tuple[int, int], *, tidy: bool = False) -> Picture:
    """A live room of `size` (width, height) that shows all sprites: the first held up, the others on the table, a few floating.

    Between 0 and 6 sprites fit well. A tidy room is well lit and nothing floats in it: for shop windows, not for training.
    """
    room = scene.stage(rng, size, tidy=tidy)
    boxes: list[IntBox] = []
    for index, sprite in enumerate(sprites):
        held = index == 0 and (rng.random() < 0.8 or tidy)
        placed = fitted(sprite, rng.uniform(*((0.22, 0.5) if held else (0.15, 0.36))) * min(size))
        left, top = _held(placed, room) if held else _laid(placed, room, boxes, rng, floating=0.0 if tidy else 0.25)
        if held and rng.random() < 0.2:
            placed = placed.filter(ImageFilter.BoxBlur((rng.uniform(0.5, 0.02 * placed.width), 0)))
        room.picture.paste(placed, (left, top), placed)
        box = (left, top, left + placed.width, top + placed.height)
        boxes.append(box)
        if held and rng.random() < 0.8:
            scene.grip(room.picture, box, room.skin, rng)
    scene.overlay(room.picture, rng)
    return Picture(room.picture if tidy else _exposed(room.picture, rng), tuple(_clipped(box, size) for box in boxes))


def on_plain(sprite: Image.Image, rng: Random, size: tuple[int, int], *, fill: float) -> Picture:
    """One product alone on a studio background; its longer side takes `fill` (0..1) of the shorter side of the picture."""
    width, height = size
    placed = fitted(sprite, fill * min(size))
    left, top = (width - placed.width) // 2, (height - placed.height) // 2
    room = scene.plain(rng, size, (width / 2, top + placed.height, placed.width))
    room.paste(placed, (left, top), placed)
    return Picture(room, ((float(left), float(top), float(left + placed.width), float(top + placed.height)),))


def fitted(sprite: Image.Image, longer_px: float) -> Image.Image:
    """The sprite without its transparent border, its longer side `longer_px`."""
    box = sprite.getchannel("A").point(lambda value: 255 if value > 40 else 0).getbbox() or (0, 0, *sprite.size)
    cut = sprite.crop(box)
    scale = longer_px / max(cut.size)
    return cut.resize((max(4, round(cut.width * scale)), max(4, round(cut.height * scale))), Image.Resampling.BILINEAR, reducing_gap=2.0)


def _held(placed: Image.Image, room: scene.Stage) -> tuple[int, int]:
    """The left top corner that puts the product into the host's hand."""
    return _inside(room.hand[0] - placed.width * 0.5, room.hand[1] - placed.height * 0.62, placed, room.picture.size)


def _laid(placed: Image.Image, room: scene.Stage, taken: Sequence[IntBox], rng: Random, *, floating: float) -> tuple[int, int]:
    """The left top corner, on the table or (with chance `floating`) anywhere, that covers the least of what is there already."""
    width, height = room.picture.size
    corners = []
    for _ in range(12):
        bottom = rng.uniform(placed.height, height) if rng.random() < floating else room.table_y + height * rng.uniform(0, 0.1)
        corners.append(_inside(rng.uniform(-0.04 * width, width * 1.04 - placed.width), bottom - placed.height, placed, (width, height)))
    return min(corners, key=lambda corner: _covered((*corner, corner[0] + placed.width, corner[1] + placed.height), taken))


def _covered(box: IntBox, others: Sequence[IntBox]) -> float:
    return sum(_overlap(box, other) for other in others)


def _inside(left: float, top: float, placed: Image.Image, size: tuple[int, int]) -> tuple[int, int]:
    """At most a tenth of the product leaves the frame."""
    spare_x, spare_y = placed.width * 0.1, placed.height * 0.1
    return (
        round(min(max(left, -spare_x), size[0] - placed.width + spare_x)),
        round(min(max(top, -spare_y), size[1] - placed.height + spare_y)),
    )


def _overlap(one: IntBox, other: IntBox) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    tall = min(one[3], other[3]) - max(one[1], other[1])
    return float(max(0, wide) * max(0, tall))


def _clipped(box: IntBox, size: tuple[int, int]) -> Box:
    width, height = size
    return float(max(0, box[0])), float(max(0, box[1])), float(min(width, box[2])), float(min(height, box[3]))


def _exposed(picture: Image.Image, rng: Random) -> Image.Image:
    picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(0.8, 1.15))
    return ImageEnhance.Contrast(picture).enhance(rng.uniform(0.88, 1.12))
