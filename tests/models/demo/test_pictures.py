"""Drawn products: the same id always looks the same, different ids differ, boxes hold what they say."""

import io
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.demo.drawing.frame import compose
from models.demo.drawing.look import FAMILIES
from models.demo.pictures import CATEGORIES, catalogue_picture, demo_frame, draw_frame, draw_product, look_of, random_look


def test_a_product_has_one_look() -> None:
    assert look_of("mug-1", "kitchen") == look_of("mug-1", "kitchen")
    assert look_of("mug-1", "kitchen") != look_of("mug-2", "kitchen")


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_family_suits_the_category(category: str) -> None:
    looks = [look_of(f"product-{index}", category) for index in range(20)]
    assert {look.family for look in looks} <= set(FAMILIES[category])
    assert len(set(looks)) == 20


def test_an_unknown_category_still_has_a_look() -> None:
    assert look_of("x", "garden").category in CATEGORIES


@pytest.mark.parametrize("family", [family for families in FAMILIES.values() for family in families])
def test_every_family_fills_its_picture_in_every_view(family: str) -> None:
    category = next(name for name, families in FAMILIES.items() if family in families)
    look = next(look for look in (look_of(str(index), category) for index in range(200)) if look.family == family)
    for view in range(3):
        alpha = np.asarray(draw_product(look, view=view, size_px=64).getchannel("A"))
        assert alpha.shape == (64, 64)
        assert 0.08 < (alpha > 127).mean() < 0.97


def test_views_differ_and_repeat() -> None:
    look = random_look(Random(5))
    front, turned = (np.asarray(draw_product(look, view=view, size_px=48)) for view in (0, 2))
    assert not np.array_equal(front, turned)
    assert np.array_equal(turned, np.asarray(draw_product(look, view=2, size_px=48)))


def test_a_catalogue_picture_is_a_jpeg_on_a_light_ground() -> None:
    picture = Image.open(io.BytesIO(catalogue_picture(look_of("mug-1", "kitchen"), size_px=96)))
    assert (picture.format, picture.size) == ("JPEG", (96, 96))
    assert np.asarray(picture)[2, 2].min() > 120


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), count=st.integers(0, 5), wide=st.integers(90, 200), tall=st.integers(90, 200))
def test_boxes_lie_in_the_frame(seed: int, count: int, wide: int, tall: int) -> None:
    rng = Random(seed)
    sprites = [draw_product(random_look(rng), view=1, size_px=48) for _ in range(count)]
    picture = compose(sprites, rng, (wide, tall))
    assert picture.image.size == (wide, tall)
    assert len(picture.boxes) == count
    for x1, y1, x2, y2 in picture.boxes:
        assert 0 <= x1 < x2 <= wide
        assert 0 <= y1 < y2 <= tall


def test_frames_repeat_from_their_seed() -> None:
    looks = [random_look(Random(seed)) for seed in range(2)]
    frame, boxes = draw_frame(looks, seed=3, size=(120, 160))
    assert (frame, boxes) == draw_frame(looks, seed=3, size=(120, 160))
    assert frame != draw_frame(looks, seed=4, size=(120, 160))[0]


def test_a_tidy_frame_is_another_picture_of_the_same_products() -> None:
    looks = [random_look(Random(seed)) for seed in range(2)]
    tidy, boxes = draw_frame(looks, seed=3, size=(120, 160), tidy=True)
    assert len(boxes) == 2
    assert tidy != draw_frame(looks, seed=3, size=(120, 160))[0]


def test_the_demo_shows_its_products() -> None:
    products = {"mug-1": "kitchen", "bear-2": "toys"}
    frame = demo_frame(products, seed=1, size=(120, 160))
    assert Image.open(io.BytesIO(frame)).size == (120, 160)
    assert frame == demo_frame(products, seed=1, size=(120, 160))
