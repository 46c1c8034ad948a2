"""A session's comments: answered one at a time, in order; one that finds the queue full is told so."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from starlette.websockets import WebSocketDisconnect

from deployments.ingress.ports import Gateway
from deployments.ingress.session.outbox import Outbox, told
from graphs.answer import AnswerRequest
from graphs.errors import Overloaded
from graphs.flow import Run
from livecart_client import wire
from models.types import ProductId, RoomId, ViewerId


class Voice:
    """`on_screen`: what comments are taken to be about unless they name something else."""

    def __init__(self, gateway: Gateway, room_id: RoomId, out: Outbox, on_screen: Callable[[], tuple[ProductId, ...]]) -> None:
        self._gateway = gateway
        self._room_id = room_id
        self._out = out
        self._on_screen = on_screen
        self._comments: asyncio.Queue[wire.SessionComment] = asyncio.Queue(gateway.limits.max_comments)

    async def ask(self, comment: wire.SessionComment) -> None:
        """Queue a comment, or say that it stays without an answer."""
        try:
            self._comments.put_nowait(comment)
        except asyncio.QueueFull:
            waiting = self._comments.qsize()
            error = Overloaded(f"comment `{comment.comment_id}` is not answered: {waiting} comments of this session wait already")
            await self._out.error(error, comment_id=comment.comment_id)

    async def answer(self) -> None:
        """Answer what is queued, until cancelled."""
        while True:
            comment = await self._comments.get()
            try:
                await self._reply(comment)
            except WebSocketDisconnect:
                raise
            except Exception as error:  # noqa: BLE001  # whatever it is costs this comment only
                await self._out.error(told(error), comment_id=comment.comment_id)

    async def _reply(self, comment: wire.SessionComment) -> None:
        asked = AnswerRequest(comment.text, self._room_id, viewer_id=ViewerId(comment.viewer_id), on_screen=self._on_screen())
        async with aclosing(self._gateway.stream("answer", asked, budget_s=self._gateway.limits.default_deadline_s)) as steps:
            async for step in steps:
                if isinstance(step, Run):
                    answer = wire.AnswerReply.model_validate(step.output).model_dump() | {"degraded": step.degraded}
                    await self._out.send(wire.SessionReply(comment_id=comment.comment_id, **answer))
                elif step.text:
                    await self._out.send(wire.SessionReplyToken(comment_id=comment.comment_id, text=step.text))
