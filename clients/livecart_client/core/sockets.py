"""What the errors of the websockets package mean. It is an extra: nothing here imports it."""

from typing import Protocol

from livecart_client.core import session
from livecart_client.core.replies import HttpReply, error_of
from livecart_client.errors import LivecartError, Unreachable


class CloseFrame(Protocol):
    code: int
    reason: str


class Closed(Protocol):
    """websockets' ConnectionClosed."""

    @property
    def rcvd(self) -> CloseFrame | None: ...


def ended(error: Closed) -> LivecartError:
    """What a closed connection means."""
    said = error.rcvd
    return session.ended(None, "") if said is None else session.ended(said.code, said.reason)


def refused(url: str, error: Exception) -> LivecartError:
    """What a connection that could not be made means: the server's HTTP answer, if there was one."""
    response = getattr(error, "response", None)
    if response is None:
        return Unreachable(f"{url} failed: {error or type(error).__name__}")
    headers = {name.lower(): value for name, value in response.headers.raw_items()}
    return error_of(HttpReply(response.status_code, headers, response.body or b""))
