"""The detector behind a handle: one hop a frame, requests of the same moment share it."""

from collections.abc import Sequence

from ray.serve.handle import DeploymentHandle

from deployments.remote.calls import answered
from deployments.remote.errors import refused
from deployments.settings import CoalesceSettings
from models.types import FrameDetections, ModelInputError, PictureEmbedding

DEPLOYMENT = "Detector"


class RemoteDetector:
    """Detector and PictureEmbedder."""

    def __init__(self, handle: DeploymentHandle, settings: CoalesceSettings) -> None:
        self._handle = handle

    async def detect(self, frame: bytes) -> FrameDetections:
        (seen,) = await answered(self._handle.detect.remote([frame]), DEPLOYMENT)
        if isinstance(seen, ModelInputError):
            raise refused(seen)
        found: FrameDetections = seen
        return found

    async def embed(self, pictures: Sequence[bytes]) -> list[PictureEmbedding]:
        found: list[PictureEmbedding | ModelInputError] = await answered(self._handle.embed.remote(list(pictures)), DEPLOYMENT)
        return [_good(each) for each in found]


def _good(found: PictureEmbedding | ModelInputError) -> PictureEmbedding:
    if isinstance(found, ModelInputError):
        raise refused(found)
    return found
