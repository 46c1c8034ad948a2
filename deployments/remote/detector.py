"""The detector as a port: behind a handle, one hop a frame, or in this process. Frames of the same moment are a batch either way."""

from collections.abc import Awaitable, Callable, Sequence

from ray.serve.handle import DeploymentHandle

from deployments.eye import AskedFrame, Eye
from deployments.remote.calls import answered, channel
from deployments.remote.coalesce import Coalescer
from deployments.remote.entries import all_together
from deployments.remote.errors import refused
from deployments.settings import CoalesceSettings
from graphs.errors import InvalidRequest, PayloadTooLarge, UnsupportedMedia
from models.types import FrameDetections, ModelInputError, PictureEmbedding

DEPLOYMENT = "Detector"

Embed = Callable[[Sequence[bytes]], Awaitable[list[PictureEmbedding | ModelInputError]]]
Categories = Callable[[], Awaitable[tuple[str, ...]]]


class CoalescedDetector:
    """Detector and PictureEmbedder."""

    def __init__(self, detect: Coalescer[AskedFrame, FrameDetections], embed: Embed, categories: Categories) -> None:
        self._detect = detect
        self._embed = embed
        self.categories = categories  # the detector's labels, in the order of `Detection.category_index`

    @classmethod
    def remote(cls, handle: DeploymentHandle, limits: CoalesceSettings) -> "CoalescedDetector":
        """In replicas of its own."""

        async def embed(pictures: Sequence[bytes]) -> list[PictureEmbedding | ModelInputError]:
            found: list[PictureEmbedding | ModelInputError] = await answered(handle.embed.remote(list(pictures)), DEPLOYMENT)
            return found

        async def categories() -> tuple[str, ...]:
            labels: tuple[str, ...] = await answered(handle.categories.remote(), DEPLOYMENT)
            return labels

        return cls(channel(handle.detect.remote, DEPLOYMENT, limits), embed, categories)

    @classmethod
    def local(cls, eye: Eye, limits: CoalesceSettings) -> "CoalescedDetector":
        """In this process: no hop. A frame waits for the batch before it, and those that wait together are the next batch."""

        async def send(asked: Sequence[AskedFrame], remaining_s: Sequence[float]) -> Sequence[FrameDetections | Exception]:
            replies = await all_together(asked, remaining_s, eye.detect)
            return [refused(reply) if isinstance(reply, ModelInputError) else reply for reply in replies]

        async def categories() -> tuple[str, ...]:
            return eye.categories

        return cls(Coalescer(send, DEPLOYMENT, limits.model_copy(update={"max_in_flight": 1})), eye.embed, categories)

    async def detect(self, frame: bytes, min_score: float | None = None) -> FrameDetections:
        """Raises LivecartError; a refused picture has the param `frame`."""
        try:
            return await self._detect(AskedFrame(frame, min_score))
        except (InvalidRequest, PayloadTooLarge, UnsupportedMedia) as error:
            error.param = error.param or "frame"
            raise

    async def embed(self, pictures: Sequence[bytes]) -> list[PictureEmbedding]:
        return [_good(each) for each in await self._embed(pictures)]


def _good(found: PictureEmbedding | ModelInputError) -> PictureEmbedding:
    if isinstance(found, ModelInputError):
        raise refused(found)
    return found
