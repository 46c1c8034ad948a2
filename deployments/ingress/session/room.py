"""A room session from its first message to its close code."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime

from starlette.websockets import WebSocket, WebSocketDisconnect

from deployments.ingress.errors import from_model_input
from deployments.ingress.ports import Gateway
from deployments.ingress.session.displays import DisplayLog
from deployments.ingress.session.inbox import Frame, Newest, read_message
from deployments.ingress.session.outbox import Outbox
from deployments.telemetry import Telemetry
from graphs.answer import AnswerRequest
from graphs.displays import RENEW_S, DisplayWriter
from graphs.errors import Internal, LivecartError, NotFound, Overloaded, PayloadTooLarge
from graphs.flow import Run
from graphs.recognize import RecognizeReply, RecognizeRequest
from graphs.watching import Update, Watch
from livecart_client import wire
from models.types import ModelInputError, ProductId, RoomId, ViewerId

log = logging.getLogger("livecart.session")

MIB = 1024 * 1024
MOST_GARBAGE = 5  # messages in a row that mean nothing
SILENCE_S = 10.0  # without a frame that could be looked at nothing counts as shown any more
LEFT = 1000
GARBAGE, TOO_LARGE = 1003, 1009
UNKNOWN_ROOM = 4404


class RoomSession:
    """Frames are looked at one at a time, the newest next; comments are answered one at a time, in order."""

    def __init__(self, websocket: WebSocket, gateway: Gateway, room_id: RoomId, telemetry: Telemetry, clock: Callable[[], float]) -> None:
        self._websocket = websocket
        self._gateway = gateway
        self._room_id = room_id
        self._telemetry = telemetry
        self._clock = clock
        self._started_s = clock()
        self._limits = gateway.limits
        self._out = Outbox(websocket)
        self._frames = Newest()
        self._comments: asyncio.Queue[wire.SessionComment] = asyncio.Queue(self._limits.max_comments)
        self._garbage = 0
        self._watch = Watch()
        self._seen_s = 0.0  # when the newest frame came that could be looked at
        self._renewed_s = 0.0
        self._on_screen: tuple[ProductId, ...] = ()
        self._size = wire.FrameSize(width=0, height=0)
        self._log = DisplayLog(gateway.store)
        self._writer = DisplayWriter(room_id, secrets.token_hex(8), datetime.now(UTC))
        self._over: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run(self) -> int:
        """Serve until the caller leaves or `end`; returns the close code, which has been sent unless the caller has left.

        Raises WebSocketDisconnect when the caller left while something was sent.
        """
        try:
            async with asyncio.TaskGroup() as group:
                work = [group.create_task(part()) for part in (self._read, self._look, self._answer, self._log.run)]
                code = await self._over
                for task in work:
                    task.cancel()
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            self._note(self._watch.close(self._now_s()))
            await self._log.flush()
        await self._out.close(code, "")
        return code

    def end(self, code: int) -> None:
        """Close the session; of several codes the first counts."""
        if not self._over.done():
            self._over.set_result(code)

    def _now_s(self) -> float:
        return self._clock() - self._started_s

    # --- in ------------------------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                self.end(LEFT)
                return
            content = message.get("bytes")
            content = message.get("text", "") if content is None else content
            if len(content) > self._limits.max_message_mib * MIB:
                await self._out.error(PayloadTooLarge(f"a message may have {self._limits.max_message_mib:g} MiB"))
                self.end(TOO_LARGE)
                return
            await self._take(content)
            await asyncio.sleep(0)  # a caller who sends without a pause must not hold the event loop

    async def _take(self, content: bytes | str) -> None:
        if isinstance(content, bytes):
            self._keep(Frame(content, self._now_s()))
            return
        try:
            message = read_message(content)
        except LivecartError as error:
            await self._out.error(error)
            self._garbage += 1
            if self._garbage >= MOST_GARBAGE:
                self.end(GARBAGE)
            return
        self._garbage = 0
        match message:
            case wire.SessionFrame():
                self._keep(Frame(message.base64, self._now_s()))
            case wire.SessionComment():
                await self._queue(message)
            case wire.SessionPing():
                await self._out.send(wire.SessionPong(dropped=self._frames.dropped))

    def _keep(self, frame: Frame) -> None:
        if self._frames.put(frame):
            self._telemetry.session_frame("dropped")

    async def _queue(self, comment: wire.SessionComment) -> None:
        try:
            self._comments.put_nowait(comment)
        except asyncio.QueueFull:
            waiting = self._comments.qsize()
            error = Overloaded(f"comment `{comment.comment_id}` is not answered: {waiting} comments of this session wait already")
            await self._out.error(error, comment_id=comment.comment_id)

    # --- frames --------------------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        while True:
            frame = await self._next_frame()
            if frame is not None:
                await self._look_at(frame)
            if self._watch.showing and self._now_s() - self._seen_s >= SILENCE_S:
                await self._report(self._watch.close(self._now_s()))

    async def _next_frame(self) -> Frame | None:
        """None when there was none for so long that what is shown may have changed."""
        try:
            async with asyncio.timeout(SILENCE_S if self._watch.showing else None):
                return await self._frames.take()
        except TimeoutError:
            return None

    async def _look_at(self, frame: Frame) -> None:
        try:
            asked = RecognizeRequest(await frame.picture(), self._room_id)
            run = await self._gateway.run("recognize", asked, budget_s=self._limits.default_deadline_s)
        except Exception as error:  # noqa: BLE001  # whatever it is costs this frame only
            await self._frame_failed(error)
            return
        self._telemetry.session_frame("seen")
        seen: RecognizeReply = run.output
        self._size = wire.FrameSize.model_validate(seen.frame)
        self._seen_s = frame.came_at_s
        await self._report(self._watch.see(seen, frame.came_at_s))

    async def _frame_failed(self, error: Exception) -> None:
        self._telemetry.session_frame("failed")
        await self._out.error(told(error))
        if isinstance(error, NotFound) and error.param == "room_id":
            self.end(UNKNOWN_ROOM)

    async def _report(self, update: Update) -> None:
        self._note(update)
        self._on_screen = tuple(dict.fromkeys(seen.matches[0].product_id for seen in update.products if seen.matches))
        if update.changed:
            products = [wire.SeenProduct.model_validate(seen) for seen in update.products]
            await self._out.send(wire.SessionProducts(frame=self._size, products=products, dropped=self._frames.dropped))

    def _note(self, update: Update) -> None:
        events = [*map(self._writer.begun, update.began), *map(self._writer.ended, update.shown)]
        now_s = self._now_s()
        if now_s - self._renewed_s >= RENEW_S:
            self._renewed_s = now_s
            begun = {showing.order for showing in update.began}
            events += [self._writer.still_on(showing, now_s) for showing in self._watch.showing if showing.order not in begun]
        if events:
            self._log.note(events)

    # --- comments ------------------------------------------------------------------------------------------------------------

    async def _answer(self) -> None:
        while True:
            comment = await self._comments.get()
            try:
                await self._reply(comment)
            except WebSocketDisconnect:
                raise
            except Exception as error:  # noqa: BLE001  # whatever it is costs this comment only
                await self._out.error(told(error), comment_id=comment.comment_id)

    async def _reply(self, comment: wire.SessionComment) -> None:
        viewer_id = ViewerId(comment.viewer_id)
        asked = AnswerRequest(comment.text, self._room_id, viewer_id=viewer_id, on_screen=self._on_screen)
        async with aclosing(self._gateway.stream("answer", asked, budget_s=self._limits.default_deadline_s)) as steps:
            async for step in steps:
                if isinstance(step, Run):
                    answer = wire.AnswerReply.model_validate(step.output).model_dump() | {"degraded": step.degraded}
                    await self._out.send(wire.SessionReply(comment_id=comment.comment_id, **answer))
                elif step.text:
                    await self._out.send(wire.SessionReplyToken(comment_id=comment.comment_id, text=step.text))


def told(error: Exception) -> LivecartError:
    """What the caller is told; of a failure that is ours only that there was one."""
    if isinstance(error, LivecartError):
        return error
    if isinstance(error, ModelInputError):
        return from_model_input(error)
    log.error("unexpected failure in a room session", exc_info=error)
    return Internal("something went wrong here; the log has it under the session's request id")
