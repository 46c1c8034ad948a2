"""The weights that ship are as good as they are said to be, on pictures that no training has seen."""

from random import Random

import numpy as np
import pytest

from models.demo.catalog import demo_products
from models.demo.pictures import catalogue_picture, demo_frame, look_of
from models.evaluation.detection import evaluate_detector
from models.types import FrameDetections, ModelInputError, Vectors
from models.vision.detector import ProductDetector

SHELF = 20
FRAMES = 40


@pytest.fixture(scope="module")
def eye() -> ProductDetector:
    return ProductDetector.load("models/zoo/detector", "models/zoo/embedder", threads=1)


def enrolled(eye: ProductDetector, product_id: str, category: str) -> Vectors:
    """The vectors of three shop pictures, float32 (views, dim)."""
    views = eye.embed([catalogue_picture(look_of(product_id, category), view) for view in range(3)])
    return np.concatenate([each for each in views if not isinstance(each, ModelInputError)])


@pytest.mark.slow
def test_products_are_found_and_framed_on_unseen_composites() -> None:
    everything = ProductDetector.load("models/zoo/detector", "models/zoo/embedder", min_score=0.01, threads=1)
    scores = evaluate_detector(everything, frames=60, seed=9)
    assert scores["ap50"] >= 0.90
    assert scores["ap"] >= 0.65
    assert scores["category_accuracy"] >= 0.65


def test_a_shelf_of_the_demo_is_told_apart_in_drawn_frames(eye: ProductDetector) -> None:
    rng = Random("demo shelves")
    shelf = rng.sample([(product.product_id, product.category) for product in demo_products()], SHELF)
    gallery = [enrolled(eye, *product) for product in shelf]
    right = found = 0
    for number in range(FRAMES):
        index = rng.randrange(SHELF)
        (seen,) = eye.detect([demo_frame(dict([shelf[index]]), seed=5_000 + number, size=(480, 640))])
        assert isinstance(seen, FrameDetections)
        if not seen.detections:
            continue
        vector = max(seen.detections, key=lambda each: each.score).embedding
        found += 1
        right += int(np.argmax([(views @ vector).max() for views in gallery])) == index
    assert found >= 0.95 * FRAMES
    assert right >= 0.95 * found
