"""Labels say title, similarity and track, in what the font can draw, inside the frame."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFont

from deployments.video.drawing import COLOURS, draw_products, label_of, shortened
from deployments.video.errors import VideoError
from deployments.video.fonts import can_draw, load_font
from graphs.recognize import ProductMatch, SeenProduct
from models.types import Box, ProductId

FONT = load_font(None, 14)


def seen(box: Box, title: str = "Red Mug", track_id: int | None = 3) -> SeenProduct:
    return SeenProduct(box, 0.8, "other", (ProductMatch(ProductId("sku-1"), title, 0.913),) if title else (), track_id)


def drawn(*products: SeenProduct, size: tuple[int, int] = (200, 100)) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    picture = Image.new("RGB", size)
    draw_products(picture, products, FONT)
    return np.asarray(picture)


def test_a_label_says_title_similarity_and_track() -> None:
    assert label_of(seen((0, 0, 9, 9)), FONT) == "Red Mug  0.91  #3"
    assert label_of(seen((0, 0, 9, 9), track_id=None), FONT) == "Red Mug  0.91"


def test_a_title_that_the_font_lacks_is_replaced_by_the_id() -> None:
    assert label_of(seen((0, 0, 9, 9), title="蓝色台灯"), ImageFont.load_default(14)) == "sku-1  0.91  #3"


def test_the_font_knows_what_it_has() -> None:
    plain = ImageFont.load_default(14)
    assert can_draw(plain, "Red Mug, 0.7 l & more")
    assert not can_draw(plain, "蓝色台灯")


def test_a_file_that_is_no_font_is_said(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="is no font"):
        load_font(tmp_path / "none.ttf", 14)


@given(title=st.text(min_size=1, max_size=80), width_px=st.integers(120, 400))
def test_a_shortened_label_fits_and_keeps_its_numbers(title: str, width_px: int) -> None:
    text = shortened(label_of(seen((0, 0, 9, 9), title=title), FONT), width_px, FONT)
    assert FONT.getlength(text) <= width_px
    assert text.endswith("0.91  #3")


def test_products_are_coloured_by_track_and_unknown_objects_are_grey() -> None:
    pixels = drawn(seen((20, 40, 90, 90)), seen((110, 40, 190, 90), title=""))
    assert tuple(pixels[90, 50]) == COLOURS[3]
    assert tuple(pixels[90, 150]) == (205, 205, 205)
    assert tuple(pixels[60, 50]) == (0, 0, 0)


@given(box=st.tuples(*[st.floats(-300, 300)] * 4))
def test_any_box_is_drawn_inside_the_frame(box: Box) -> None:
    assert drawn(seen(box)).shape == (100, 200, 3)
