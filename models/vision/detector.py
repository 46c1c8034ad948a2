"""Pictures to products: what is where in a live-room frame, and the vector that says which product it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from models.types import Box, Detection, FrameDetections, ModelInputError, Vectors
from models.vision.checkpoints import Checkpoint, Region, load_checkpoint
from models.vision.heads import DetectorHead, EmbedderHead
from models.vision.images import Decoded, decode
from models.vision.runtime import Compute, network
from models.vision.suppression import keep_best

CROP_MARGIN = 0.05  # of a box's sides, around it: what the embedder was trained on
DETECTOR_BATCH = 8  # frames a forward pass: past this a CPU gains nothing and memory grows
EMBEDDER_BATCH = 64
WARM_SIZES = (1, 2, 4, DETECTOR_BATCH)
ON_CPU = Compute()
DEFAULT_MATCH_THRESHOLD = 0.5  # cosine, for embedders that name none

_Answer = tuple[Vectors, Vectors, NDArray[np.int64]]  # of the network on one picture: boxes (queries, 4), scores and classes (queries,)


@dataclass(frozen=True, slots=True)
class _Candidates:
    """What the network found in one picture, best first: boxes float32 (k, 4) x1 y1 x2 y2 in 0..1."""

    boxes: Vectors
    scores: Vectors
    classes: tuple[int, ...]
    labels: tuple[str, ...]


class ProductDetector:
    """One detector and one embedder behind the two verbs of recognition. Thread-safe: holds no state besides the weights."""

    def __init__(  # one keyword per setting
        self,
        detector: Checkpoint,
        embedder: Checkpoint,
        *,
        max_pixels: int = 40_000_000,
        min_score: float = 0.4,
        max_detections: int = 20,
        compute: Compute = ON_CPU,
    ) -> None:
        self._find = network(DetectorHead(detector), detector, compute)
        self._tell = network(EmbedderHead(embedder), embedder, compute)
        self._prepare_frames = detector.prepare
        self._prepare_crops = embedder.prepare
        self._max_pixels = max_pixels
        self._min_score = min_score
        self._max_detections = max_detections
        self._labels = {int(index): str(name) for index, name in detector.model.config.id2label.items()}
        self.match_threshold = float(getattr(embedder.model.config, "match_threshold", DEFAULT_MATCH_THRESHOLD))
        self.embedding_dim = int(self._embedded([(Image.new("RGB", (32, 32)), (0.0, 0.0, 32.0, 32.0))]).shape[1])

    @classmethod
    def load(  # noqa: PLR0913  # one keyword per setting
        cls,
        detector: str | Path,
        embedder: str | Path,
        *,
        max_pixels: int = 40_000_000,
        min_score: float = 0.4,
        max_detections: int = 20,
        threads: int | None = None,
        compute: Compute = ON_CPU,
    ) -> Self:
        """Loads both networks: a shipped folder, a folder in hub format, an fsspec URL of an artifact, or a hub id.

        `threads` is torch's, of the whole process, and OpenVINO's; None leaves it. Raises ArtifactError.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        return cls(
            load_checkpoint(detector, kind="detector"),
            load_checkpoint(embedder, kind="embedder"),
            max_pixels=max_pixels,
            min_score=min_score,
            max_detections=max_detections,
            compute=compute,
        )

    @property
    def runtimes(self) -> tuple[str, str]:
        """What runs the detector and the embedder; see `Network.runtime`."""
        return self._find.runtime, self._tell.runtime

    @property
    def categories(self) -> tuple[str, ...]:
        """The detector's labels in the order of their class indices."""
        return tuple(self._labels[index] for index in sorted(self._labels))

    def detect(self, frames: Sequence[bytes], min_scores: Sequence[float | None] | None = None) -> list[FrameDetections | ModelInputError]:
        """The products in each encoded frame, in the order of the frames. A bad picture yields its error and harms no other.

        `min_scores`: a limit for each frame; None stands for the detector's own.
        """
        pictures = [self._decoded(frame) for frame in frames]
        asked = min_scores if min_scores is not None else [None] * len(frames)
        limits = [limit for limit, picture in zip(asked, pictures, strict=True) if isinstance(picture, Decoded)]
        good = [picture for picture in pictures if isinstance(picture, Decoded)]
        found = self._candidates(good, limits)
        crops = [_crop(picture, box) for picture, candidates in zip(good, found, strict=True) for box in candidates.boxes]
        vectors = self._embedded(crops)
        results = iter(_assembled(good, found, vectors, self.match_threshold))
        return [picture if isinstance(picture, ModelInputError) else next(results) for picture in pictures]

    def embed(self, pictures: Sequence[bytes]) -> list[Vectors | ModelInputError]:
        """For enrolment: float32 (views, dim) per picture, L2-normalised.

        Its main product and the whole picture, which is the product when the detector knows no such thing; the latter alone when
        nothing is found.
        """
        decoded = [self._decoded(picture) for picture in pictures]
        good = [picture for picture in decoded if isinstance(picture, Decoded)]
        regions = [_views(picture, found) for picture, found in zip(good, self._candidates(good, [None] * len(good)), strict=True)]
        vectors = iter(self._embedded([region for views in regions for region in views]))
        embedded = iter([np.stack([next(vectors) for _ in views]) for views in regions])
        return [picture if isinstance(picture, ModelInputError) else next(embedded) for picture in decoded]

    def warm_up(self) -> None:
        """Passes through both networks, alone and as a batch, so that the first requests do not pay for it."""
        picture = Decoded(Image.new("RGB", (320, 320), (127, 127, 127)), 320, 320)
        whole = _crop(picture, np.asarray((0, 0, 1, 1), dtype=np.float32))
        for size in WARM_SIZES:
            self._candidates([picture] * size, [None] * size)
            self._embedded([whole] * size)

    def _decoded(self, frame: bytes) -> Decoded | ModelInputError:
        try:
            return decode(frame, max_pixels=self._max_pixels)
        except ModelInputError as error:
            return error

    def _candidates(self, pictures: Sequence[Decoded], limits: Sequence[float | None]) -> list[_Candidates]:
        answers: list[_Answer] = []
        for chunk in _chunks([_whole(picture) for picture in pictures], DETECTOR_BATCH):
            answers += zip(*self._find(self._prepare_frames(chunk)), strict=True)
        return [self._kept(answer, self._min_score if limit is None else limit) for answer, limit in zip(answers, limits, strict=True)]

    def _kept(self, answer: _Answer, min_score: float) -> _Candidates:
        boxes, scores, classes = answer
        visible = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        usable = np.flatnonzero((scores >= min_score) & visible)
        kept = usable[keep_best(boxes[usable], scores[usable], limit=self._max_detections)]
        indices = tuple(int(index) for index in classes[kept])
        return _Candidates(boxes[kept], scores[kept], indices, tuple(self._labels[index] for index in indices))

    def _embedded(self, regions: Sequence[Region]) -> Vectors:
        """float32 (n, dim), L2-normalised."""
        parts: list[Vectors] = [np.zeros((0, getattr(self, "embedding_dim", 0)), dtype=np.float32)] if not regions else []
        for chunk in _chunks(regions, EMBEDDER_BATCH):
            (vectors,) = self._tell(self._prepare_crops(chunk))
            parts.append(vectors)
        return np.concatenate(parts)


def _chunks(regions: Sequence[Region], size: int) -> Iterator[Sequence[Region]]:
    for start in range(0, len(regions), size):
        yield regions[start : start + size]


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


def _views(picture: Decoded, found: _Candidates) -> list[Region]:
    """The large and certain product, where there is one, and the whole picture."""
    if len(found.boxes) == 0:
        return [_whole(picture)]
    size = (found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1)
    main = found.boxes[int(np.argmax(found.scores * np.sqrt(size)))]
    return [_crop(picture, main), _whole(picture)]


def _assembled(
    pictures: Sequence[Decoded], found: Sequence[_Candidates], vectors: Vectors, match_threshold: float
) -> Iterator[FrameDetections]:
    offset = 0
    for picture, candidates in zip(pictures, found, strict=True):
        detections = tuple(
            Detection(_pixels(box, picture), float(score), label, vectors[offset + index], category)
            for index, (box, score, category, label) in enumerate(
                zip(candidates.boxes, candidates.scores, candidates.classes, candidates.labels, strict=True)
            )
        )
        offset += len(detections)
        yield FrameDetections(picture.width, picture.height, detections, match_threshold)


def _pixels(box: Vectors, picture: Decoded) -> Box:
    x1, y1, x2, y2 = (float(side) for side in box)
    return x1 * picture.width, y1 * picture.height, x2 * picture.width, y2 * picture.height
