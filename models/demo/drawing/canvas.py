"""A square supersampled canvas in unit coordinates (x right, y down, 0..1), and the outlines drawn on it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.demo.drawing.look import Colour

Point = tuple[float, float]
Outline = list[Point]
Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Paint:
    """How an outline is filled: a colour, a second one in a pattern, and the light on its surface."""

    colour: Colour
    second: Colour | None = None
    pattern: str = "plain"
    surface: str = "flat"  # flat, tube (a cylinder seen from its side), dome (a ball)


class Canvas:
    """Draws at `size_px`; callers shrink the picture, which is what anti-aliases it."""

    def __init__(self, size_px: int) -> None:
        self.size_px = size_px
        self.image = Image.new("RGBA", (size_px, size_px), (0, 0, 0, 0))

    def fill(self, outline: Outline, paint: Paint) -> None:
        corners = np.asarray(outline, dtype=np.float32) * self.size_px
        left, top = (int(value) for value in np.floor(corners.min(axis=0)))
        right, bottom = (int(value) for value in np.ceil(corners.max(axis=0)) + 1)
        mask = Image.new("L", (right - left, bottom - top), 0)
        ImageDraw.Draw(mask).polygon([(float(x) - left, float(y) - top) for x, y in corners], fill=255)
        self.image.paste(_texture(right - left, bottom - top, self.size_px, paint), (left, top), mask)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        pen = ImageDraw.Draw(self.image)
        scaled = [(x * self.size_px, y * self.size_px) for x, y in points]
        radius = width * self.size_px / 2
        pen.line(scaled, fill=(*colour, 255), width=max(1, round(2 * radius)), joint="curve")
        for x, y in (scaled[0], scaled[-1]):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*colour, 255))


def rectangle(left: float, top: float, right: float, bottom: float, radius: float = 0.0) -> Outline:
    """A rectangle with rounded corners."""
    radius = min(radius, (right - left) / 2, (bottom - top) / 2)
    if radius <= 0:
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    centres = ((right - radius, bottom - radius, 0), (left + radius, bottom - radius, 90), (left + radius, top + radius, 180))
    corners = (*centres, (right - radius, top + radius, 270))
    return [
        (x + radius * math.cos(math.radians(start + step * 15)), y + radius * math.sin(math.radians(start + step * 15)))
        for x, y, start in corners
        for step in range(7)
    ]


def ellipse(x: float, y: float, radius_x: float, radius_y: float | None = None) -> Outline:
    radius_y = radius_x if radius_y is None else radius_y
    angles = [index * math.tau / 48 for index in range(48)]
    return [(x + radius_x * math.cos(angle), y + radius_y * math.sin(angle)) for angle in angles]


def star(x: float, y: float, radius: float, points: int, inner: float) -> Outline:
    """A star with `points` tips; `inner` is the radius of the notches relative to the tips."""
    return [
        (
            x + radius * (inner if index % 2 else 1) * math.sin(index * math.pi / points),
            y - radius * (inner if index % 2 else 1) * math.cos(index * math.pi / points),
        )
        for index in range(2 * points)
    ]


def smooth(points: Sequence[Point], *, closed: bool = True, steps: int = 8) -> Outline:
    """Catmull-Rom curve through the points."""
    knots = list(points)
    padded = [knots[-1], *knots, knots[0], knots[1]] if closed else [knots[0], *knots, knots[-1]]
    curve: Outline = []
    for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        for step in range(steps):
            t = step / steps
            curve.append((_spline(before[0], start[0], end[0], after[0], t), _spline(before[1], start[1], end[1], after[1], t)))
    return curve if closed else [*curve, knots[-1]]


def lathe(profile: Sequence[Point], *, centre: float = 0.5, curved: bool = True) -> Outline:
    """The silhouette of a turned body from (y, half width) pairs, top to bottom."""
    right = [(centre + half_width, y) for y, half_width in profile]
    side = smooth(right, closed=False) if curved else right
    return [*side, *((2 * centre - x, y) for x, y in reversed(side))]


def turned(outline: Outline, degrees: float, *, x: float = 0.5, y: float = 0.5) -> Outline:
    """The outline rotated clockwise about a point."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [(x + (a - x) * cosine - (b - y) * sine, y + (a - x) * sine + (b - y) * cosine) for a, b in outline]


def _spline(before: float, start: float, end: float, after: float, t: float) -> float:
    linear, quadratic = end - before, 2 * before - 5 * start + 4 * end - after
    cubic = 3 * (start - end) + after - before
    return 0.5 * (2 * start + linear * t + quadratic * t * t + cubic * t * t * t)


def _texture(width: int, height: int, unit_px: int, paint: Paint) -> Image.Image:
    if paint.surface == "flat" and (paint.pattern == "plain" or paint.second is None):
        return Image.new("RGB", (width, height), paint.colour)
    colour = np.empty((height, width, 3), dtype=np.float32)
    colour[:] = paint.colour
    if paint.second is not None and paint.pattern != "plain":
        amount = _pattern(width, height, unit_px, paint.pattern)[..., None]
        colour += amount * (np.asarray(paint.second, dtype=np.float32) - colour)
    colour *= _light(width, height, paint.surface)[..., None]
    return Image.fromarray(np.clip(colour, 0, 255).astype(np.uint8))


def _pattern(width: int, height: int, unit_px: int, name: str) -> Plane:
    """float32 (height, width), 0 where the first colour shows and 1 where the second does."""
    x = (np.arange(width, dtype=np.float32) / unit_px)[None, :]
    y = (np.arange(height, dtype=np.float32) / unit_px)[:, None]
    u, v = x * unit_px / width, y * unit_px / height
    planes: dict[str, Callable[[], NDArray[np.generic]]] = {
        "hoops": lambda: (y * 14 % 1 < 0.4) + 0 * x,
        "bars": lambda: (x * 14 % 1 < 0.4) + 0 * y,
        "diagonal": lambda: ((x + y) * 10 % 1) < 0.4,
        "dots": lambda: (x * 12 % 1 - 0.5) ** 2 + (y * 12 % 1 - 0.5) ** 2 < 0.09,
        "checks": lambda: (x * 9 % 1 < 0.5) ^ (y * 9 % 1 < 0.5),
        "waves": lambda: ((y + 0.02 * np.sin(x * 60)) * 12 % 1) < 0.45,
        "split": lambda: (u * 0.35 + v) > 0.62,
        "gradient": lambda: v + 0 * u,
    }
    return np.broadcast_to(planes[name](), (height, width)).astype(np.float32)


@lru_cache(maxsize=512)
def _light(width: int, height: int, surface: str) -> Plane:
    """float32 (height, width) or broadcastable: the factor that the light of a soft lamp at the upper left gives."""
    u = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    v = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    if surface == "tube":
        return np.broadcast_to(0.74 + 0.38 * np.exp(-(((u - 0.33) / 0.2) ** 2)) + 0.1 * (u > 0.93), (height, width)).astype(np.float32)
    if surface == "dome":
        return (0.62 + 0.58 * np.exp(-((u - 0.36) ** 2 + (v - 0.32) ** 2) / 0.16)).astype(np.float32)
    return (1.06 - 0.14 * v - 0.05 * u).astype(np.float32)
