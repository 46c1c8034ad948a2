"""Things cut out of photographs, to be put into drawn rooms."""

import math
from random import Random

from PIL import Image, ImageDraw, ImageFilter


def cut_out(photograph: Image.Image, rng: Random, size_px: int) -> Image.Image:
    """RGBA, `size_px` square: most of the photograph in the outline of a thing, transparent around it."""
    wide, tall = (side * rng.uniform(0.85, 1.0) for side in photograph.size)
    left, top = rng.uniform(0, photograph.width - wide), rng.uniform(0, photograph.height - tall)
    scale = size_px * 0.9 / max(wide, tall)
    size = max(8, round(wide * scale)), max(8, round(tall * scale))
    part = photograph.resize(size, Image.Resampling.BILINEAR, box=(left, top, left + wide, top + tall))
    sprite = Image.new("RGBA", (size_px, size_px), (0, 0, 0, 0))
    sprite.paste(part, ((size_px - part.width) // 2, (size_px - part.height) // 2), _outline(size, rng))
    return sprite.rotate(rng.gauss(0, 10), Image.Resampling.BILINEAR)


def _outline(size: tuple[int, int], rng: Random) -> Image.Image:
    wide, tall = size
    mask = Image.new("L", (wide * 2, tall * 2), 0)
    pen = ImageDraw.Draw(mask)
    kind = rng.randrange(4)
    if kind == 0:
        pen.ellipse((0, 0, wide * 2, tall * 2), fill=255)
    elif kind == 1:
        pen.rounded_rectangle((0, 0, wide * 2, tall * 2), min(size) * rng.uniform(0, 0.8), fill=255)
    else:
        least = rng.uniform(0.7, 1.0)
        turns = sorted(rng.uniform(0, math.tau) for _ in range(rng.randrange(7, 16)))
        reaches = [rng.uniform(least, 1.0) for _ in turns]
        pen.polygon(
            [(wide * (1 + far * math.cos(turn)), tall * (1 + far * math.sin(turn))) for turn, far in zip(turns, reaches, strict=True)],
            fill=255,
        )
    return mask.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 2))).reduce(2)
