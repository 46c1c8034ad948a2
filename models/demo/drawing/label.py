"""Emblems and labels: what is printed on a product."""

from random import Random

from models.demo.drawing.canvas import Canvas, Outline, Paint, ellipse, rectangle, smooth, star
from models.demo.drawing.look import Colour, Look


def emblem(canvas: Canvas, look: Look, centre: tuple[float, float], radius: float, *, ink: Colour, paper: Colour) -> None:
    """The brand's mark; `paper` shows through the holes of ring and moon."""
    x, y = centre
    canvas.fill(_mark(look.emblem, x, y, radius), Paint(ink))
    if look.emblem == "ring":
        canvas.fill(ellipse(x, y, radius * 0.55), Paint(paper))
    elif look.emblem == "moon":
        canvas.fill(ellipse(x + radius * 0.42, y - radius * 0.18, radius * 0.78), Paint(paper))
    elif look.emblem == "flower":
        canvas.fill(ellipse(x, y, radius * 0.32), Paint(paper))


def label(canvas: Canvas, look: Look, box: tuple[float, float, float, float]) -> None:
    """The printed part inside `box` (left, top, right, bottom), in one of four layouts."""
    left, top, right, bottom = box
    x, y = (left + right) / 2, (top + bottom) / 2
    width, height = right - left, bottom - top
    side = min(width, height)
    if look.layout == 0:
        canvas.fill(rectangle(left, top, right, bottom, side * 0.08), Paint(look.paper))
        emblem(canvas, look, (x, top + height * 0.34), side * 0.26, ink=look.ink, paper=look.paper)
        _lines(canvas, look, (left + width * 0.15, top + height * 0.68, right - width * 0.15, bottom - height * 0.08))
    elif look.layout == 1:
        canvas.fill(rectangle(left, y - height * 0.3, right, y + height * 0.3), Paint(look.paper))
        canvas.fill(rectangle(left, y - height * 0.36, right, y - height * 0.32), Paint(look.ink))
        emblem(canvas, look, (x, y), min(side * 0.3, height * 0.24), ink=look.ink, paper=look.paper)
    elif look.layout == 2:
        canvas.fill(ellipse(x, y, side * 0.48), Paint(look.paper))
        canvas.fill(ellipse(x, y, side * 0.43), Paint(look.ink))
        canvas.fill(ellipse(x, y, side * 0.39), Paint(look.paper))
        emblem(canvas, look, (x, y), side * 0.27, ink=look.ink, paper=look.paper)
    else:
        emblem(canvas, look, (x, y - height * 0.1), side * 0.4, ink=look.paper, paper=look.body)
        _lines(canvas, look, (left + width * 0.1, y + height * 0.3, right - width * 0.1, bottom), ink=look.paper)


def _lines(canvas: Canvas, look: Look, box: tuple[float, float, float, float], *, ink: Colour | None = None) -> None:
    """Two or three lines of unreadable print."""
    left, top, right, bottom = box
    rng = Random(look.seed)
    count = 2 + look.seed % 2
    pitch = (bottom - top) / count
    for index in range(count):
        inset = rng.uniform(0, 0.22) * (right - left)
        y = top + index * pitch
        canvas.fill(rectangle(left + inset, y, right - inset, y + pitch * 0.5), Paint(ink or look.ink))


def _mark(name: str, x: float, y: float, radius: float) -> Outline:
    shapes = {
        "star": lambda: star(x, y, radius, 5, 0.42),
        "leaf": lambda: smooth(
            [
                (x - radius, y + radius * 0.8),
                (x - radius * 0.5, y - radius * 0.6),
                (x + radius, y - radius),
                (x + radius * 0.4, y + radius * 0.6),
            ]
        ),
        "heart": lambda: _heart(x, y, radius),
        "bolt": lambda: _placed(((0.2, -1), (-0.7, 0.2), (-0.05, 0.2), (-0.3, 1), (0.7, -0.3), (0.05, -0.3)), x, y, radius),
        "drop": lambda: smooth(_placed(((0, -1.1), (0.55, 0.0), (0.62, 0.55), (0, 1), (-0.62, 0.55), (-0.55, 0.0)), x, y, radius)),
        "triangle": lambda: star(x, y, radius * 1.1, 3, 0.5),
        "diamond": lambda: star(x, y, radius * 1.1, 2, 0.7),
        "flower": lambda: smooth(star(x, y, radius * 1.1, 6, 0.5)),
        "cross": lambda: star(x, y, radius * 1.15, 4, 0.38),
    }
    return shapes[name]() if name in shapes else ellipse(x, y, radius)


def _heart(x: float, y: float, radius: float) -> Outline:
    return smooth(
        _placed(((0, -0.45), (0.5, -0.95), (1, -0.45), (0.6, 0.3), (0, 0.95), (-0.6, 0.3), (-1, -0.45), (-0.5, -0.95)), x, y, radius)
    )


def _placed(points: tuple[tuple[float, float], ...], x: float, y: float, radius: float) -> Outline:
    return [(x + a * radius, y + b * radius) for a, b in points]
