"""A room session: frames and comments go in, what is shown and said comes out."""

import asyncio
from asyncio import to_thread
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from livecart_client import wire
from livecart_client.core import session
from livecart_client.core.sockets import ended, refused
from livecart_client.errors import InvalidRequest
from livecart_client.pictures import Picture, encoded

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

LONGEST_CONNECT_S = 10.0


class AsyncSession:
    """Made by `client.session(room_id)`. Every method raises LivecartError of the kind that the close code says."""

    def __init__(self, connection: "ClientConnection") -> None:
        self._connection = connection

    async def frame(self, picture: Picture) -> None:
        """Show a picture; of those that wait the server keeps the newest."""
        await self._send(await to_thread(encoded, picture))

    async def comment(self, text: str, viewer_id: str, *, comment_id: str | None = None) -> str:
        """Ask what a viewer asks; returns the id that the answer will name."""
        said = session.comment(text, viewer_id, comment_id)
        await self._send(said.model_dump_json())
        return said.comment_id

    async def ping(self) -> None:
        """Answered by a `SessionPong`."""
        await self._send(session.PING)

    async def receive(self, timeout_s: float | None = None) -> wire.SessionEvent | None:
        """The next message; None when `timeout_s` passed without one."""
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415  # an extra

        while True:
            try:
                async with asyncio.timeout(timeout_s):
                    message = await self._connection.recv()
            except TimeoutError:
                return None
            except ConnectionClosed as error:
                raise ended(error) from None
            event = session.heard(message)
            if event is not None:
                return event

    async def __aiter__(self) -> AsyncIterator[wire.SessionEvent]:
        """All that is heard. Ends by raising what the end means."""
        while True:
            event = await self.receive()
            if event is not None:
                yield event

    async def _send(self, message: str | bytes) -> None:
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415  # an extra

        try:
            await self._connection.send(message)
        except ConnectionClosed as error:
            raise ended(error) from None


@asynccontextmanager
async def opened(url: str, headers: Mapping[str, str]) -> AsyncIterator[AsyncSession]:
    """Raises InvalidRequest without websockets, and what a refused connection means."""
    try:
        from websockets.asyncio.client import connect  # noqa: PLC0415  # an extra
        from websockets.exceptions import InvalidHandshake  # noqa: PLC0415
    except ImportError:
        raise InvalidRequest(session.NEEDS) from None
    try:
        connection = await connect(
            url, additional_headers=dict(headers), open_timeout=LONGEST_CONNECT_S, max_size=None, user_agent_header=None
        )
    except (OSError, TimeoutError, InvalidHandshake) as error:
        raise refused(url, error) from error
    async with connection:
        yield AsyncSession(connection)
