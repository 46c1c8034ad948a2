"""The room around the products: wall, shelves, host, table, and what the app lays over the picture."""

import math
from dataclasses import dataclass
from functools import lru_cache
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from models.demo.drawing.look import Colour, random_look, shade

SKINS: tuple[Colour, ...] = ((255, 224, 196), (241, 194, 152), (224, 172, 128), (176, 120, 84), (120, 78, 54))
HAIRS: tuple[Colour, ...] = ((38, 30, 30), (72, 46, 34), (120, 82, 48), (24, 24, 30), (150, 60, 50))
CHAT = (
    "how much is it?", "is it in stock", "love the colour", "link please", "666", "does it fit size 38", "show the back again",
    "just ordered two", "hello from Chengdu", "any coupon today?", "so cute!", "when does it ship", "is it leather", "first!", "restock?",
)  # fmt: skip
HANDLES = ("lan", "mia_x", "old_wang", "zoe", "tangtang", "k.chen", "yuki", "bobo", "summer", "t1ger")


@dataclass(frozen=True, slots=True)
class Arm:
    """The host's arm; `reach` draws it to wherever the hand is. In pixels of the picture."""

    shoulder: tuple[float, float]
    unit: float  # the host's measure, about half a head
    sleeve: Colour
    skin: Colour


@dataclass(frozen=True, slots=True)
class Stage:
    """A drawn room and where products can be: all in pixels of `picture`."""

    picture: Image.Image
    hand: tuple[float, float]  # where the host holds something up
    skin: Colour
    table_y: float
    arm: Arm | None = None  # None: no host


def stage(rng: Random, size: tuple[int, int], *, tidy: bool = False, moving: bool = False) -> Stage:
    """An empty room of `size` (width, height) with its host, without products and overlays.

    A tidy one has its shelves, host and table for certain; the others are as mixed as what viewers send. In a moving one the arm
    is left out: `reach` draws it, frame by frame.
    """
    width, height = size
    room = _wall(rng, size)
    if rng.random() < 0.6 or tidy:
        _shelves(rng, room)
    else:
        _bokeh(rng, room)
    room = room.filter(ImageFilter.GaussianBlur(max(width, height) * rng.uniform(0.002, 0.008)))
    pen = ImageDraw.Draw(room)
    table_y = height * rng.uniform(0.7, 0.86)
    hand = (width * rng.uniform(0.28, 0.72), height * rng.uniform(0.42, 0.62))
    skin = rng.choice(SKINS)
    arm = _host(rng, room, hand, skin, still=not moving) if rng.random() < 0.9 or tidy else None
    top = _muted(rng, rng.uniform(0.4, 1.0))
    if rng.random() < 0.85 or tidy:
        pen.rectangle((0, table_y, width, height), fill=top)
        pen.rectangle((0, table_y, width, table_y + height * 0.012), fill=shade(top, 1.2))
    return Stage(room, hand, skin, table_y, arm)


def reach(room: Image.Image, arm: Arm, hand: tuple[float, float]) -> None:
    """Draws the arm from the shoulder to a hand at `hand`, smoothly: at twice the size and then shrunk, where it is and nowhere else."""
    elbow, margin = _elbow(arm, hand), arm.unit * 0.6
    xs, ys = zip(arm.shoulder, elbow, hand, strict=True)
    left, top = math.floor(min(xs) - margin), math.floor(min(ys) - margin)
    wide, tall = math.ceil(max(xs) + margin) - left, math.ceil(max(ys) + margin) - top
    big = Image.new("RGBA", (wide * 2, tall * 2), (0, 0, 0, 0))
    shoulder = ((arm.shoulder[0] - left) * 2, (arm.shoulder[1] - top) * 2)
    _arm(ImageDraw.Draw(big), Arm(shoulder, arm.unit * 2, arm.sleeve, arm.skin), ((hand[0] - left) * 2, (hand[1] - top) * 2))
    room.paste(big.convert("RGB").reduce(2), (left, top), big.getchannel("A").reduce(2))


def grip(room: Image.Image, box: tuple[int, int, int, int], skin: Colour, rng: Random) -> None:
    """Fingers that close over the lower edge of a held product."""
    left, top, right, bottom = box
    pen = ImageDraw.Draw(room)
    pitch = min(right - left, bottom - top) * 0.11
    side = left if rng.random() < 0.5 else right
    base = top + (bottom - top) * rng.uniform(0.5, 0.62)
    reach = pitch * rng.uniform(1.4, 2.6)
    for index in range(4):
        y = base + index * pitch * 1.05
        pen.rounded_rectangle((side - reach, y, side + reach, y + pitch), radius=pitch / 2, fill=shade(skin, 0.97 - 0.04 * (index % 2)))


def overlay(room: Image.Image, rng: Random) -> None:
    """What the app draws over the video: chat lines, price tag, live badge, hearts."""
    width, height = room.size
    if rng.random() < 0.75:
        _chat(room, rng)
    if rng.random() < 0.5:
        _badge(room, f"CNY {rng.randrange(9, 999)}", (width * rng.uniform(0.55, 0.7), height * rng.uniform(0.05, 0.9)), (226, 60, 74))
    if rng.random() < 0.6:
        _badge(room, "LIVE", (width * 0.04, height * 0.03), (232, 46, 92))
    pen = ImageDraw.Draw(room)
    for _ in range(rng.randrange(0, 6)):
        x, y, radius = width * rng.uniform(0.82, 0.98), height * rng.uniform(0.45, 0.95), width * rng.uniform(0.008, 0.02)
        colour = rng.choice(((255, 92, 124), (255, 170, 90), (255, 220, 110)))
        for offset in (-0.5, 0.5):
            pen.ellipse((x + radius * (offset - 0.55), y - radius, x + radius * (offset + 0.55), y + radius * 0.1), fill=colour)
        pen.polygon([(x - radius, y - radius * 0.35), (x + radius, y - radius * 0.35), (x, y + radius)], fill=colour)


def plain(rng: Random, size: tuple[int, int], place: tuple[float, float, float]) -> Image.Image:
    """A photo studio's background with a soft shadow under a product at `place` (centre x, bottom y, width; pixels)."""
    width, height = size
    room = _gradient(size, shade(_muted(rng, rng.uniform(0.85, 1.05), 0.12), 1.0), shade(_muted(rng, rng.uniform(0.75, 0.95), 0.12), 1.0))
    shadow = Image.new("L", size, 0)
    x, y, wide = place
    ImageDraw.Draw(shadow).ellipse((x - wide * 0.5, y - height * 0.035, x + wide * 0.5, y + height * 0.03), fill=rng.randrange(40, 110))
    room.paste((30, 30, 40), (0, 0, width, height), shadow.filter(ImageFilter.GaussianBlur(width * 0.02)))
    return room


def _muted(rng: Random, value: float, saturation: float = 0.35) -> Colour:
    hue, saturation = rng.random() * math.tau, rng.uniform(0, saturation)
    red, green, blue = (
        min(255, max(0, int(220 * value * (1 - saturation * (0.5 + 0.5 * math.sin(hue + turn)))))) for turn in (0, 2.1, 4.2)
    )
    return red, green, blue


def _gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> Image.Image:
    column = np.linspace(0, 1, 64, dtype=np.float32)[:, None, None]
    rows = np.asarray(top, dtype=np.float32) * (1 - column) + np.asarray(bottom, dtype=np.float32) * column
    return Image.fromarray(rows.astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)


def _wall(rng: Random, size: tuple[int, int]) -> Image.Image:
    room = _gradient(size, _muted(rng, rng.uniform(0.35, 1.1), 0.6), _muted(rng, rng.uniform(0.35, 1.1), 0.6))
    if rng.random() < 0.4:
        grain = np.random.default_rng(rng.randrange(2**31)).integers(
            0, 255, (rng.randrange(4, 24), rng.randrange(4, 24), 3), dtype=np.uint8
        )
        room = Image.blend(room, Image.fromarray(grain).resize(size, Image.Resampling.BICUBIC), rng.uniform(0.03, 0.22))
    return room


def _shelves(rng: Random, room: Image.Image) -> None:
    width, height = room.size
    pen = ImageDraw.Draw(room)
    wood = _muted(rng, rng.uniform(0.3, 0.9), 0.5)
    for row in range(rng.randrange(2, 5)):
        floor = height * (0.16 + 0.17 * row)
        pen.rectangle((0, floor, width, floor + height * 0.014), fill=wood)
        x = rng.uniform(0, 0.08) * width
        while x < width * 0.98:
            wide, tall = width * rng.uniform(0.02, 0.09), height * rng.uniform(0.03, 0.12)
            box = (x, floor - tall, x + wide, floor)
            colour = _muted(rng, rng.uniform(0.3, 1.1), 0.75)
            if rng.random() < 0.7:
                pen.rounded_rectangle(box, radius=min(wide, tall) * rng.uniform(0, 0.4), fill=colour)
            else:
                pen.ellipse(box, fill=colour)
            x += wide * rng.uniform(1.05, 2.2)


def _bokeh(rng: Random, room: Image.Image) -> None:
    width, height = room.size
    pen = ImageDraw.Draw(room)
    for _ in range(rng.randrange(4, 22)):
        x, y, radius = rng.uniform(0, width), rng.uniform(0, height), width * rng.uniform(0.01, 0.09)
        colour = _muted(rng, rng.uniform(0.6, 1.2), 0.7)
        if rng.random() < 0.6:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        else:
            pen.rectangle((x - radius, y - radius * 2, x + radius, y + radius * 2), fill=colour)


def _host(rng: Random, room: Image.Image, hand: tuple[float, float], skin: Colour, *, still: bool) -> Arm:
    """Head and shoulders, and the arm of one who keeps still, drawn at twice the size, so that edges are smooth."""
    width, height = room.size
    big = Image.new("RGBA", (width * 2, height * 2), (0, 0, 0, 0))
    pen = ImageDraw.Draw(big)
    unit = min(width, height) * 2 * rng.uniform(0.1, 0.15)
    x, y = width * 2 * rng.uniform(0.35, 0.65), height * 2 * rng.uniform(0.24, 0.34)
    hair, top = rng.choice(HAIRS), random_look(rng).body
    if rng.random() < 0.6:
        pen.rounded_rectangle((x - unit * 1.2, y - unit * 0.9, x + unit * 1.2, y + unit * rng.uniform(1.2, 2.6)), radius=unit, fill=hair)
    pen.rectangle((x - unit * 0.34, y + unit * 0.8, x + unit * 0.34, y + unit * 1.7), fill=shade(skin, 0.88))
    pen.rounded_rectangle((x - unit * 2.1, y + unit * 1.45, x + unit * 2.1, height * 2 + unit), radius=unit * 0.9, fill=top)
    pen.polygon([(x - unit * 0.5, y + unit * 1.44), (x + unit * 0.5, y + unit * 1.44), (x, y + unit * 2.0)], fill=shade(skin, 0.93))
    pen.ellipse((x - unit * 0.84, y - unit * 1.05, x + unit * 0.84, y + unit * 1.1), fill=skin)
    pen.pieslice((x - unit * 0.98, y - unit * 1.3, x + unit * 0.98, y + unit * 0.7), 180, 360, fill=hair)
    pen.ellipse((x - unit * 0.74, y - unit * 0.62, x + unit * 0.74, y + unit * 0.6), fill=skin)
    for side in (-1, 1):
        eye = x + side * unit * 0.32
        pen.ellipse((eye - unit * 0.1, y + unit * 0.02, eye + unit * 0.1, y + unit * 0.2), fill=(40, 30, 32))
        pen.line(
            (eye - unit * 0.16, y - unit * 0.14, eye + unit * 0.16, y - unit * 0.17), fill=shade(hair, 0.9), width=max(1, int(unit * 0.06))
        )
        pen.ellipse(
            (eye - unit * 0.16, y + unit * 0.34, eye + unit * 0.16, y + unit * 0.5), fill=(*shade(skin, 0.95)[:2], int(skin[2] * 0.88))
        )
    pen.chord((x - unit * 0.26, y + unit * 0.42, x + unit * 0.26, y + unit * 0.76), 10, 170, fill=(204, 84, 92))
    shoulder = (x + math.copysign(unit * 1.7, hand[0] * 2 - x), y + unit * 2.2)
    doubled = Arm(shoulder, unit, shade(top, 0.9), skin)
    if still:
        _arm(pen, doubled, (hand[0] * 2, hand[1] * 2))
    room.paste(big.convert("RGB").reduce(2), (0, 0), big.getchannel("A").reduce(2))
    return Arm((shoulder[0] / 2, shoulder[1] / 2), unit / 2, doubled.sleeve, skin)


def _arm(pen: ImageDraw.ImageDraw, arm: Arm, hand: tuple[float, float]) -> None:
    elbow, unit = _elbow(arm, hand), arm.unit
    for start, end, width, colour in ((arm.shoulder, elbow, 0.95, arm.sleeve), (elbow, hand, 0.55, arm.skin)):
        pen.line((*start, *end), fill=colour, width=int(unit * width))
        for x, y in (start, end):
            radius = unit * width / 2
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    pen.ellipse((hand[0] - unit * 0.45, hand[1] - unit * 0.45, hand[0] + unit * 0.45, hand[1] + unit * 0.45), fill=arm.skin)


def _elbow(arm: Arm, hand: tuple[float, float]) -> tuple[float, float]:
    (x, y), unit = arm.shoulder, arm.unit
    return x * 0.55 + hand[0] * 0.45 + math.copysign(unit * 0.9, x - hand[0]), max(y, hand[1]) + unit * 1.3


@lru_cache(maxsize=32)
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


def _chat(room: Image.Image, rng: Random) -> None:
    width, height = room.size
    size = max(8, int(min(width, height) * 0.03))
    veil = Image.new("RGBA", room.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(veil)
    y = height * rng.uniform(0.68, 0.9)
    for _ in range(rng.randrange(2, 6)):
        name, text = rng.choice(HANDLES), rng.choice(CHAT)
        start, middle = width * 0.05, width * 0.05 + pen.textlength(f"{name}  ", _font(size))
        end = middle + pen.textlength(text, _font(size))
        pen.rounded_rectangle(
            (start - size * 0.5, y - size * 0.3, end + size * 0.5, y + size * 1.4), radius=size * 0.8, fill=(20, 20, 30, 110)
        )
        pen.text((start, y), name, fill=(255, 206, 110, 255), font=_font(size))
        pen.text((middle, y), text, fill=(255, 255, 255, 255), font=_font(size))
        y -= size * 2
    room.paste(veil, (0, 0), veil)


def _badge(room: Image.Image, text: str, corner: tuple[float, float], colour: Colour) -> None:
    size = max(9, int(min(room.size) * 0.042))
    pen = ImageDraw.Draw(room)
    x, y = corner
    pen.rounded_rectangle((x, y, x + pen.textlength(text, _font(size)) + size, y + size * 1.7), radius=size * 0.5, fill=colour)
    pen.text((x + size * 0.5, y + size * 0.3), text, fill=(255, 255, 255), font=_font(size))
