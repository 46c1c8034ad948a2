"""Server-sent events of a streamed answer: tokens, then `done` with the whole reply, or `error`."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from pydantic import ValidationError

from livecart_client import wire
from livecart_client.core.replies import error_from
from livecart_client.errors import UnexpectedReply, Unreachable

R = TypeVar("R")


class _Token(wire.Reply):
    text: str


class EventDecoder:
    """Bytes in any pieces to (event, data); lines end with LF or CRLF, as the server and proxies send them."""

    def __init__(self) -> None:
        self._rest = b""
        self._event = ""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[tuple[str, bytes]]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            yield from self._line(line.removesuffix(b"\r"))

    def _line(self, line: bytes) -> Iterator[tuple[str, bytes]]:
        if line:
            name, _, value = line.partition(b":")
            self._field(name, value.removeprefix(b" "))
            return
        if self._data:
            yield self._event or "message", b"\n".join(self._data)
        self._event, self._data = "", []

    def _field(self, name: bytes, value: bytes) -> None:
        if name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"data":
            self._data.append(value)


class StreamReader(Generic[R]):
    """Tokens of a stream as they come; `reply` once `finish` found that it came to its end."""

    def __init__(self, parse: Callable[[bytes], R], request_id: str | None = None) -> None:
        self._parse = parse
        self._request_id = request_id
        self._events = EventDecoder()
        self._replies: list[R] = []

    def feed(self, piece: bytes) -> Iterator[str]:
        """Raises the error that the server ends the stream with, and UnexpectedReply for what is no event of this API."""
        for event, data in self._events.feed(piece):
            try:
                yield from self._tokens(event, data)
            except ValidationError as error:
                message = f"the stream's event `{event}` is not one of this API ({error.error_count()} faults)"
                raise UnexpectedReply(message, request_id=self._request_id) from None

    def finish(self) -> R:
        """The whole reply. Raises Unreachable for a stream that broke off."""
        if not self._replies:
            raise Unreachable("the stream broke off before its last event", request_id=self._request_id)
        return self._replies[0]

    def _tokens(self, event: str, data: bytes) -> Iterator[str]:
        if event == "token":
            yield _Token.model_validate_json(data).text
        elif event == "done":
            self._replies.append(self._parse(data))
        elif event == "error":
            raise error_from(wire.ErrorReply.model_validate_json(data).error, request_id=self._request_id)
