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
from models.vision.checkpoints import Checkpoint, load_checkpoint
from models.vision.embedder_info import DEFAULT_MATCH_THRESHOLD
from models.vision.heads import DetectorHead, EmbedderHead
from models.vision.images import Decoded, decode
from models.vision.regions import Region, crop, views, whole
from models.vision.runtime import Compute, network
from models.vision.suppression import keep_best

DETECTOR_BATCH = 8  # frames a forward pass: past this a CPU gains nothing and memory grows
EMBEDDER_BATCH = 64
WARM_SIZES = (1, 2, 4, DETECTOR_BATCH)
ON_CPU = Compute()

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
        crops = [crop(picture, box) for picture, candidates in zip(good, found, strict=True) for box in candidates.boxes]
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
        found = self._candidates(good, [None] * len(good))
        regions = [views(picture, seen.boxes, seen.scores) for picture, seen in zip(good, found, strict=True)]
        vectors = iter(self._embedded([region for several in regions for region in several]))
        embedded = iter([np.stack([next(vectors) for _ in several]) for several in regions])
        return [picture if isinstance(picture, ModelInputError) else next(embedded) for picture in decoded]

    def warm_up(self) -> None:
        """Passes through both networks, alone and as a batch, so that the first requests do not pay for it."""
        picture = Decoded(Image.new("RGB", (320, 320), (127, 127, 127)), 320, 320)
        part = crop(picture, np.asarray((0, 0, 1, 1), dtype=np.float32))
        for size in WARM_SIZES:
            self._candidates([picture] * size, [None] * size)
            self._embedded([part] * size)

    def _decoded(self, frame: bytes) -> Decoded | ModelInputError:
        try:
            return decode(frame, max_pixels=self._max_pixels)
        except ModelInputError as error:
            return error

    def _candidates(self, pictures: Sequence[Decoded], limits: Sequence[float | None]) -> list[_Candidates]:
        answers: list[_Answer] = []
        for chunk in _chunks([whole(picture) for picture in pictures], DETECTOR_BATCH):
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
