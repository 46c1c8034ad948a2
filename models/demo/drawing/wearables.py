"""Clothes, shoes and electronics."""

from models.demo.drawing.canvas import Canvas, Paint, ellipse, lathe, rectangle, smooth
from models.demo.drawing.containers import accent_paint, body_paint
from models.demo.drawing.label import emblem, label
from models.demo.drawing.look import Look, shade

DARK = (44, 46, 54)


def tshirt(canvas: Canvas, look: Look) -> None:
    sleeve, half = 0.36 + 0.2 * look.stature, 0.21 + 0.05 * look.detail
    shape = [
        (0.42, 0.12), (0.58, 0.12), (0.5 + half, 0.17), (0.95, sleeve), (0.8, sleeve + 0.09), (0.5 + half, 0.36), (0.5 + half, 0.92),
        (0.5 - half, 0.92), (0.5 - half, 0.36), (0.2, sleeve + 0.09), (0.05, sleeve), (0.5 - half, 0.17),
    ]  # fmt: skip
    canvas.fill(shape, body_paint(look, "slope"))
    canvas.fill(smooth([(0.41, 0.11), (0.5, 0.23), (0.59, 0.11), (0.5, 0.13)]), Paint(look.accent))
    canvas.fill(smooth([(0.43, 0.1), (0.5, 0.19), (0.57, 0.1), (0.5, 0.11)]), Paint(shade(look.body, 0.5)))
    label(canvas, look, (0.36, 0.36, 0.64, 0.7))


def trousers(canvas: Canvas, look: Look) -> None:
    hem, waist = 0.07 + 0.08 * look.detail, 0.2 + 0.04 * (1 - look.stature)
    for side in (-1, 1):
        knee = 0.5 + side * 0.17
        canvas.fill(
            [(0.5, 0.1), (0.5 + side * waist, 0.1), (knee + side * hem, 0.93), (knee - side * hem, 0.93), (0.5, 0.4)],
            body_paint(look, "slope"),
        )
    canvas.line([(0.5, 0.14), (0.5, 0.4)], 0.008, shade(look.body, 0.6))
    canvas.fill(rectangle(0.5 - waist, 0.07, 0.5 + waist, 0.14, 0.01), accent_paint(look, "slope"))
    emblem(canvas, look, (0.5 + waist * 0.6, 0.26), 0.055, ink=look.paper, paper=look.body)


def dress(canvas: Canvas, look: Look) -> None:
    flare, hem = 0.24 + 0.14 * look.detail, 0.72 + 0.2 * look.stature
    for side in (-1, 1):
        canvas.line([(0.5 + side * 0.09, 0.06), (0.5 + side * 0.12, 0.2)], 0.03, shade(look.accent, 0.95))
    canvas.fill(lathe([(0.16, 0.15), (0.3, 0.13), (0.4, 0.11), (0.6, flare * 0.7), (hem, flare)]), body_paint(look, "slope"))
    canvas.fill(rectangle(0.385, 0.37, 0.615, 0.425, 0.01), accent_paint(look, "slope"))
    canvas.fill(lathe([(hem - 0.05, flare * 0.95), (hem + 0.01, flare * 1.01)], curved=False), accent_paint(look, "slope"))
    emblem(canvas, look, (0.5, 0.56), 0.09, ink=look.paper, paper=look.body)


def sneaker(canvas: Canvas, look: Look) -> None:
    collar = 0.3 - 0.08 * look.stature
    canvas.fill(
        smooth([(0.06, collar), (0.2, collar + 0.07), (0.34, collar), (0.5, 0.44), (0.76, 0.53), (0.94, 0.62), (0.95, 0.74), (0.05, 0.74)]),
        body_paint(look, "slope"),
    )
    canvas.fill(smooth([(0.74, 0.53), (0.94, 0.61), (0.96, 0.74), (0.74, 0.74)]), accent_paint(look, "dome"))
    canvas.fill(rectangle(0.04, collar + 0.12, 0.16, 0.74, 0.04), accent_paint(look, "slope"))
    canvas.fill(rectangle(0.03, 0.72, 0.97, 0.8 + 0.04 * look.detail, 0.05), Paint(look.paper, surface="slope"))
    for index in range(4):
        x, y = 0.4 + index * 0.075, 0.39 + index * 0.035
        canvas.line([(x - 0.035, y + 0.075), (x + 0.02, y - 0.005)], 0.02, look.paper)
    emblem(canvas, look, (0.34, 0.6), 0.1, ink=look.paper, paper=look.body)


def boot(canvas: Canvas, look: Look) -> None:
    top = 0.06 + 0.14 * (1 - look.stature)
    canvas.fill(
        smooth([(0.22, top), (0.52, top), (0.53, 0.5), (0.72, 0.6), (0.86, 0.7), (0.86, 0.84), (0.2, 0.84), (0.19, 0.5)]),
        body_paint(look, "slope"),
    )
    canvas.fill(rectangle(0.19, top - 0.01, 0.55, top + 0.08, 0.02), accent_paint(look, "slope"))
    canvas.fill(rectangle(0.18, 0.81, 0.88, 0.89, 0.02), Paint(shade(look.ink, 0.7)))
    canvas.fill(rectangle(0.18, 0.86, 0.36, 0.9 + 0.05 * look.detail), Paint(shade(look.ink, 0.7)))
    emblem(canvas, look, (0.36, 0.4), 0.09, ink=look.paper, paper=look.body)


def phone(canvas: Canvas, look: Look) -> None:
    half, tall = 0.2 + 0.05 * (1 - look.stature), 0.42
    canvas.fill(rectangle(0.5 - half, 0.5 - tall, 0.5 + half, 0.5 + tall, 0.06), Paint(look.body, surface="slope"))
    if look.layout % 2:
        canvas.fill(
            rectangle(0.53 - half, 0.53 - tall, 0.47 + half, 0.47 + tall, 0.04), Paint(look.paper, look.accent, "gradient", "slope")
        )
        for index in range(12):
            x, y = 0.5 + (index % 3 - 1) * half * 0.56, 0.34 + index // 3 * 0.14
            canvas.fill(
                rectangle(x - 0.035, y, x + 0.035, y + 0.07, 0.018), Paint((look.ink, look.body, look.accent)[(look.seed >> index) % 3])
            )
        return
    canvas.fill(rectangle(0.53 - half, 0.53 - tall, 0.5, 0.74 - tall, 0.05), Paint(shade(look.body, 0.75)))
    for y in (0.585, 0.68):
        canvas.fill(ellipse(0.565 - half + 0.04, y - tall, 0.036), Paint(DARK, surface="dome"))
    emblem(canvas, look, (0.5, 0.55), half * 0.42, ink=look.accent, paper=look.body)


def headphones(canvas: Canvas, look: Look) -> None:
    reach = 0.26 + 0.06 * look.detail
    arc = [(0.5 - reach, 0.6), (0.5 - reach * 0.94, 0.3), (0.5, 0.13), (0.5 + reach * 0.94, 0.3), (0.5 + reach, 0.6)]
    canvas.line(smooth(arc, closed=False), 0.07, look.body)
    canvas.line(smooth(arc[1:4], closed=False), 0.04, look.accent)
    for side in (-1, 1):
        x = 0.5 + side * reach
        canvas.fill(rectangle(x - 0.11, 0.48, x + 0.11, 0.88 - 0.06 * look.stature, 0.09), body_paint(look, "tube"))
        canvas.fill(
            rectangle(x - side * 0.06 - 0.055, 0.51, x - side * 0.06 + 0.055, 0.85 - 0.06 * look.stature, 0.05),
            Paint(look.accent, surface="tube"),
        )
        emblem(canvas, look, (x + side * 0.045, 0.66), 0.05, ink=look.paper, paper=look.body)


def watch(canvas: Canvas, look: Look) -> None:
    strap = 0.11 + 0.03 * look.detail
    canvas.fill(lathe([(0.04, strap * 0.8), (0.28, strap), (0.5, strap * 1.2), (0.72, strap), (0.96, strap * 0.8)]), body_paint(look))
    face = ellipse(0.5, 0.5, 0.24) if look.stature > 0.5 else rectangle(0.28, 0.27, 0.72, 0.73, 0.08)
    dial = ellipse(0.5, 0.5, 0.19) if look.stature > 0.5 else rectangle(0.32, 0.31, 0.68, 0.69, 0.06)
    canvas.fill(face, Paint(look.accent, surface="slope"))
    canvas.fill(dial, Paint(DARK if look.layout % 2 else look.paper, surface="slope"))
    emblem(canvas, look, (0.5, 0.56), 0.07, ink=look.accent, paper=look.paper)
    hands = look.seed % 5 * 0.03
    canvas.line([(0.5, 0.5), (0.42 + hands, 0.4)], 0.022, look.ink)
    canvas.line([(0.5, 0.5), (0.62, 0.37 + hands)], 0.016, look.ink)


def speaker(canvas: Canvas, look: Look) -> None:
    half, top = 0.2 + 0.12 * (1 - look.stature), 0.1 + 0.16 * (1 - look.stature)
    canvas.fill(rectangle(0.5 - half, top, 0.5 + half, 0.92, 0.05 + 0.1 * look.detail), body_paint(look, "slope"))
    for y, radius in ((0.68, half * 0.62), (top + 0.17, half * 0.36)):
        canvas.fill(ellipse(0.5, y, radius), Paint(look.accent, surface="dome"))
        canvas.fill(ellipse(0.5, y, radius * 0.78), Paint(DARK, surface="dome"))
        canvas.fill(ellipse(0.5, y, radius * 0.34), Paint(look.accent, surface="dome"))
    emblem(canvas, look, (0.5 + half * 0.66, top + 0.1), 0.045, ink=look.paper, paper=look.body)


DRAWERS = {
    "tshirt": tshirt,
    "trousers": trousers,
    "dress": dress,
    "sneaker": sneaker,
    "boot": boot,
    "phone": phone,
    "headphones": headphones,
    "watch": watch,
    "speaker": speaker,
}
