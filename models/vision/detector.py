"""Pictures to products: what is where in a live-room frame, and the vector that says which product it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.types import Box, Detection, FrameDetections, ModelInputError, Vectors
from models.vision.checkpoints import Checkpoint, Region, load_checkpoint
from models.vision.images import Decoded, decode
from models.vision.suppression import keep_best

CROP_MARGIN = 0.05  # of a box's sides, around it: what the embedder was trained on
DETECTOR_BATCH = 8  # frames a forward pass: past this a CPU gains nothing and memory grows
EMBEDDER_BATCH = 64
DEFAULT_MATCH_THRESHOLD = 0.5  # cosine, for embedders that name none


@dataclass(frozen=True, slots=True)
class _Candidates:
    """What the network found in one picture, best first: boxes float32 (k, 4) x1 y1 x2 y2 in 0..1."""

    boxes: Vectors
    scores: Vectors
    labels: tuple[str, ...]


class ProductDetector:
    """One detector and one embedder behind the two verbs of recognition. Thread-safe: holds no state besides the weights."""

    def __init__(  # noqa: PLR0913  # one keyword per setting
        self,
        detector: Checkpoint,
        embedder: Checkpoint,
        *,
        max_pixels: int = 40_000_000,
        min_score: float = 0.3,
        max_detections: int = 20,
        device: str = "cpu",
        precision: Literal["float32", "bfloat16"] = "float32",
    ) -> None:
        self._device = torch.device(device)
        self._detector = detector.model.to(self._device, memory_format=torch.channels_last)
        self._embedder = embedder.model.to(self._device, memory_format=torch.channels_last)
        self._prepare_frames = detector.prepare
        self._prepare_crops = embedder.prepare
        self._max_pixels = max_pixels
        self._min_score = min_score
        self._max_detections = max_detections
        self._precision = precision
        self._labels = {int(index): str(name) for index, name in self._detector.config.id2label.items()}
        self.match_threshold = float(getattr(self._embedder.config, "match_threshold", DEFAULT_MATCH_THRESHOLD))
        self.embedding_dim = int(self._embedded([(Image.new("RGB", (32, 32)), (0.0, 0.0, 32.0, 32.0))]).shape[1])

    @classmethod
    def load(  # noqa: PLR0913  # one keyword per setting
        cls,
        detector: str | Path,
        embedder: str | Path,
        *,
        max_pixels: int = 40_000_000,
        min_score: float = 0.3,
        max_detections: int = 20,
        threads: int | None = None,
        device: str = "cpu",
        precision: Literal["float32", "bfloat16"] = "float32",
    ) -> Self:
        """Loads both networks: a shipped folder, a folder in hub format, an fsspec URL of an artifact, or a hub id.

        `threads` is torch's, of the whole process; None leaves it. `precision` bfloat16 is meant for GPUs. Raises ArtifactError.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        return cls(
            load_checkpoint(detector, kind="detector"),
            load_checkpoint(embedder, kind="embedder"),
            max_pixels=max_pixels,
            min_score=min_score,
            max_detections=max_detections,
            device=device,
            precision=precision,
        )

    @property
    def categories(self) -> tuple[str, ...]:
        """The detector's labels in the order of their class indices."""
        return tuple(self._labels[index] for index in sorted(self._labels))

    def detect(self, frames: Sequence[bytes]) -> list[FrameDetections | ModelInputError]:
        """The products in each encoded frame, in the order of the frames. A bad picture yields its error and harms no other."""
        pictures = [self._decoded(frame) for frame in frames]
        good = [picture for picture in pictures if isinstance(picture, Decoded)]
        found = self._candidates(good)
        crops = [_crop(picture, box) for picture, candidates in zip(good, found, strict=True) for box in candidates.boxes]
        vectors = self._embedded(crops)
        results = iter(_assembled(good, found, vectors, self.match_threshold))
        return [picture if isinstance(picture, ModelInputError) else next(results) for picture in pictures]

    def embed(self, pictures: Sequence[bytes]) -> list[Vectors | ModelInputError]:
        """For enrolment: the main product of each picture (the whole picture when none is found) as float32 (views, dim), L2-normalised."""
        decoded = [self._decoded(picture) for picture in pictures]
        good = [picture for picture in decoded if isinstance(picture, Decoded)]
        regions = [_crop(picture, _main_box(found)) for picture, found in zip(good, self._candidates(good), strict=True)]
        vectors = iter(self._embedded(regions))
        return [picture if isinstance(picture, ModelInputError) else next(vectors)[None] for picture in decoded]

    def warm_up(self) -> None:
        """One pass through both networks at their real input sizes, so that the first request does not pay for it."""
        picture = Decoded(Image.new("RGB", (320, 320), (127, 127, 127)), 320, 320)
        self._candidates([picture])
        self._embedded([_crop(picture, np.asarray((0, 0, 1, 1), dtype=np.float32))])

    def _decoded(self, frame: bytes) -> Decoded | ModelInputError:
        try:
            return decode(frame, max_pixels=self._max_pixels)
        except ModelInputError as error:
            return error

    def _candidates(self, pictures: Sequence[Decoded]) -> list[_Candidates]:
        found: list[_Candidates] = []
        for chunk in _chunks([_whole(picture) for picture in pictures], DETECTOR_BATCH):
            with torch.inference_mode(), self._autocast():
                output = self._detector(**self._on_device(self._prepare_frames(chunk)))
            scores, classes = _scores(output.logits.float(), len(self._labels))
            boxes = _corners(output.pred_boxes.float())
            found += [self._kept(*each) for each in zip(boxes.cpu().numpy(), scores.cpu().numpy(), classes.cpu().numpy(), strict=True)]
        return found

    def _kept(self, boxes: Vectors, scores: Vectors, classes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> _Candidates:
        visible = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        usable = np.flatnonzero((scores >= self._min_score) & visible)
        kept = usable[keep_best(boxes[usable], scores[usable], limit=self._max_detections)]
        return _Candidates(boxes[kept], scores[kept], tuple(self._labels[int(index)] for index in classes[kept]))

    def _embedded(self, regions: Sequence[Region]) -> Vectors:
        """float32 (n, dim), L2-normalised."""
        parts: list[Vectors] = [np.zeros((0, getattr(self, "embedding_dim", 0)), dtype=np.float32)] if not regions else []
        for chunk in _chunks(regions, EMBEDDER_BATCH):
            with torch.inference_mode(), self._autocast():
                features = self._embedder.get_image_features(**self._on_device(self._prepare_crops(chunk)))
            vectors = features if isinstance(features, Tensor) else features.pooler_output
            parts.append(torch.nn.functional.normalize(vectors.float(), dim=-1).cpu().numpy())
        return np.concatenate(parts)

    def _on_device(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: value.to(self._device) for name, value in inputs.items()}

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._precision == "bfloat16")


def _chunks(regions: Sequence[Region], size: int) -> Iterator[Sequence[Region]]:
    for start in range(0, len(regions), size):
        yield regions[start : start + size]


def _scores(logits: Tensor, labels: int) -> tuple[Tensor, Tensor]:
    """Best score (n, queries) and its class: softmax where the last class means nothing is there (DETR), else sigmoid."""
    probabilities = logits.softmax(dim=-1)[..., :-1] if logits.shape[-1] == labels + 1 else logits.sigmoid()
    best = probabilities.max(dim=-1)
    return best.values, best.indices


def _corners(boxes: Tensor) -> Tensor:
    """cx, cy, w, h to x1, y1, x2, y2, clipped to 0..1."""
    middle, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat((middle - half, middle + half), dim=-1).clamp(0, 1)


def _whole(picture: Decoded) -> Region:
    return picture.image, (0.0, 0.0, float(picture.image.width), float(picture.image.height))


def _crop(picture: Decoded, box: Vectors) -> Region:
    """The box (0..1) with its margin, in pixels of the decoded image and at least one pixel wide."""
    wide, tall = picture.image.size
    margin_x, margin_y = (box[2] - box[0]) * CROP_MARGIN, (box[3] - box[1]) * CROP_MARGIN
    left, right = max(0.0, float(box[0] - margin_x)) * wide, min(1.0, float(box[2] + margin_x)) * wide
    top, bottom = max(0.0, float(box[1] - margin_y)) * tall, min(1.0, float(box[3] + margin_y)) * tall
    left, top = min(left, wide - 1.0), min(top, tall - 1.0)
    return picture.image, (left, top, max(right, left + 1), max(bottom, top + 1))


def _main_box(found: _Candidates) -> Vectors:
    """The large and certain one, or the whole picture."""
    if len(found.boxes) == 0:
        return np.asarray((0, 0, 1, 1), dtype=np.float32)
    size = (found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1)
    main: Vectors = found.boxes[int(np.argmax(found.scores * np.sqrt(size)))]
    return main


def _assembled(
    pictures: Sequence[Decoded], found: Sequence[_Candidates], vectors: Vectors, match_threshold: float
) -> Iterator[FrameDetections]:
    offset = 0
    for picture, candidates in zip(pictures, found, strict=True):
        detections = tuple(
            Detection(_pixels(box, picture), float(score), label, vectors[offset + index])
            for index, (box, score, label) in enumerate(zip(candidates.boxes, candidates.scores, candidates.labels, strict=True))
        )
        offset += len(detections)
        yield FrameDetections(picture.width, picture.height, detections, match_threshold)


def _pixels(box: Vectors, picture: Decoded) -> Box:
    x1, y1, x2, y2 = (float(side) for side in box)
    return x1 * picture.width, y1 * picture.height, x2 * picture.width, y2 * picture.height
