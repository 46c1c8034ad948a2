"""What goes out over a session, one message at a time."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable

from pydantic import BaseModel
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from deployments.ingress.errors import error_object, from_model_input
from graphs.errors import Internal, LivecartError, Overloaded
from livecart_client import wire
from models.types import ModelInputError

log = logging.getLogger("livecart.session")

MOST_REASON_BYTES = 123  # RFC 6455, section 5.5: a control frame has at most 125, two of which are the code
SEND_S = 10.0  # for a caller who reads slowly; whoever takes longer is gone


class Outbox:
    """Sends whole messages in the order in which they were given. Raises WebSocketDisconnect when the caller has left or does not read."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._turn = asyncio.Lock()

    async def send(self, message: BaseModel) -> None:
        text = message.model_dump_json(exclude={"trace"})
        await self._in_time(lambda: self._websocket.send_text(text))

    async def error(self, error: LivecartError, *, comment_id: str | None = None) -> None:
        body = wire.ErrorBody.model_validate(error_object(error)["error"])
        wait_ms = math.ceil(1_000 * error.retry_after_s) if isinstance(error, Overloaded) else None
        await self.send(wire.SessionError(error=body, comment_id=comment_id, retry_after_ms=wait_ms))

    async def close(self, code: int, reason: str) -> None:
        """May be called whatever has happened before. A reason that is too long for a close frame is cut."""
        if self._websocket.application_state is WebSocketState.CONNECTED and self._websocket.client_state is WebSocketState.CONNECTED:
            short = reason.encode("utf-8", "replace")[:MOST_REASON_BYTES].decode("utf-8", "ignore")
            await self._in_time(lambda: self._websocket.close(code, short))

    async def _in_time(self, send: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(SEND_S), self._turn:
                await send()
        except TimeoutError:
            raise WebSocketDisconnect(wire.SessionClose.LOST, f"nothing was read for {SEND_S:g} s") from None
        except RuntimeError as error:  # starlette's and uvicorn's for what comes after the connection's end
            raise WebSocketDisconnect(wire.SessionClose.LOST, str(error)) from None


def told(error: Exception) -> LivecartError:
    """What the caller is told; of a failure that is ours only that there was one."""
    if isinstance(error, LivecartError):
        return error
    if isinstance(error, ModelInputError):
        return from_model_input(error)
    log.error("unexpected failure in a room session", exc_info=error)
    return Internal("something went wrong here; the log has it under the session's request id")
