"""A session's comments: answered in order, those that ask the same together; one that cannot be answered is told so by name."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from starlette.websockets import WebSocketDisconnect

from deployments.ingress.session.around import Surroundings
from deployments.ingress.session.memory import taken
from deployments.ingress.session.outbox import Outbox, told
from graphs.answer import AnswerRequest
from graphs.errors import LivecartError, Overloaded
from graphs.flow import Run
from graphs.reading.asking import spread
from livecart_client import wire
from models.types import ProductId, ViewerId

Question = tuple[str, tuple[ProductId, ...]]  # without marks and letter case, and what was on screen when it was asked


class Voice:
    """`on_screen`: what comments are taken to be about unless they name something else. `on_reply` hears whose comment was answered."""

    def __init__(
        self, around: Surroundings, out: Outbox, on_screen: Callable[[], tuple[ProductId, ...]], on_reply: Callable[[ViewerId], None]
    ) -> None:
        self._around = around
        self._out = out
        self._on_screen = on_screen
        self._on_reply = on_reply
        self._questions: dict[Question, list[wire.SessionComment]] = {}  # in order; the first one is being answered
        self._open: dict[str, wire.SessionComment] = {}  # comments that have neither a reply nor an error
        self._more = asyncio.Event()

    @property
    def unanswered(self) -> tuple[wire.SessionComment, ...]:
        return tuple(self._open.values())

    def forget(self) -> None:
        """The caller has said goodbye: nobody waits for an answer."""
        self._open.clear()

    async def ask(self, comment: wire.SessionComment) -> None:
        """Queue a comment, or say that it stays without an answer. One that was answered lately gets that reply again."""
        if self._open.get(comment.comment_id) == comment:
            return  # sent twice: it will be answered
        try:
            before = self._before(comment)
            if before is None:
                self._admit(comment)
        except LivecartError as error:
            await self._out.error(error, comment_id=comment.comment_id)
            return
        if before is not None:
            await self._out.send(before)
            return
        self._open[comment.comment_id] = comment
        question = (spread(comment.text).strip(), self._on_screen())
        self._questions.setdefault(question, []).append(comment)
        self._more.set()

    def _before(self, comment: wire.SessionComment) -> wire.SessionReply | None:
        """The reply that this comment has had. Raises Conflict when its id is another one's."""
        if comment.comment_id in self._open:
            raise taken(comment)
        return self._around.memory.reply(comment)

    def _admit(self, comment: wire.SessionComment) -> None:
        gateway = self._around.gateway
        if len(self._open) >= gateway.limits.max_comments:
            raise Overloaded(f"comment `{comment.comment_id}` is not answered: {len(self._open)} comments of this session wait already")
        gateway.room_rates.comment(self._around.room_id)

    async def answer(self) -> None:
        """Answer what is queued, until cancelled."""
        while True:
            await self._more.wait()
            self._more.clear()
            while self._questions:
                question = next(iter(self._questions))
                await self._answer_all(question)
                del self._questions[question]

    async def _answer_all(self, question: Question) -> None:
        """All who ask this, and those who ask it meanwhile; the writer is asked once."""
        while comments := self._questions[question]:
            self._questions[question] = []
            async with asyncio.TaskGroup() as group:
                for comment in comments:
                    group.create_task(self._settle(comment, question[1]))

    async def _settle(self, comment: wire.SessionComment, on_screen: tuple[ProductId, ...]) -> None:
        """Reply, or say why not."""
        try:
            await self._reply(comment, on_screen)
        except WebSocketDisconnect:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is costs this comment only
            await self._out.error(told(error), comment_id=comment.comment_id)
        self._open.pop(comment.comment_id, None)

    async def _reply(self, comment: wire.SessionComment, on_screen: tuple[ProductId, ...]) -> None:
        gateway, room_id, viewer_id = self._around.gateway, self._around.room_id, ViewerId(comment.viewer_id)
        asked = AnswerRequest(comment.text, room_id, viewer_id=viewer_id, on_screen=on_screen, charged_to=room_id)
        async with aclosing(gateway.stream("answer", asked, budget_s=gateway.limits.default_deadline_s)) as steps:
            async for step in steps:
                if isinstance(step, Run):
                    answer = wire.AnswerReply.model_validate(step.output).model_dump() | {"degraded": step.degraded}
                    reply = wire.SessionReply(comment_id=comment.comment_id, **answer)
                    await self._out.send(reply)
                    self._around.memory.answered(comment, reply)
                    self._on_reply(viewer_id)
                elif step.text:
                    await self._out.send(wire.SessionReplyToken(comment_id=comment.comment_id, text=step.text))
