"""The loaded detector on a thread of its own, one batch at a time: the event loop stays free."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from models.types import FrameDetections, ModelInputError, PictureEmbedding

if TYPE_CHECKING:  # an ingress without a detector of its own does not import torch's part of it
    from models.vision.detector import ProductDetector


@dataclass(frozen=True, slots=True)
class AskedFrame:
    """A frame as it travels: frames of several callers share a batch, each with its own limit."""

    frame: bytes  # encoded
    min_score: float | None = None  # None: the detector's own


class Eye:
    def __init__(self, model: "ProductDetector", embedder_tag: str) -> None:
        self._model = model
        self._tag = embedder_tag
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="detector")

    @property
    def categories(self) -> tuple[str, ...]:
        return self._model.categories

    async def detect(self, asked: Sequence[AskedFrame]) -> list[FrameDetections | Exception]:
        """One answer or ModelInputError per frame, in order."""
        model = self._model
        frames, limits = [each.frame for each in asked], [each.min_score for each in asked]
        found = await asyncio.get_running_loop().run_in_executor(self._thread, model.detect, frames, limits)
        return [seen if isinstance(seen, Exception) else replace(seen, match_threshold=model.match_threshold) for seen in found]

    async def embed(self, pictures: Sequence[bytes]) -> list[PictureEmbedding | ModelInputError]:
        """For enrolment; one answer or error per picture, in order."""
        found = await asyncio.get_running_loop().run_in_executor(self._thread, self._model.embed, pictures)
        return [vectors if isinstance(vectors, ModelInputError) else PictureEmbedding(vectors, self._tag) for vectors in found]
