"""A room session: frames and comments go in, what is shown and said comes out."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from livecart_client import wire
from livecart_client.core import session
from livecart_client.core.sockets import ended, refused
from livecart_client.errors import InvalidRequest
from livecart_client.pictures import Picture, encoded

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

LONGEST_CONNECT_S = 10.0


class Session:
    """Made by `client.session(room_id)`. Every method raises LivecartError of the kind that the close code says."""

    def __init__(self, connection: "ClientConnection") -> None:
        self._connection = connection

    def frame(self, picture: Picture) -> None:
        """Show a picture; of those that wait the server keeps the newest."""
        self._send(encoded(picture))

    def comment(self, text: str, viewer_id: str, *, comment_id: str | None = None) -> str:
        """Ask what a viewer asks; returns the id that the answer will name."""
        said = session.comment(text, viewer_id, comment_id)
        self._send(said.model_dump_json())
        return said.comment_id

    def ping(self) -> None:
        """Answered by a `SessionPong`."""
        self._send(session.PING)

    def receive(self, timeout_s: float | None = None) -> wire.SessionEvent | None:
        """The next message; None when `timeout_s` passed without one."""
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415  # an extra

        while True:
            try:
                message = self._connection.recv(timeout_s)
            except TimeoutError:
                return None
            except ConnectionClosed as error:
                raise ended(error) from None
            event = session.heard(message)
            if event is not None:
                return event

    def __iter__(self) -> Iterator[wire.SessionEvent]:
        """All that is heard. Ends by raising what the end means."""
        while True:
            event = self.receive()
            if event is not None:
                yield event

    def _send(self, message: str | bytes) -> None:
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415  # an extra

        try:
            self._connection.send(message)
        except ConnectionClosed as error:
            raise ended(error) from None


@contextmanager
def opened(url: str, headers: Mapping[str, str]) -> Iterator[Session]:
    """Raises InvalidRequest without websockets, and what a refused connection means."""
    try:
        from websockets.exceptions import InvalidHandshake  # noqa: PLC0415  # an extra
        from websockets.sync.client import connect  # noqa: PLC0415
    except ImportError:
        raise InvalidRequest(session.NEEDS) from None
    try:
        connection = connect(url, additional_headers=dict(headers), open_timeout=LONGEST_CONNECT_S, max_size=None, user_agent_header=None)
    except (OSError, TimeoutError, InvalidHandshake) as error:
        raise refused(url, error) from error
    with connection:
        yield Session(connection)
