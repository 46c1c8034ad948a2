"""The writer behind a handle: tokens pass through as they come, closing the stream aborts the generation."""

from collections.abc import AsyncGenerator

from ray.serve.handle import DeploymentHandle

from deployments.remote.errors import translated
from graphs.flow import remaining_s
from models.types import Prompt, TextDelta

DEPLOYMENT = "Writer"
LONGEST_S = 600.0  # outside of a graph nobody says how long


class RemoteWriter:
    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle
        self._streaming = handle.options(stream=True)

    async def write(self, prompt: Prompt) -> AsyncGenerator[TextDelta, None]:
        """Stream deltas. Raises Unavailable when the replica dies, also in the middle; InvalidRequest for a prompt that does not fit."""
        response = self._streaming.write.remote(prompt, min(remaining_s(), LONGEST_S))
        finished = False
        try:
            async for delta in response:
                yield delta
            finished = True
        except Exception as error:
            raise translated(error, DEPLOYMENT) from error
        finally:
            if not finished:
                response.cancel()

    async def metrics_text(self) -> str:
        try:
            text: str = await self._handle.metrics_text.remote()
        except Exception as error:
            raise translated(error, DEPLOYMENT) from error
        return text
