"""What goes out when nobody is there any more."""

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from deployments.ingress.session.outbox import Outbox
from livecart_client import wire

PONG = wire.SessionPong(dropped=0)


async def accepted(failure: Exception) -> WebSocket:
    """A connection that is open, and fails at everything that is sent then."""

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        if message["type"] != "websocket.accept":
            raise failure

    websocket = WebSocket({"type": "websocket"}, receive, send)
    await websocket.accept()
    return websocket


GONE = OSError("the caller is gone")
CLOSED = RuntimeError("Unexpected ASGI message 'websocket.send', after sending 'websocket.close'.")  # uvicorn's, for a ping without a pong


@pytest.mark.parametrize("failure", [GONE, CLOSED])
async def test_whatever_is_sent_after_the_end_tells_that_the_caller_left(failure: Exception) -> None:
    out = Outbox(await accepted(failure))
    for _ in range(2):
        with pytest.raises(WebSocketDisconnect) as left:
            await out.send(PONG)
        assert left.value.code == wire.SessionClose.LOST


async def test_a_close_after_the_end_is_the_end_too() -> None:
    out = Outbox(await accepted(CLOSED))
    with pytest.raises(WebSocketDisconnect):
        await out.close(wire.SessionClose.DONE, "")
    await out.close(wire.SessionClose.DONE, "")
