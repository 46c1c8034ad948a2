"""The detector behind a handle: one hop a frame, and frames of the same moment share it and are a batch."""

from collections.abc import Sequence
from dataclasses import dataclass

from ray.serve.handle import DeploymentHandle

from deployments.remote.calls import answered, channel
from deployments.remote.errors import refused
from deployments.settings import CoalesceSettings
from graphs.errors import InvalidRequest, PayloadTooLarge, UnsupportedMedia
from models.types import FrameDetections, ModelInputError, PictureEmbedding

DEPLOYMENT = "Detector"


@dataclass(frozen=True, slots=True)
class Asked:
    """A frame as it travels: frames of several callers share a hop, each with its own limit."""

    frame: bytes  # encoded
    min_score: float | None = None  # None: the detector's own


class RemoteDetector:
    """Detector and PictureEmbedder."""

    def __init__(self, handle: DeploymentHandle, limits: CoalesceSettings) -> None:
        self._handle = handle
        self._detect = channel(handle.detect.remote, DEPLOYMENT, limits)

    async def detect(self, frame: bytes, min_score: float | None = None) -> FrameDetections:
        """Raises LivecartError; a refused picture has the param `frame`."""
        try:
            seen: FrameDetections = await self._detect(Asked(frame, min_score))
        except (InvalidRequest, PayloadTooLarge, UnsupportedMedia) as error:
            error.param = error.param or "frame"
            raise
        return seen

    async def embed(self, pictures: Sequence[bytes]) -> list[PictureEmbedding]:
        found: list[PictureEmbedding | ModelInputError] = await answered(self._handle.embed.remote(list(pictures)), DEPLOYMENT)
        return [_good(each) for each in found]


def _good(found: PictureEmbedding | ModelInputError) -> PictureEmbedding:
    if isinstance(found, ModelInputError):
        raise refused(found)
    return found
