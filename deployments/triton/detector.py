"""The detector on an external server: boxes from one of its models, a vector for each box from another."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deployments.remote.errors import refused
from deployments.settings import DetectorConfig
from deployments.triton.errors import Unfit
from deployments.triton.model import TritonModel
from graphs.errors import Internal, LivecartError, PayloadTooLarge, UnsupportedMedia
from models.types import Box, Detection, FrameDetections, ModelInputError, PictureEmbedding, Vectors
from models.vision.embedder_info import EmbedderInfo
from models.vision.images import Decoded, decode
from models.vision.regions import Region, as_jpeg, crop, views


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the server found in one picture, best first, less what is not wanted."""

    boxes: Vectors  # float32 (n, 4), x1 y1 x2 y2 in 0..1 of the picture
    scores: Vectors  # float32 (n,)
    classes: NDArray[np.int64]  # (n,)


class TritonDetector:
    """Detector and PictureEmbedder. Pictures are decoded here too: a bad one is refused before it is sent, and boxes are cut out here."""

    def __init__(
        self,
        find: TritonModel,
        tell: TritonModel,
        embedder: EmbedderInfo,
        limits: DetectorConfig,
        categories: tuple[str, ...] | None = None,
    ) -> None:
        self._find = find
        self._tell = tell
        self._embedder = embedder
        self._limits = limits
        self._categories = categories

    async def detect(self, frame: bytes, min_score: float | None = None) -> FrameDetections:
        """Raises LivecartError; a refused picture has the param `frame`.

        What the server leaves out by a limit of its own does not come back with a lower `min_score`.
        """
        try:
            picture = await self._decoded(frame)
            labels = await self.categories()
            seen = await self._seen(picture, frame, min_score)
            vectors = await self._embedded([crop(picture, box) for box in seen.boxes])
        except (PayloadTooLarge, UnsupportedMedia) as error:
            error.param = error.param or "frame"
            raise
        found = (
            Detection(_pixels(box, picture), float(score), self._label(labels, index), vector, index)
            for box, score, index, vector in zip(seen.boxes, seen.scores, seen.classes.tolist(), vectors, strict=True)
        )
        return FrameDetections(picture.width, picture.height, tuple(found), self._embedder.match_threshold)

    async def embed(self, pictures: Sequence[bytes]) -> list[PictureEmbedding]:
        return [PictureEmbedding(await self._views(each), self._embedder.tag) for each in pictures]

    async def categories(self) -> tuple[str, ...]:
        """The names of the numbers in `categories`: from the settings, or from the model's configuration. Raises as `fit` does."""
        if self._categories is None:
            await self._find.fit()  # a model that is not there has no configuration either
            listed = await self._find.listed_parameter("categories")
            if not listed:
                raise Unfit(
                    f"{self._find.where} does not say what its categories are: name them in args.triton.detector.categories, "
                    "or give the model a parameter `categories`, a JSON list of names"
                )
            self._categories = listed
        return self._categories

    async def fit(self) -> None:
        """Raises Unfit when a model is not what is needed, Unavailable when one is away."""
        await self._find.fit()
        await self.categories()
        await self._tell.fit()

    async def ping(self) -> None:
        await self.fit()
        await asyncio.gather(self._find.ping(), self._tell.ping())

    async def aclose(self) -> None:
        await self._find.aclose()
        await self._tell.aclose()

    async def _decoded(self, frame: bytes) -> Decoded:
        try:
            return await asyncio.to_thread(decode, frame, max_pixels=int(self._limits.max_megapixels * 1_000_000))
        except ModelInputError as error:
            refusal: LivecartError = refused(error)
            refusal.param = "frame"
            raise refusal from None

    async def _views(self, frame: bytes) -> Vectors:
        picture = await self._decoded(frame)
        seen = await self._seen(picture, frame, None)
        return await self._embedded(views(picture, seen.boxes, seen.scores))

    async def _seen(self, picture: Decoded, frame: bytes, min_score: float | None) -> _Seen:
        found = await self._find(_elements([frame]))
        (count,) = found["count"].tolist()
        boxes, scores = (found[name][0, :count].astype(np.float32) for name in ("boxes", "scores"))
        size = np.array([picture.width, picture.height] * 2, dtype=np.float32)
        boxes = np.clip(boxes / size, 0.0, 1.0)
        limit = self._limits.min_score if min_score is None else min_score
        usable = np.flatnonzero((scores >= limit) & (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]))
        kept = usable[np.argsort(-scores[usable], kind="stable")][: self._limits.max_detections]
        return _Seen(boxes[kept], scores[kept], found["categories"][0, :count].astype(np.int64)[kept])

    async def _embedded(self, regions: Sequence[Region]) -> Vectors:
        """float32 (n, dim), L2-normalised."""
        if not regions:
            return np.zeros((0, self._embedder.dim), dtype=np.float32)
        pictures = await asyncio.to_thread(lambda: [as_jpeg(region) for region in regions])
        vectors: Vectors = (await self._tell(_elements(pictures)))["embedding"].astype(np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and lengths.all()):
            raise Internal(f"{self._tell.where} answered a vector of zeros, or one that is no number")
        unit: Vectors = vectors / lengths
        return unit

    def _label(self, labels: Sequence[str], index: int) -> str:
        if not 0 <= index < len(labels):
            raise Internal(f"{self._find.where} answered category {index}; {len(labels)} have names")
        return labels[index]


def _elements(pictures: Sequence[bytes]) -> NDArray[np.object_]:
    elements = np.empty(len(pictures), dtype=object)
    elements[:] = pictures
    return elements


def _pixels(box: Vectors, picture: Decoded) -> Box:
    x1, y1, x2, y2 = (float(side) for side in box)
    return x1 * picture.width, y1 * picture.height, x2 * picture.width, y2 * picture.height
