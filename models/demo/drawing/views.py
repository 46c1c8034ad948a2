"""A product seen from somewhere: perspective, turn and light around the flat drawing."""

import math
from dataclasses import dataclass
from functools import lru_cache
from random import Random

import numpy as np
from PIL import Image, ImageEnhance

from models.demo.drawing import containers, homeware, wearables
from models.demo.drawing.canvas import Canvas
from models.demo.drawing.look import Look

DRAWERS = {**containers.DRAWERS, **homeware.DRAWERS, **wearables.DRAWERS}
SUPERSAMPLING = 2


@dataclass(frozen=True, slots=True)
class View:
    """How the camera sees a product; `View()` is straight from the front."""

    turn_degrees: float = 0.0
    narrowing: float = 0.0  # 0..1: how much a turn about the vertical axis narrows it
    keystone: float = 0.0  # -1..1: one side (or the top) is nearer
    tilt: float = 0.0
    brightness: float = 1.0
    warmth: float = 0.0  # -1 bluish .. 1 reddish


def numbered_view(number: int, *, seed: int = 0) -> View:
    """View 0 is the front; the others are drawn, stronger the higher the number, from number and seed."""
    if number == 0:
        return View()
    rng = Random(seed * 1009 + number)
    strength = min(1.0, 0.4 + 0.15 * number)
    return View(
        turn_degrees=rng.uniform(-28, 28) * strength,
        narrowing=rng.uniform(0, 0.3) * strength,
        keystone=rng.uniform(-0.16, 0.16) * strength,
        tilt=rng.uniform(-0.14, 0.14) * strength,
        brightness=1 + rng.uniform(-0.3, 0.25) * strength,
        warmth=rng.uniform(-1, 1) * strength,
    )


def render(look: Look, view: View, size_px: int) -> Image.Image:
    """RGBA, `size_px` square, transparent around the product, which touches the border on its longer side."""
    flat = _flat(look, size_px * SUPERSAMPLING)
    seen = flat if view == View() else _lit(_projected(flat, view), view)
    box = seen.getbbox() or (0, 0, *seen.size)
    longer = max(box[2] - box[0], box[3] - box[1])
    x, y = (box[0] + box[2] - longer) // 2, (box[1] + box[3] - longer) // 2
    return seen.crop((x, y, x + longer, y + longer)).resize(
        (size_px, size_px), Image.Resampling.BOX if longer > size_px else Image.Resampling.BILINEAR
    )


@lru_cache(maxsize=64)
def _flat(look: Look, size_px: int) -> Image.Image:
    canvas = Canvas(size_px)
    DRAWERS[look.family](canvas, look)
    return canvas.image


def _projected(flat: Image.Image, view: View) -> Image.Image:
    size = flat.width
    half = size * 0.36
    cosine, sine = math.cos(math.radians(view.turn_degrees)), math.sin(math.radians(view.turn_degrees))
    target = []
    for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        wide = x * (1 - view.narrowing) * (1 + view.tilt * y) * half
        tall = y * (1 + view.keystone * x) * half
        target.append((size / 2 + wide * cosine - tall * sine, size / 2 + wide * sine + tall * cosine))
    source = [(0.0, 0.0), (size, 0.0), (size, size), (0.0, size)]
    return flat.transform(flat.size, Image.Transform.PERSPECTIVE, _homography(target, source), Image.Resampling.BILINEAR)


def _homography(target: list[tuple[float, float]], source: list[tuple[float, float]]) -> list[float]:
    """The eight coefficients with which PIL finds, for each target point, its place in the source."""
    rows, values = [], []
    for (x, y), (u, v) in zip(target, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(value) for value in np.linalg.solve(np.asarray(rows, dtype=np.float64), np.asarray(values, dtype=np.float64))]


def _lit(picture: Image.Image, view: View) -> Image.Image:
    red, green, blue, alpha = ImageEnhance.Brightness(picture).enhance(view.brightness).split()
    red = red.point(lambda value: min(255, value * (1 + 0.07 * view.warmth)))
    blue = blue.point(lambda value: min(255, value * (1 - 0.1 * view.warmth)))
    return Image.merge("RGBA", (red, green, blue, alpha))
