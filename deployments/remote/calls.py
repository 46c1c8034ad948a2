"""Calls over a handle, in the words of the error tree."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ray.serve.handle import DeploymentHandle, DeploymentResponse

from deployments.remote.coalesce import Coalescer
from deployments.remote.errors import translated
from deployments.settings import CoalesceSettings
from graphs.errors import LivecartError, Unavailable

PING_S = 2.0


@dataclass(frozen=True, slots=True)
class Question:
    """A call of one of a port's methods, as it travels: questions of several methods share a hop."""

    method: str
    arguments: Mapping[str, object]


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


def channel(method: Callable[..., DeploymentResponse], deployment: str, limits: CoalesceSettings) -> Coalescer[Any, Any]:
    """A coalescing channel to a replica's method of (values, seconds left of each), which answers a list."""

    async def send(values: Sequence[Any], remaining_s: Sequence[float]) -> list[Any]:
        replies = await answered(method(list(values), list(remaining_s)), deployment)
        return [translated(reply, deployment) if isinstance(reply, Exception) else reply for reply in replies]

    return Coalescer(send, deployment, limits)


def ping_of(handle: DeploymentHandle, deployment: str) -> Callable[[], Awaitable[None]]:
    """Raises Unavailable when no replica answers within two seconds, or when one fails the ping, however it does."""

    async def ping() -> None:
        try:
            async with asyncio.timeout(PING_S):
                await answered(handle.ping.remote(), deployment)
        except TimeoutError:
            raise Unavailable(f"`{deployment}` does not answer a ping within {PING_S:g} s") from None
        except LivecartError:
            raise
        except Exception as error:
            raise Unavailable(f"`{deployment}` fails its ping with {type(error).__name__}") from error

    return ping
