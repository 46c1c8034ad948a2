"""How well a detector finds products: average precision as COCO computes it (pycocotools), on any labelled pictures."""

import contextlib
import io
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO  # type: ignore[import-untyped]  # ships no stubs
from pycocotools.cocoeval import COCOeval  # type: ignore[import-untyped]  # ships no stubs

from models.demo.pictures import draw_frame, random_look
from models.evaluation.datasets.labelled import DatasetError, Labelled
from models.types import Detection, ModelInputError
from models.vision.detector import ProductDetector
from models.vision.suppression import overlaps

HELD_OUT_SEED = 7_000_000  # trainings draw from string seeds, so no held-out look or frame can be one of theirs
SIZES = ((480, 640), (640, 480), (432, 768), (540, 540))
LIMITS = (1, 20, 100)  # boxes a frame that count: pycocotools wants three and takes AP at 100
STATISTICS = {"ap": 0, "ap50": 1, "ap75": 2, "recall_20": 7, "recall": 8, "recall_small": 9, "recall_medium": 10, "recall_large": 11}
FIXED_PRECISIONS = (0.90, 0.95)


@dataclass(frozen=True, slots=True)
class Answered:
    """A labelled picture and what the detector found on it, best score first."""

    labelled: Labelled
    found: tuple[Detection, ...]


def held_out_frames(count: int, *, seed: int = 0) -> list[Labelled]:
    """Composites of unseen looks with zero to five products each."""
    frames = []
    for index in range(count):
        rng = Random(HELD_OUT_SEED + seed * 100_003 + index)
        looks = [random_look(rng) for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4, 5)))]
        size = rng.choice(SIZES)
        frame, boxes = draw_frame(looks, seed=rng.randrange(2**31), size=size)
        categories = tuple(look.category for look in looks)
        frames.append(Labelled(f"composite {index}", frame, tuple(boxes), categories, (False,) * len(looks), size))
    return frames


def evaluate_detector(detector: ProductDetector, *, frames: int = 400, seed: int = 0, batch_size: int = 8) -> dict[str, float]:
    """On held-out composites: `average_precision` without regard to category, `category_accuracy` of the boxes found, `frames`."""
    answered = answer(detector, held_out_frames(frames, seed=seed), batch_size=batch_size)
    return {**average_precision(answered), "category_accuracy": category_accuracy(answered), "frames": float(frames)}


def answer(detector: ProductDetector, pictures: Iterable[Labelled], *, batch_size: int = 8) -> list[Answered]:
    """What the detector finds on each picture. Raises DatasetError for a picture it refuses or that its labels do not fit."""
    answered: list[Answered] = []
    stream = iter(pictures)
    while batch := list(islice(stream, batch_size)):
        results = detector.detect([each.encoded() for each in batch])
        for each, result in zip(batch, results, strict=True):
            if isinstance(result, ModelInputError):
                raise DatasetError(f"{each.name}: {each.picture_name}: {result.message}") from result
            answered.append(Answered(each.within(result.width, result.height), result.detections))
    return answered


def shared_categories(labelled: Sequence[Labelled], detector: Sequence[str]) -> set[str]:
    """The data's categories that are among the detector's: without any, judging by category makes no sense."""
    return {name for each in labelled for name in each.categories} & set(detector)


def average_precision(answered: Sequence[Answered], *, by_category: bool = False) -> dict[str, float]:
    """COCO's numbers, each 0..1: `ap` (IoU .50 to .95), `ap50`, `ap75`, `recall` of at most 100 boxes a frame and `recall_20`.

    `recall_small`, `_medium` and `_large` are by area (32^2 and 96^2 pixels); `recall_at_precision_90` and `_95` are at IoU .5, with
    the `score_at_precision_..` that gives them. All boxes are one class unless `by_category`, where each is the categories' mean and a
    box of a category that the labels lack does not count. A number that has nothing to be measured on is left out.
    """
    names = sorted({name for each in answered for name in each.labelled.categories})
    classes = {name: index if by_category else 1 for index, name in enumerate(names, start=1)}
    found = _detections(answered, classes, by_category=by_category)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = _truth(answered, classes)
        evaluation = COCOeval(truth, truth.loadRes(found) if found else COCO(), "bbox")
        evaluation.params.imgIds, evaluation.params.catIds = list(range(len(answered))), sorted(set(classes.values()))
        evaluation.params.maxDets = list(LIMITS)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    scores = {name: float(evaluation.stats[index]) for name, index in STATISTICS.items() if evaluation.stats[index] >= 0}
    return scores | _at_fixed_precision(evaluation.eval["precision"], evaluation.eval["scores"], evaluation.params.recThrs)


def category_accuracy(answered: Sequence[Answered]) -> float:
    """Share of the products found (IoU at least .5) whose category is right; 0 when none is found."""
    right = total = 0
    for each in answered:
        for index, found in found_products(each).items():
            total += 1
            right += each.found[found].category == each.labelled.categories[index]
    return right / total if total else 0.0


def found_products(answered: Answered, *, min_score: float = 0.0) -> dict[int, int]:
    """Which product has a box of at least `min_score` over it (IoU at least .5), and which box fits it best: index to index."""
    boxes = [each.box for each in answered.found if each.score >= min_score]
    labelled = answered.labelled
    if not boxes or not labelled.boxes:
        return {}
    shared = overlaps(np.asarray(labelled.boxes, dtype=np.float32), np.asarray(boxes, dtype=np.float32))
    rows = zip(shared, labelled.ignored, strict=True)
    return {index: int(row.argmax()) for index, (row, ignored) in enumerate(rows) if not ignored and row.max() >= 0.5}


def seconds_per_frame(detector: ProductDetector, pictures: Sequence[Labelled], *, at_most: int = 32) -> float:
    """Mean wall time of `detect` on the first pictures, one at a time, after a warm-up."""
    encoded = [each.encoded() for each in pictures[:at_most]]
    detector.warm_up()
    began = time.perf_counter()
    for each in encoded:
        detector.detect([each])
    return (time.perf_counter() - began) / len(encoded)


def _at_fixed_precision(precision: NDArray[np.float64], scores: NDArray[np.float64], recalls: NDArray[np.float64]) -> dict[str, float]:
    """From COCOeval's precision and score [IoU, recall, class, area, limit] at IoU .5, all areas, 100 boxes."""
    result: dict[str, float] = {}
    judged = [index for index in range(precision.shape[2]) if precision[0, 0, index, 0, -1] >= 0]
    for wanted in FIXED_PRECISIONS:
        reached = [np.flatnonzero(precision[0, :, index, 0, -1] >= wanted) for index in judged]
        last = [
            (float(recalls[at[-1]]), float(scores[0, at[-1], index, 0, -1])) for index, at in zip(judged, reached, strict=True) if len(at)
        ]
        if judged:
            result[f"recall_at_precision_{wanted * 100:.0f}"] = sum(recall for recall, _ in last) / len(judged)
        if last:
            result[f"score_at_precision_{wanted * 100:.0f}"] = sum(score for _, score in last) / len(last)
    return result


def _truth(answered: Sequence[Answered], classes: dict[str, int]) -> COCO:
    annotations: list[dict[str, object]] = []
    for index, each in enumerate(answered):
        labelled = each.labelled
        for box, category, ignored in zip(labelled.boxes, labelled.categories, labelled.ignored, strict=True):
            width, height = box[2] - box[0], box[3] - box[1]
            place = {"image_id": index, "bbox": [box[0], box[1], width, height], "area": width * height}
            annotations.append({"id": len(annotations) + 1, "category_id": classes[category], "iscrowd": int(ignored), **place})
    truth = COCO()
    categories = [{"id": number} for number in sorted(set(classes.values()))]
    truth.dataset = {
        "info": {},
        "images": [{"id": index} for index in range(len(answered))],
        "annotations": annotations,
        "categories": categories,
    }
    truth.createIndex()
    return truth


def _detections(answered: Sequence[Answered], classes: dict[str, int], *, by_category: bool) -> list[dict[str, object]]:
    return [
        {
            "image_id": index,
            "category_id": classes[found.category] if by_category else 1,
            "score": found.score,
            "bbox": [*found.box[:2], found.box[2] - found.box[0], found.box[3] - found.box[1]],
        }
        for index, each in enumerate(answered)
        for found in each.found
        if not by_category or found.category in classes
    ]
