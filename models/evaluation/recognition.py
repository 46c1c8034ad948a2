"""How well a shelf's products are told apart: enrolled from shop pictures, sought in live-room frames that the project draws."""

import io
from collections.abc import Iterator, Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.demo.pictures import CATEGORIES, Look, catalogue_picture, draw_frame, look_of
from models.evaluation.floor import colour_and_gradients
from models.evaluation.shelves import Threshold, choose_threshold, product_similarity, rank_one, ranks
from models.types import FrameDetections, ModelInputError, Vectors
from models.vision.detector import ProductDetector
from models.vision.suppression import overlaps

__all__ = ["Threshold", "choose_threshold", "evaluate_recognition", "rank_one"]


def evaluate_recognition(
    detector: ProductDetector, *, shelves: int = 10, shelf_size: int = 20, frames: int = 20, seed: int = 0
) -> dict[str, float]:
    """Shelves of unseen products like the demo's, two shop pictures each, then frames showing one to three of them.

    `rank1` is over the products that were found, `rank1_all` counts missed ones as wrong; `found` is their share; the threshold is
    the one that would suit these data best, with its costs; a stranger is the best wrong product of the shelf. `floor_rank1` is what
    colour histograms and gradients reach on the same boxes.
    """
    same: list[float] = []
    strangers: list[float] = []
    floor: list[bool] = []
    shown = 0
    for number in range(shelves):
        rng = Random(f"shelf/{seed}/{number}")
        looks = [look_of(f"held-out-{seed}-{number}-{index}", CATEGORIES[index % len(CATEGORIES)]) for index in range(shelf_size)]
        pictures = [catalogue_picture(look, view) for look in looks for view in (0, 1)]
        views = [_value(result) for result in detector.embed(pictures)]
        gallery, owners = np.concatenate(views), np.repeat(np.arange(len(pictures)) // 2, [len(each) for each in views])
        floor_gallery = np.stack([colour_and_gradients(_middle(picture)) for picture in pictures])
        for _ in range(frames):
            chosen = rng.sample(range(shelf_size), rng.choice((1, 2, 3)))
            shown += len(chosen)
            for index, vector, cut in _seen(detector, looks, chosen, rng):
                similarity = product_similarity((gallery @ vector)[None], owners)[0][0]
                same.append(float(similarity[index]))
                strangers.append(float(np.delete(similarity, index).max()))
                by_colour = product_similarity((floor_gallery @ colour_and_gradients(cut))[None], np.arange(len(pictures)) // 2)[0]
                floor.append(bool(ranks(by_colour, np.asarray([index]))[0] == 1))
    return {**_summary(np.asarray(same), np.asarray(strangers), shown), "floor_rank1": float(np.mean(floor)) if floor else 0.0}


def _seen(
    detector: ProductDetector, looks: Sequence[Look], chosen: Sequence[int], rng: Random
) -> Iterator[tuple[int, Vectors, Image.Image]]:
    """The products of a drawn frame that were found (IoU at least .5): index, vector and what the box cuts out."""
    frame, boxes = draw_frame([looks[index] for index in chosen], seed=rng.randrange(2**31), size=(480, 640))
    result = detector.detect([frame])[0]
    if not isinstance(result, FrameDetections):
        raise result
    if not result.detections:
        return
    shared = overlaps(np.asarray(boxes, dtype=np.float32), np.asarray([each.box for each in result.detections], dtype=np.float32))
    for index, row in zip(chosen, shared, strict=True):
        if row.max() >= 0.5:
            detection = result.detections[int(row.argmax())]
            yield index, detection.embedding, Image.open(io.BytesIO(frame)).crop(detection.box)


def _summary(same: NDArray[np.float64], strangers: NDArray[np.float64], shown: int) -> dict[str, float]:
    if len(same) == 0:
        return {"rank1": 0.0, "rank1_all": 0.0, "found": 0.0}
    threshold = choose_threshold(same, strangers)
    right = same > strangers
    return {
        "rank1": float(right.mean()),
        "rank1_all": float(right.sum() / shown),
        "found": len(same) / shown,
        "threshold": threshold.value,
        "true_accepts": threshold.true_accepts,
        "false_accepts": threshold.false_accepts,
        "same_median": float(np.median(same)),
        "stranger_median": float(np.median(strangers)),
    }


def _middle(picture: bytes) -> Image.Image:
    """Where a shop picture shows its product."""
    opened = Image.open(io.BytesIO(picture))
    return opened.crop((opened.width * 0.11, opened.height * 0.11, opened.width * 0.89, opened.height * 0.89))


def _value(result: Vectors | ModelInputError) -> Vectors:
    if isinstance(result, ModelInputError):
        raise result
    return result
