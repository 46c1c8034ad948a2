"""Pictures of the demo's invented products: alone for the catalogue, and held up in a live room."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from random import Random

from PIL import Image

from models.demo.drawing.frame import compose, on_plain
from models.demo.drawing.look import CATEGORIES, Look, look_of, random_look
from models.demo.drawing.views import numbered_view, render
from models.types import Box

__all__ = ["CATEGORIES", "Look", "catalogue_picture", "demo_frame", "draw_frame", "draw_product", "look_of", "random_look"]


def draw_product(look: Look, *, view: int = 0, size_px: int = 512) -> Image.Image:
    """The product alone, RGBA, `size_px` square, transparent around it. View 0 is its front; others turn, tilt and light it."""
    return render(look, numbered_view(view, seed=look.seed), size_px)


def catalogue_picture(look: Look, view: int = 0, *, size_px: int = 512) -> bytes:
    """A shop's picture of the product: JPEG on a plain light background, the product over three quarters of it."""
    rng = Random(look.seed * 31 + view)
    return _jpeg(on_plain(draw_product(look, view=view, size_px=size_px), rng, (size_px, size_px), fill=0.76).image, quality=90)


def draw_frame(looks: Sequence[Look], *, seed: int, size: tuple[int, int] = (720, 960), tidy: bool = False) -> tuple[bytes, list[Box]]:
    """One frame of a live room (JPEG of `size`, width and height) that shows `looks`, and their boxes in the same order.

    A tidy one is made for people to look at: a host, a table, good light; the others are as mixed as what viewers send.
    """
    rng = Random(seed)
    sprites = [draw_product(look, view=rng.randrange(1, 5), size_px=min(size) // 2) for look in looks]
    picture = compose(sprites, rng, size, tidy=tidy)
    return _jpeg(picture.image, quality=92 if tidy else rng.randrange(62, 93)), list(picture.boxes)


def demo_frame(products: Mapping[str, str], *, seed: int, size: tuple[int, int] = (720, 960)) -> bytes:
    """A live room that shows some products of the demo catalogue; `products` maps product id to category, the first is held up."""
    mixed = int.from_bytes(hashlib.sha256(f"{seed}/{sorted(products)}".encode()).digest()[:4], "big")
    return draw_frame([look_of(product_id, category) for product_id, category in products.items()], seed=mixed, size=size, tidy=True)[0]


def _jpeg(picture: Image.Image, *, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
