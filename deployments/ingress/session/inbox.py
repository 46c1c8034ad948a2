"""What comes in over a session: text to checked messages, and frames of which only the newest waits."""

import asyncio
from dataclasses import dataclass

import orjson
from pydantic import TypeAdapter, ValidationError

from deployments.ingress.errors import from_validation
from deployments.ingress.frames import checked_picture, decode_base64
from graphs.errors import InvalidRequest
from livecart_client import wire

MAX_COMMAS = 10_000  # parsing holds the event loop for as long as there are values; a comment of nothing but commas has 2,000
_MESSAGE: TypeAdapter[wire.SessionFrame | wire.SessionComment | wire.SessionPing] = TypeAdapter(wire.SessionMessage)
_TYPES = frozenset({"frame", "comment", "ping"})
_ID: TypeAdapter[str] = TypeAdapter(wire.Identifier)


@dataclass(frozen=True, slots=True)
class BadComment:
    """A comment with a field that is not as it should be: the fault of who wrote it rather than of who relays it."""

    comment_id: str | None  # None where that is the bad field
    error: InvalidRequest


def read_message(text: str) -> wire.SessionFrame | wire.SessionComment | wire.SessionPing | BadComment:
    """A text message by the letter. Raises InvalidRequest that names the field for what means nothing."""
    if text.count(",") > MAX_COMMAS:
        raise InvalidRequest(f"the message has more than {MAX_COMMAS} values")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"the message is not valid JSON: {error.msg}") from None
    if not isinstance(value, dict):
        raise InvalidRequest("a message must be a JSON object with a `type`")
    try:
        return _MESSAGE.validate_python(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        refusal = from_validation([{**finding, "loc": _within_message(finding["loc"])} for finding in found])
        if value.get("type") == "comment":
            return BadComment(_valid_id(value.get("comment_id")), refusal)
        raise refusal from None


def _valid_id(value: object) -> str | None:
    try:
        return _ID.validate_python(value)
    except ValidationError:
        return None


def _within_message(location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Without the name of the union's member that pydantic puts first; of a message that has none, its `type`."""
    if not location:
        return ("type",)
    return location[1:] if location[0] in _TYPES else location


@dataclass(frozen=True, slots=True)
class Frame:
    content: bytes | str  # the picture, or base64 of it: decoded when it is its turn
    came_at_s: float

    async def picture(self) -> bytes:
        """Raises InvalidRequest or UnsupportedMedia."""
        return checked_picture(self.content if isinstance(self.content, bytes) else await decode_base64(self.content))


class Newest:
    """A place for one frame: a newer one takes it over, and the older is counted as dropped."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._came = asyncio.Event()
        self.dropped = 0

    def put(self, frame: Frame) -> bool:
        """Whether a frame was dropped for this one."""
        drops = self._frame is not None
        self.dropped += drops
        self._frame = frame
        self._came.set()
        return drops

    async def wait(self) -> None:
        """Until there is a frame."""
        await self._came.wait()

    def take(self) -> Frame:
        """The newest frame, which is kept no longer. For who has waited for it, one at a time."""
        if self._frame is None:
            raise LookupError("no frame waits")
        self._came.clear()
        frame, self._frame = self._frame, None
        return frame
