"""A room session from its first message to its close code."""

import asyncio

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from deployments.ingress.session.advice import Advice
from deployments.ingress.session.around import Surroundings
from deployments.ingress.session.eye import Eye
from deployments.ingress.session.inbox import BadComment, read_message
from deployments.ingress.session.outbox import Outbox
from deployments.ingress.session.voice import Voice
from graphs.errors import LivecartError, PayloadTooLarge
from livecart_client import wire

MIB = 1024 * 1024
MOST_GARBAGE = 5  # messages in a row that mean nothing
# of a caller; any other end is none
GOODBYES = frozenset({wire.SessionClose.DONE, wire.SessionClose.GOING_AWAY, wire.SessionClose.WITHOUT_CODE})
_REASONS: dict[int, str] = {
    wire.SessionClose.GARBAGE: f"{MOST_GARBAGE} messages in a row meant nothing",
    wire.SessionClose.TOO_LARGE: "a message was too large",
    wire.SessionClose.UNAUTHENTICATED: "the key of this session is not valid any more",
    wire.SessionClose.GOING_AWAY: "the server stops",
}


class RoomSession:
    """Reads messages and hands them on; frames and comments are worked on meanwhile."""

    def __init__(self, websocket: WebSocket, around: Surroundings, out: Outbox) -> None:
        self._websocket = websocket
        self._out = out
        self._memory = around.memory
        self._advice = Advice(around, out, lambda: self._eye.on_screen)
        self._eye = Eye(around, out, self._advice.changed)
        self._voice = Voice(around, out, lambda: self._eye.on_screen, self._advice.heard)
        self._max_mib = around.gateway.limits.max_message_mib
        self._garbage = 0
        self._over: asyncio.Future[tuple[int, LivecartError | None]] = asyncio.get_running_loop().create_future()

    async def run(self) -> int:
        """Serve until `end`; returns the close code, which has been sent.

        Raises WebSocketDisconnect with the caller's code when the caller leaves, NotFound when the room is not known any more.
        """
        try:
            await self._resume()
            code, error = await self._work()
        except WebSocketDisconnect as left:
            if left.code in GOODBYES:
                self._voice.forget()
            raise
        finally:
            self._memory.leave(self._voice.unanswered)
            await self._eye.close()
        if error is not None:
            await self._out.error(error)
        await self._out.close(code, _REASONS[code])
        return code

    async def _resume(self) -> None:
        """Go on where a session of this room broke off."""
        await self._eye.resume()
        for comment in self._memory.take():
            await self._voice.ask(comment)

    async def _work(self) -> tuple[int, LivecartError | None]:
        try:
            async with asyncio.TaskGroup() as group:
                parts = (self._read, self._eye.look, self._eye.write, self._voice.answer, self._advice.give)
                work = [group.create_task(part()) for part in parts]
                end = await self._over
                for task in work:
                    task.cancel()
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
        return end

    def end(self, code: wire.SessionClose, error: LivecartError | None = None) -> None:
        """Close the session, after telling the caller of the error; of several ends the first counts."""
        if not self._over.done():
            self._over.set_result((code, error))

    async def _read(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(_code_of(message), message.get("reason"))
            content = message.get("bytes")
            content = message.get("text", "") if content is None else content
            if len(content) > self._max_mib * MIB:
                self.end(wire.SessionClose.TOO_LARGE, PayloadTooLarge(f"a message may have {self._max_mib:g} MiB"))
                return
            if isinstance(content, bytes):
                self._garbage = 0
                self._eye.keep(content)
            else:
                await self._take(content)
            await asyncio.sleep(0)  # a caller who sends without a pause must not hold the event loop

    async def _take(self, text: str) -> None:
        try:
            message = read_message(text)
        except LivecartError as error:
            await self._out.error(error)
            self._garbage += 1
            if self._garbage >= MOST_GARBAGE:
                self.end(wire.SessionClose.GARBAGE)
            return
        self._garbage = 0
        match message:
            case wire.SessionFrame():
                self._eye.keep(message.base64)
            case wire.SessionComment():
                await self._voice.ask(message)
            case BadComment():
                await self._out.error(message.error, comment_id=message.comment_id)
            case wire.SessionPing():
                await self._out.send(wire.SessionPong(dropped=self._eye.dropped))


def _code_of(disconnect: Message) -> int:
    """Uvicorn reports a close frame without a code and a connection that is lost as 1005, of which only the frame has a `reason`."""
    code: int = disconnect.get("code", wire.SessionClose.WITHOUT_CODE)
    return wire.SessionClose.LOST if code == wire.SessionClose.WITHOUT_CODE and disconnect.get("reason") is None else code


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
