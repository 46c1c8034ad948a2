"""One call over a handle, within the deadline of the running node and in the words of the error tree."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ray.serve.handle import DeploymentHandle, DeploymentResponse

from deployments.remote.errors import translated
from graphs.errors import Unavailable

PING_S = 2.0


async def answered(response: DeploymentResponse, deployment: str) -> Any:  # noqa: ANN401  # each method has its own type
    """The reply. Cancelling the caller cancels the call in the replica. Raises what `translated` makes of Ray's errors."""
    finished = False
    try:
        reply = await response
        finished = True
    except Exception as error:
        raise translated(error, deployment) from error
    finally:
        if not finished:
            response.cancel()
    return reply


def ping_of(handle: DeploymentHandle, deployment: str) -> Callable[[], Awaitable[None]]:
    """Raises Unavailable when no replica answers within two seconds."""

    async def ping() -> None:
        try:
            async with asyncio.timeout(PING_S):
                await answered(handle.ping.remote(), deployment)
        except TimeoutError:
            raise Unavailable(f"`{deployment}` does not answer a ping within {PING_S:g} s") from None

    return ping
