"""Bottles, jars, bags and other packaging: beauty, skincare, food and drinks."""

from random import Random

from models.demo.drawing.canvas import Canvas, Paint, ellipse, lathe, rectangle, smooth
from models.demo.drawing.label import emblem, label
from models.demo.drawing.look import Colour, Look, shade


def body_paint(look: Look, surface: str = "tube") -> Paint:
    return Paint(look.body, look.accent, look.pattern, surface)


def accent_paint(look: Look, surface: str = "tube") -> Paint:
    return Paint(look.accent, surface=surface)


def bottle(canvas: Canvas, look: Look) -> None:
    half, shoulder = 0.13 + 0.07 * (1 - look.stature), 0.28 + 0.12 * look.detail
    canvas.fill(rectangle(0.5 - half * 0.42, 0.06, 0.5 + half * 0.42, 0.16, 0.02), accent_paint(look))
    canvas.fill(
        lathe(
            [(0.15, half * 0.34), (0.22, half * 0.36), (shoulder, half * 0.95), (shoulder + 0.1, half), (0.92, half), (0.94, half * 0.9)]
        ),
        body_paint(look),
    )
    label(canvas, look, (0.5 - half, shoulder + 0.12, 0.5 + half, 0.8))


def can(canvas: Canvas, look: Look) -> None:
    half, top = 0.15 + 0.06 * (1 - look.stature), 0.16 - 0.06 * look.stature
    metal = Paint((196, 200, 206), surface="tube")
    canvas.fill(lathe([(top, half * 0.82), (top + 0.05, half), (0.88, half), (0.93, half * 0.82)], curved=False), metal)
    canvas.fill(rectangle(0.5 - half, top + 0.05, 0.5 + half, 0.88), body_paint(look))
    canvas.fill(ellipse(0.5, top, half * 0.8, 0.018), Paint((168, 172, 178)))
    label(canvas, look, (0.5 - half * 0.95, 0.3, 0.5 + half * 0.95, 0.72))


def carton(canvas: Canvas, look: Look) -> None:
    half, top = 0.15 + 0.08 * (1 - look.stature), 0.26
    side = half * 0.45
    canvas.fill([(0.5 - half, top), (0.5 + half - side, top), (0.5 + half - side, 0.93), (0.5 - half, 0.93)], body_paint(look, "slope"))
    canvas.fill(
        [(0.5 + half - side, top), (0.5 + half, top - 0.03), (0.5 + half, 0.88), (0.5 + half - side, 0.93)], Paint(shade(look.body, 0.7))
    )
    canvas.fill(
        [(0.5 - half, top), (0.5 - half + 0.04, 0.13), (0.5 + half - side * 0.6, 0.12), (0.5 + half - side, top)],
        Paint(look.accent, surface="slope"),
    )
    canvas.fill([(0.5 + half - side, top), (0.5 + half - side * 0.6, 0.12), (0.5 + half, top - 0.03)], Paint(shade(look.accent, 0.68)))
    canvas.fill(rectangle(0.5 - half + 0.04, 0.07, 0.5 + half - side * 0.6, 0.13), Paint(shade(look.accent, 0.86)))
    label(canvas, look, (0.5 - half + 0.02, 0.38, 0.5 + half - side - 0.02, 0.84))


def jar(canvas: Canvas, look: Look) -> None:
    half, top = 0.26 + 0.08 * (1 - look.stature), 0.34 - 0.12 * look.stature
    canvas.fill(lathe([(top + 0.14, half * 0.96), (top + 0.2, half), (0.8, half), (0.87, half * 0.86)]), body_paint(look))
    canvas.fill(rectangle(0.5 - half, top, 0.5 + half, top + 0.16, 0.03), accent_paint(look))
    canvas.fill(rectangle(0.5 - half, top + 0.13, 0.5 + half, top + 0.15), Paint(shade(look.accent, 0.7)))
    label(canvas, look, (0.5 - half * 0.7, top + 0.21, 0.5 + half * 0.7, 0.84))


def tube(canvas: Canvas, look: Look) -> None:
    half = 0.13 + 0.06 * (1 - look.stature)
    canvas.fill(rectangle(0.5 - half * 0.6, 0.8, 0.5 + half * 0.6, 0.95, 0.02), accent_paint(look))
    canvas.fill(
        [(0.5 - half * 1.25, 0.06), (0.5 + half * 1.25, 0.06), (0.5 + half * 0.75, 0.82), (0.5 - half * 0.75, 0.82)], body_paint(look)
    )
    canvas.fill(rectangle(0.5 - half * 1.25, 0.06, 0.5 + half * 1.25, 0.1), Paint(shade(look.body, 0.78)))
    label(canvas, look, (0.5 - half * 0.8, 0.2, 0.5 + half * 0.8, 0.68))


def pump(canvas: Canvas, look: Look) -> None:
    half, top = 0.17 + 0.07 * (1 - look.stature), 0.34
    canvas.line([(0.5, 0.3), (0.5, 0.14)], 0.05, shade(look.accent, 0.8))
    canvas.fill(smooth([(0.3, 0.16), (0.33, 0.1), (0.5, 0.08), (0.6, 0.1), (0.6, 0.17), (0.45, 0.18)]), Paint(look.accent, surface="slope"))
    canvas.fill(rectangle(0.5 - half * 0.5, 0.26, 0.5 + half * 0.5, top + 0.02, 0.015), accent_paint(look))
    canvas.fill(
        lathe([(top, half * 0.55), (top + 0.05, half), (0.9, half), (0.94, half * 0.92)], curved=look.detail > 0.5), body_paint(look)
    )
    label(canvas, look, (0.5 - half * 0.85, 0.46, 0.5 + half * 0.85, 0.86))


def lipstick(canvas: Canvas, look: Look) -> None:
    half = 0.085 + 0.04 * (1 - look.stature)
    canvas.fill(
        [(0.5 - half * 0.7, 0.5), (0.5 - half * 0.7, 0.2), (0.5 + half * 0.2, 0.08), (0.5 + half * 0.7, 0.2), (0.5 + half * 0.7, 0.5)],
        accent_paint(look),
    )
    canvas.fill(rectangle(0.5 - half * 0.85, 0.4, 0.5 + half * 0.85, 0.56), Paint((206, 178, 120), surface="tube"))
    canvas.fill(rectangle(0.5 - half, 0.54, 0.5 + half, 0.94, 0.015), body_paint(look))
    emblem(canvas, look, (0.5, 0.73), half * 0.6, ink=look.paper, paper=look.body)


def compact(canvas: Canvas, look: Look) -> None:
    shape = [ellipse(0.5, 0.3, 0.25, 0.22), ellipse(0.5, 0.72, 0.26, 0.22)]
    if look.stature > 0.5:
        shape = [rectangle(0.23, 0.08, 0.77, 0.5, 0.05), rectangle(0.22, 0.51, 0.78, 0.93, 0.05)]
    for part in shape:
        canvas.fill(part, body_paint(look, "slope"))
    canvas.fill(ellipse(0.5, 0.29, 0.19, 0.16), Paint((204, 222, 232), surface="dome"))
    colours: tuple[Colour, ...] = (look.accent, look.ink, look.paper, shade(look.accent, 0.7))
    for index, colour in enumerate(colours):
        x, y = 0.41 + 0.18 * (index % 2), 0.64 + 0.16 * (index // 2)
        canvas.fill(rectangle(x - 0.075, y - 0.065, x + 0.075, y + 0.065, 0.02 + 0.05 * look.detail), Paint(colour, surface="slope"))


def polish(canvas: Canvas, look: Look) -> None:
    half = 0.17 + 0.06 * (1 - look.stature)
    canvas.fill(lathe([(0.08, 0.055), (0.3, 0.075), (0.5, 0.085)]), accent_paint(look))
    canvas.fill(
        lathe([(0.5, half * 0.5), (0.58, half * 0.9), (0.7, half), (0.88, half), (0.93, half * 0.85)], curved=look.detail > 0.4),
        body_paint(look),
    )
    emblem(canvas, look, (0.5, 0.74), half * 0.5, ink=look.paper, paper=look.body)


def pouch(canvas: Canvas, look: Look) -> None:
    half = 0.22 + 0.1 * (1 - look.stature)
    canvas.fill(
        smooth(
            [
                (0.5 - half, 0.1),
                (0.5, 0.11),
                (0.5 + half, 0.1),
                (0.5 + half * 0.95, 0.5),
                (0.5 + half, 0.92),
                (0.5, 0.9),
                (0.5 - half, 0.92),
                (0.5 - half * 0.95, 0.5),
            ]
        ),
        body_paint(look),
    )
    for top in (0.1, 0.86):
        canvas.fill(rectangle(0.5 - half, top, 0.5 + half, top + 0.05), accent_paint(look, "slope"))
    label(canvas, look, (0.5 - half * 0.72, 0.24, 0.5 + half * 0.72, 0.76))


def tin(canvas: Canvas, look: Look) -> None:
    half, top = 0.25 + 0.07 * (1 - look.stature), 0.3 - 0.1 * look.stature
    canvas.fill(rectangle(0.5 - half, top, 0.5 + half, 0.85, 0.02), Paint((188, 190, 196), surface="tube"))
    canvas.fill(rectangle(0.5 - half, top + 0.05, 0.5 + half, 0.8), body_paint(look))
    canvas.fill(ellipse(0.5, top + 0.01, half, 0.045), Paint((206, 208, 214), surface="slope"))
    canvas.fill(ellipse(0.5, top + 0.01, half * 0.86, 0.034), Paint((168, 170, 178)))
    label(canvas, look, (0.5 - half * 0.75, top + 0.09, 0.5 + half * 0.75, 0.78))


def fruit_bag(canvas: Canvas, look: Look) -> None:
    rng = Random(look.seed)
    canvas.fill(
        smooth([(0.46, 0.2), (0.54, 0.2), (0.8, 0.45), (0.84, 0.78), (0.5, 0.94), (0.16, 0.78), (0.2, 0.45)]), Paint(shade(look.body, 0.62))
    )
    radius = 0.085 + 0.04 * look.stature
    for row in range(4):
        for column in range(4):
            x, y = 0.3 + column * 0.135 + rng.uniform(-0.02, 0.02), 0.42 + row * 0.13 + rng.uniform(-0.02, 0.02)
            canvas.fill(ellipse(x, y, radius), Paint(shade(look.body, rng.uniform(0.85, 1.15)), surface="dome"))
    for step in range(7):
        canvas.line([(0.5, 0.2), (0.18 + step * 0.107, 0.84)], 0.006, look.accent)
    canvas.fill([(0.46, 0.2), (0.36, 0.06), (0.64, 0.06), (0.54, 0.2)], accent_paint(look, "slope"))
    label(canvas, look, (0.37, 0.55, 0.63, 0.82))


DRAWERS = {
    "bottle": bottle,
    "can": can,
    "carton": carton,
    "jar": jar,
    "tube": tube,
    "pump": pump,
    "lipstick": lipstick,
    "compact": compact,
    "polish": polish,
    "pouch": pouch,
    "tin": tin,
    "fruit_bag": fruit_bag,
}
