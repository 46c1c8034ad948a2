"""Things of the house and the hobby room: kitchen, home, toys, sports and pets."""

from random import Random

from models.demo.drawing.canvas import Canvas, Paint, ellipse, lathe, rectangle, smooth, turned
from models.demo.drawing.containers import accent_paint, body_paint
from models.demo.drawing.label import emblem, label
from models.demo.drawing.look import Look, shade

DARK = (52, 52, 58)


def pan(canvas: Canvas, look: Look) -> None:
    radius = 0.26 + 0.04 * look.detail
    canvas.fill(turned(rectangle(0.5, 0.46, 0.98, 0.54, 0.03), -25 - 30 * look.stature, x=0.42, y=0.56), accent_paint(look, "slope"))
    canvas.fill(ellipse(0.4, 0.6, radius + 0.05), body_paint(look, "slope"))
    canvas.fill(ellipse(0.4, 0.6, radius), Paint(shade(look.body, 0.55), surface="dome"))
    canvas.fill(ellipse(0.4, 0.6, radius * 0.78), Paint(shade(look.body, 0.45)))
    emblem(canvas, look, (0.4, 0.6), radius * 0.4, ink=look.paper, paper=shade(look.body, 0.45))


def mug(canvas: Canvas, look: Look) -> None:
    half, top = 0.22 + 0.05 * (1 - look.stature), 0.32 - 0.14 * look.stature
    canvas.line(
        smooth([(0.45 + half, top + 0.12), (0.6 + half, top + 0.14), (0.6 + half, 0.66), (0.45 + half, 0.76)], closed=False),
        0.055,
        shade(look.accent, 0.9),
    )
    canvas.fill(
        lathe(
            [(top, half), (0.6, half * (1 - 0.08 * look.detail)), (0.84, half * (0.98 - 0.25 * look.detail)), (0.88, half * 0.7)],
            centre=0.45,
        ),
        body_paint(look),
    )
    canvas.fill(ellipse(0.45, top, half, 0.05), Paint(shade(look.body, 1.15)))
    canvas.fill(ellipse(0.45, top + 0.005, half * 0.88, 0.038), Paint(shade(look.body, 0.5)))
    label(canvas, look, (0.45 - half * 0.7, top + 0.1, 0.45 + half * 0.7, 0.8))


def kettle(canvas: Canvas, look: Look) -> None:
    half = 0.24 + 0.05 * (1 - look.stature)
    canvas.line(smooth([(0.3, 0.36), (0.26, 0.14), (0.6, 0.1), (0.66, 0.36)], closed=False), 0.045, shade(look.accent, 0.85))
    canvas.fill(smooth([(0.66, 0.66), (0.84, 0.44), (0.95, 0.36), (0.9, 0.5), (0.78, 0.78)]), body_paint(look, "slope"))
    canvas.fill(
        lathe([(0.32, half * 0.5), (0.45, half * 0.86), (0.72, half), (0.88, half * 0.92), (0.9, half * 0.8)], centre=0.48),
        body_paint(look),
    )
    canvas.fill(ellipse(0.48, 0.33, half * 0.55, 0.04), accent_paint(look, "slope"))
    canvas.fill(ellipse(0.48, 0.28, 0.04), accent_paint(look, "dome"))
    emblem(canvas, look, (0.48, 0.66), 0.09, ink=look.paper, paper=look.body)


def lamp(canvas: Canvas, look: Look) -> None:
    spread = 0.2 + 0.12 * look.detail
    canvas.fill(ellipse(0.5, 0.9, 0.2, 0.045), accent_paint(look, "slope"))
    canvas.fill(
        lathe([(0.44, 0.025), (0.6, 0.03 + 0.09 * (1 - look.stature)), (0.76, 0.06 + 0.06 * (1 - look.stature)), (0.88, 0.06)]),
        accent_paint(look),
    )
    canvas.fill([(0.5 - spread * 0.55, 0.08), (0.5 + spread * 0.55, 0.08), (0.5 + spread, 0.48), (0.5 - spread, 0.48)], body_paint(look))
    canvas.fill(ellipse(0.5, 0.48, spread, 0.03), Paint(shade(look.body, 1.25)))
    emblem(canvas, look, (0.5, 0.3), 0.08, ink=look.paper, paper=look.body)


def plant(canvas: Canvas, look: Look) -> None:
    rng = Random(look.seed)
    green = shade((70, 140, 74), rng.uniform(0.7, 1.3))
    for index in range(5 + int(look.detail * 4)):
        leaf = smooth([(0.5, 0.62), (0.44, 0.36), (0.5, 0.1 + 0.1 * rng.random()), (0.56, 0.36)])
        canvas.fill(
            turned(leaf, -62 + index * 124 / (4 + int(look.detail * 4)), y=0.62),
            Paint(shade(green, rng.uniform(0.8, 1.2)), surface="slope"),
        )
    half = 0.17 + 0.06 * (1 - look.stature)
    canvas.fill([(0.5 - half, 0.58), (0.5 + half, 0.58), (0.5 + half * 0.72, 0.93), (0.5 - half * 0.72, 0.93)], body_paint(look))
    canvas.fill(rectangle(0.5 - half * 1.1, 0.56, 0.5 + half * 1.1, 0.64, 0.01), accent_paint(look))
    emblem(canvas, look, (0.5, 0.78), 0.075, ink=look.paper, paper=look.body)


def cushion(canvas: Canvas, look: Look) -> None:
    half = 0.34 + 0.05 * look.detail
    tall = half * (0.62 + 0.38 * look.stature)
    corners = [(-1, -1), (0, -0.86), (1, -1), (0.88, 0), (1, 1), (0, 0.86), (-1, 1), (-0.88, 0)]
    canvas.fill(smooth([(0.5 + x * half, 0.5 + y * tall) for x, y in corners]), accent_paint(look, "dome"))
    canvas.fill(smooth([(0.5 + x * half * 0.92, 0.5 + y * tall * 0.92) for x, y in corners]), body_paint(look, "dome"))
    emblem(canvas, look, (0.5, 0.5), 0.15, ink=look.paper, paper=look.body)


def book(canvas: Canvas, look: Look) -> None:
    half = 0.25 + 0.06 * (1 - look.stature)
    canvas.fill([(0.5 + half, 0.1), (0.56 + half, 0.14), (0.56 + half, 0.95), (0.5 + half, 0.92)], Paint((238, 232, 214), surface="tube"))
    canvas.fill([(0.5 - half, 0.92), (0.5 + half, 0.92), (0.56 + half, 0.95), (0.55 - half, 0.95)], Paint((214, 206, 186)))
    canvas.fill(rectangle(0.5 - half, 0.08, 0.5 + half, 0.92, 0.01), body_paint(look, "slope"))
    canvas.fill(rectangle(0.5 - half, 0.08, 0.56 - half, 0.92), Paint(look.accent, surface="tube"))
    label(canvas, look, (0.6 - half, 0.2, 0.46 + half, 0.76))


def bear(canvas: Canvas, look: Look) -> None:
    fur, light = Paint(look.body, surface="dome"), Paint(shade(look.paper, 1.0), surface="dome")
    for side in (-1, 1):
        canvas.fill(ellipse(0.5 + side * 0.18, 0.14, 0.08), fur)
        canvas.fill(ellipse(0.5 + side * 0.18, 0.14, 0.045), light)
        canvas.fill(turned(ellipse(0.5 + side * 0.25, 0.58, 0.075, 0.16), -side * 28, x=0.5 + side * 0.25, y=0.58), fur)
        canvas.fill(ellipse(0.5 + side * 0.17, 0.87, 0.115, 0.085), fur)
    canvas.fill(ellipse(0.5, 0.66, 0.22 + 0.04 * (1 - look.stature), 0.25), body_paint(look, "dome"))
    canvas.fill(ellipse(0.5, 0.28, 0.23, 0.21), fur)
    canvas.fill(ellipse(0.5, 0.34, 0.1, 0.08), light)
    for x, y, radius in ((0.41, 0.25, 0.026), (0.59, 0.25, 0.026), (0.5, 0.31, 0.034)):
        canvas.fill(ellipse(x, y, radius), Paint(DARK))
    canvas.fill(rectangle(0.34, 0.45, 0.66, 0.5, 0.02), accent_paint(look, "slope"))
    emblem(canvas, look, (0.5, 0.68), 0.1, ink=look.accent, paper=look.body)


def blocks(canvas: Canvas, look: Look) -> None:
    colours = (look.body, look.accent, look.ink, look.paper)
    places = (
        ((0.14, 0.62), (0.5, 0.62), (0.32, 0.31), (0.37, 0.02))
        if look.stature > 0.5
        else ((0.05, 0.6), (0.36, 0.6), (0.67, 0.6), (0.36, 0.28))
    )
    for index, (left, top) in enumerate(places):
        canvas.fill(rectangle(left, top, left + 0.3, top + 0.3, 0.02 + 0.05 * look.detail), Paint(colours[index], surface="slope"))
        canvas.fill(rectangle(left + 0.04, top + 0.04, left + 0.26, top + 0.26, 0.03), Paint(shade(colours[index], 0.84)))
        emblem(canvas, look, (left + 0.15, top + 0.15), 0.075, ink=colours[(index + 1) % 4], paper=shade(colours[index], 0.84))


def car(canvas: Canvas, look: Look) -> None:
    roof = 0.3 + 0.1 * (1 - look.stature)
    canvas.fill(smooth([(0.24, 0.54), (0.32, roof), (0.5, roof - 0.03), (0.68, roof), (0.78, 0.54)]), accent_paint(look, "slope"))
    for left, right in ((0.33, 0.48), (0.52, 0.68)):
        canvas.fill(rectangle(left, roof + 0.06, right, 0.52, 0.03), Paint((206, 228, 238), surface="slope"))
    canvas.fill(rectangle(0.05, 0.5, 0.95, 0.72, 0.08), body_paint(look, "slope"))
    for x in (0.26, 0.74):
        canvas.fill(ellipse(x, 0.73, 0.115 + 0.02 * look.detail), Paint(DARK))
        canvas.fill(ellipse(x, 0.73, 0.055), Paint(look.paper, surface="dome"))
    emblem(canvas, look, (0.5, 0.61), 0.075, ink=look.paper, paper=look.body)
    canvas.fill(ellipse(0.91, 0.58, 0.03, 0.04), Paint((255, 236, 170)))


def ball(canvas: Canvas, look: Look) -> None:
    canvas.fill(ellipse(0.5, 0.5, 0.42), body_paint(look, "dome"))
    bend = 0.1 + 0.22 * look.detail
    for points in (
        [(0.5 - bend, 0.12), (0.5 - bend * 0.2, 0.5), (0.5 - bend, 0.88)],
        [(0.5 + bend, 0.12), (0.5 + bend * 0.2, 0.5), (0.5 + bend, 0.88)],
        [(0.09, 0.5), (0.5, 0.5 + bend * 0.3), (0.91, 0.5)],
    ):
        canvas.line(smooth(points, closed=False), 0.02, shade(look.accent, 0.9))
    if look.layout < 3:
        canvas.fill(ellipse(0.5, 0.34, 0.13), Paint(look.paper))
    emblem(canvas, look, (0.5, 0.34), 0.09, ink=look.ink, paper=look.paper)


def dumbbell(canvas: Canvas, look: Look) -> None:
    canvas.fill(rectangle(0.2, 0.46, 0.8, 0.54), Paint((176, 180, 188), surface="slope"))
    for index in range(2 + int(look.detail * 2)):
        half = 0.24 - 0.05 * index + 0.06 * look.stature
        for side in (-1, 1):
            x = 0.5 + side * (0.22 + 0.075 * index)
            canvas.fill(
                rectangle(x - 0.036, 0.5 - half, x + 0.036, 0.5 + half, 0.03),
                body_paint(look, "slope") if index % 2 == 0 else accent_paint(look, "slope"),
            )
    emblem(canvas, look, (0.5, 0.5), 0.055, ink=look.paper, paper=look.body)


def racket(canvas: Canvas, look: Look) -> None:
    wide = 0.19 + 0.07 * look.detail
    canvas.fill(rectangle(0.465, 0.55, 0.535, 0.96, 0.02), Paint(DARK, look.accent, "diagonal", "tube"))
    canvas.fill(ellipse(0.5, 0.33, wide + 0.035, 0.3), body_paint(look, "slope"))
    canvas.fill(ellipse(0.5, 0.33, wide, 0.26), Paint(look.paper, surface="slope"))
    for step in range(-4, 5):
        reach = (1 - (step / 5) ** 2) ** 0.5
        canvas.line([(0.5 + wide * step / 5, 0.33 - 0.26 * reach), (0.5 + wide * step / 5, 0.33 + 0.26 * reach)], 0.004, look.ink)
        canvas.line([(0.5 - wide * reach, 0.33 + 0.26 * step / 5), (0.5 + wide * reach, 0.33 + 0.26 * step / 5)], 0.004, look.ink)
    emblem(canvas, look, (0.5, 0.33), 0.1, ink=look.accent, paper=look.paper)


def bone(canvas: Canvas, look: Look) -> None:
    thick = 0.07 + 0.05 * (1 - look.stature)
    for x in (0.17, 0.83):
        for side in (-1, 1):
            canvas.fill(ellipse(x, 0.5 + side * (thick + 0.03), 0.115), body_paint(look, "dome"))
    canvas.fill(rectangle(0.17, 0.5 - thick, 0.83, 0.5 + thick), body_paint(look, "slope"))
    canvas.fill(rectangle(0.4, 0.49 - thick, 0.6, 0.51 + thick, 0.02), accent_paint(look, "slope"))
    emblem(canvas, look, (0.5, 0.5), 0.07, ink=look.paper, paper=look.accent)


def bowl(canvas: Canvas, look: Look) -> None:
    top, half = 0.42 - 0.08 * look.stature, 0.38
    canvas.fill(
        [(0.5 - half * 0.86, top), (0.5 + half * 0.86, top), (0.5 + half * 1.12, 0.76), (0.5 - half * 1.12, 0.76)],
        body_paint(look, "slope"),
    )
    canvas.fill(ellipse(0.5, top, half * 0.86, 0.08), Paint(shade(look.body, 1.15), surface="slope"))
    canvas.fill(ellipse(0.5, top + 0.01, half * 0.74, 0.062), Paint(shade(look.body, 0.55)))
    rng = Random(look.seed)
    for _ in range(14):
        canvas.fill(
            ellipse(0.5 + rng.uniform(-0.22, 0.22), top - rng.uniform(-0.03, 0.03), 0.032, 0.026),
            Paint(shade(look.accent, rng.uniform(0.7, 1.1)), surface="dome"),
        )
    emblem(canvas, look, (0.5, 0.6), 0.1, ink=look.paper, paper=look.body)


def cat_house(canvas: Canvas, look: Look) -> None:
    peak = 0.06 + 0.12 * (1 - look.stature)
    canvas.fill(rectangle(0.16, 0.38, 0.84, 0.93, 0.02), body_paint(look, "slope"))
    canvas.fill([(0.5, peak), (0.93, 0.42), (0.07, 0.42)], accent_paint(look, "slope"))
    canvas.fill(lathe([(0.5, 0.02), (0.58, 0.13 + 0.05 * look.detail), (0.93, 0.15 + 0.05 * look.detail)]), Paint(shade(look.body, 0.35)))
    emblem(canvas, look, (0.5, 0.29), 0.075, ink=look.paper, paper=look.accent)


DRAWERS = {
    "pan": pan,
    "mug": mug,
    "kettle": kettle,
    "lamp": lamp,
    "plant": plant,
    "cushion": cushion,
    "book": book,
    "bear": bear,
    "blocks": blocks,
    "car": car,
    "ball": ball,
    "dumbbell": dumbbell,
    "racket": racket,
    "bone": bone,
    "bowl": bowl,
    "cat_house": cat_house,
}
