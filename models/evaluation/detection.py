"""How well a detector finds products: average precision as COCO computes it (pycocotools), without regard to category."""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from pycocotools.coco import COCO  # type: ignore[import-untyped]  # ships no stubs
from pycocotools.cocoeval import COCOeval  # type: ignore[import-untyped]  # ships no stubs

from models.demo.pictures import draw_frame, random_look
from models.types import Box, Detection, ModelInputError
from models.vision.detector import ProductDetector
from models.vision.suppression import overlaps

HELD_OUT_SEED = 7_000_000  # trainings draw from string seeds, so no held-out look or frame can be one of theirs
SIZES = ((480, 640), (640, 480), (432, 768), (540, 540))


@dataclass(frozen=True, slots=True)
class Labelled:
    """A frame and what is in it."""

    frame: bytes
    size: tuple[int, int]  # width, height
    boxes: tuple[Box, ...]
    categories: tuple[str, ...]


def held_out_frames(count: int, *, seed: int = 0) -> list[Labelled]:
    """Composites of unseen looks with zero to five products each."""
    frames = []
    for index in range(count):
        rng = Random(HELD_OUT_SEED + seed * 100_003 + index)
        looks = [random_look(rng) for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4, 5)))]
        size = rng.choice(SIZES)
        frame, boxes = draw_frame(looks, seed=rng.randrange(2**31), size=size)
        frames.append(Labelled(frame, size, tuple(boxes), tuple(look.category for look in looks)))
    return frames


def evaluate_detector(detector: ProductDetector, *, frames: int = 400, seed: int = 0, batch_size: int = 8) -> dict[str, float]:
    """On held-out composites: `ap` (IoU .50 to .95), `ap50`, `ap75`, `recall` at 20 boxes, and `category_accuracy` of the boxes found."""
    labelled = held_out_frames(frames, seed=seed)
    found: list[tuple[Detection, ...]] = []
    for start in range(0, len(labelled), batch_size):
        for result in detector.detect([each.frame for each in labelled[start : start + batch_size]]):
            if isinstance(result, ModelInputError):
                raise result
            found.append(result.detections)
    return {**average_precision(labelled, found), "category_accuracy": category_accuracy(labelled, found), "frames": float(frames)}


def average_precision(labelled: Sequence[Labelled], found: Sequence[Sequence[Detection]]) -> dict[str, float]:
    """COCO's average precision with one class: `ap`, `ap50`, `ap75` and `recall`, each 0..1 (-1 when nothing is labelled)."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = _dataset(labelled)
        truth.createIndex()
        detections = _detections(found)
        if not detections:
            return {"ap": 0.0, "ap50": 0.0, "ap75": 0.0, "recall": 0.0}
        evaluation = COCOeval(truth, truth.loadRes(detections), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {
        "ap": float(evaluation.stats[0]),
        "ap50": float(evaluation.stats[1]),
        "ap75": float(evaluation.stats[2]),
        "recall": float(evaluation.stats[8]),
    }


def category_accuracy(labelled: Sequence[Labelled], found: Sequence[Sequence[Detection]]) -> float:
    """Share of the products found (IoU at least .5) whose category is right; 0 when none is found."""
    right = total = 0
    for frame, detections in zip(labelled, found, strict=True):
        if not frame.boxes or not detections:
            continue
        shared = overlaps(np.asarray(frame.boxes, dtype=np.float32), np.asarray([each.box for each in detections], dtype=np.float32))
        for row, category in zip(shared, frame.categories, strict=True):
            if row.max() >= 0.5:
                total += 1
                right += detections[int(row.argmax())].category == category
    return right / total if total else 0.0


def _dataset(labelled: Sequence[Labelled]) -> dict[str, object]:
    annotations: list[dict[str, object]] = []
    for index, frame in enumerate(labelled):
        for box in frame.boxes:
            width, height = box[2] - box[0], box[3] - box[1]
            annotation = {"id": len(annotations) + 1, "image_id": index, "category_id": 1, "iscrowd": 0}
            annotations.append({**annotation, "bbox": [box[0], box[1], width, height], "area": width * height})
    images = [{"id": index, "width": frame.size[0], "height": frame.size[1]} for index, frame in enumerate(labelled)]
    return {"info": {}, "images": images, "annotations": annotations, "categories": [{"id": 1, "name": "product"}]}


def _detections(found: Sequence[Sequence[Detection]]) -> list[dict[str, object]]:
    return [
        {
            "image_id": index,
            "category_id": 1,
            "score": each.score,
            "bbox": [*each.box[:2], each.box[2] - each.box[0], each.box[3] - each.box[1]],
        }
        for index, detections in enumerate(found)
        for each in detections
    ]
