"""What happens to a drawn frame before a detector sees it: stickers, light, shaky hands, noisy cameras, encoders."""

import io
from random import Random

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter


def weathered(picture: Image.Image, rng: Random) -> Image.Image:
    """RGB of the same size. About half of the frames keep their light and sharpness."""
    if rng.random() < 0.35:
        _stick(picture, rng)
    if rng.random() < 0.3:
        picture = _lit_from_a_side(picture, rng)
    if rng.random() < 0.3:
        picture = ImageEnhance.Color(picture).enhance(rng.uniform(0.4, 1.5))
    if rng.random() < 0.2:
        picture = _shaken(picture, rng)
    if rng.random() < 0.2:
        small = rng.uniform(0.45, 0.9)
        reduced = picture.resize((round(picture.width * small), round(picture.height * small)), Image.Resampling.BILINEAR)
        picture = reduced.resize(picture.size, Image.Resampling.BILINEAR)
    return _grained(picture, rng) if rng.random() < 0.3 else picture


def compressed(picture: Image.Image, rng: Random) -> Image.Image:
    """Every other picture through a JPEG encoder of any quality."""
    if rng.random() < 0.5:
        return picture
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=rng.randrange(35, 92))
    return Image.open(buffer).convert("RGB")


def _stick(picture: Image.Image, rng: Random) -> None:
    """Price tags and stickers, also over products: whoever sees the room sees them too."""
    pen = ImageDraw.Draw(picture)
    for _ in range(rng.randrange(1, 4)):
        wide, tall = picture.width * rng.uniform(0.03, 0.16), picture.height * rng.uniform(0.02, 0.07)
        x, y = rng.uniform(0, picture.width - wide), rng.uniform(0, picture.height - tall)
        fill = tuple(rng.randrange(256) for _ in range(3))
        shape = rng.randrange(3)
        if shape == 0:
            pen.rounded_rectangle((x, y, x + wide, y + tall), tall * rng.uniform(0, 0.5), fill=fill)
            pen.text((x + tall * 0.2, y + tall * 0.1), f"-{rng.randrange(10, 90)}%", fill=(255, 255, 255), font_size=max(6, tall * 0.7))
        elif shape == 1:
            pen.ellipse((x, y, x + wide, y + wide), fill=fill)
        else:
            pen.regular_polygon((x, y, wide / 2), rng.randrange(3, 9), rotation=rng.randrange(90), fill=fill)


def _lit_from_a_side(picture: Image.Image, rng: Random) -> Image.Image:
    """A lamp or a window: brightness falls off across the frame."""
    far, near = sorted(rng.uniform(0.45, 1.0) for _ in range(2))
    ramp = Image.linear_gradient("L").rotate(rng.choice((0, 90, 180, 270))).resize(picture.size)
    shade = ramp.point(lambda value: round(255 * (far + (near - far) * value / 255)))
    return ImageEnhance.Brightness(ImageChops.multiply(picture, Image.merge("RGB", (shade,) * 3))).enhance(rng.uniform(1.0, 1.5))


def _shaken(picture: Image.Image, rng: Random) -> Image.Image:
    """Motion blur along one axis."""
    reach = rng.uniform(0.5, 0.012 * max(picture.size))
    return picture.filter(ImageFilter.BoxBlur((reach, 0) if rng.random() < 0.7 else (0, reach)))


def _grained(picture: Image.Image, rng: Random) -> Image.Image:
    noise = np.random.default_rng(rng.randrange(2**31)).normal(0, rng.uniform(2, 14), (picture.height, picture.width, 1))
    return Image.fromarray((np.asarray(picture, dtype=np.float32) + noise.astype(np.float32)).clip(0, 255).astype(np.uint8))
