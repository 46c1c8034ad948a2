"""One room's session as a backend plays it: a frame a second, comments meanwhile, and when what came back."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.sessions.world import Chat, Film

PING = '{"type": "ping"}'


@dataclass(slots=True)
class Change:
    """A frame that shows another product than the one before it."""

    product_id: str
    sent_s: float
    told_ms: float | None = None  # until `products` named it; None: never, or another product came before


@dataclass(slots=True)
class Heard:
    """What all rooms together sent and got."""

    frames: int = 0
    dropped: int = 0  # as the sessions say, at their end
    failed: int = 0  # frames that got an error
    changes: list[Change] = field(default_factory=list)
    asked: dict[str, float] = field(default_factory=dict)  # comments without a reply or error so far, and when they were sent
    comments: int = 0
    twice: int = 0  # a second reply or error to one comment, or one to none
    replies: Counter[str] = field(default_factory=Counter)  # by source, or by the code of the error
    reply_ms: list[float] = field(default_factory=list)
    recommendations: int = 0
    closed: Counter[str] = field(default_factory=Counter)  # sessions that the server ended, by code

    def outcome(self, comment_id: str, what: str, now_s: float) -> None:
        """A reply or an error to a comment."""
        sent_s = self.asked.pop(comment_id, None)
        if sent_s is None:
            self.twice += 1
            return
        self.replies[what] += 1
        self.reply_ms.append(1e3 * (now_s - sent_s))


class RoomPlayer:
    """Raises OSError when the server does not take the session."""

    def __init__(self, url: str, room_id: str, heard: Heard, headers: dict[str, str]) -> None:
        self.room_id = room_id
        self._url = f"{url.replace('http', 'ws', 1)}/v1/rooms/{room_id}/session"
        self._heard = heard
        self._headers = headers
        self._change: Change | None = None
        self._said: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._pong = asyncio.Event()

    def say(self, comment: dict[str, str]) -> None:
        self._heard.comments += 1
        self._heard.asked[comment["comment_id"]] = time.monotonic()
        self._said.put_nowait(comment)

    async def play(self, film: Film, start: int, *, seconds: float, over: asyncio.Event, patience_s: float) -> None:
        """Frames for so long, then wait for the last comment and for what is not answered. JPEGs are not compressed once more."""
        try:
            async with (
                connect(self._url, compression=None, additional_headers=self._headers, max_queue=None) as socket,
                asyncio.TaskGroup() as group,
            ):
                hearing = group.create_task(self._hear(socket))
                saying = group.create_task(self._say(socket))
                await self._show(socket, film.from_second(start), seconds)
                await over.wait()
                await self._all_answered(patience_s)
                await socket.send(PING)
                async with asyncio.timeout(patience_s):
                    await self._pong.wait()
                saying.cancel()
                hearing.cancel()
        except* (ConnectionClosed, TimeoutError) as group_error:
            for error in group_error.exceptions:
                self._heard.closed[str(error) or type(error).__name__] += 1

    async def _show(self, socket: ClientConnection, stills: Iterator[Any], seconds: float) -> None:
        began_s, before = time.monotonic(), None
        for number, still in enumerate(stills):
            due_s = began_s + number
            if number >= seconds:
                return
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            if still.product_id is not None and still.product_id != before:
                before = still.product_id
                self._change = Change(still.product_id, time.monotonic())
                self._heard.changes.append(self._change)
            await socket.send(still.picture)
            self._heard.frames += 1

    async def _all_answered(self, patience_s: float) -> None:
        """At most so long."""
        ends = time.monotonic() + patience_s
        while time.monotonic() < ends and self._waits:  # noqa: ASYNC110  # the benchmark has the time
            await asyncio.sleep(0.2)

    @property
    def _waits(self) -> bool:
        return any(comment_id.startswith(f"{self.room_id}-") for comment_id in self._heard.asked)

    async def _say(self, socket: ClientConnection) -> None:
        while True:
            await socket.send(json.dumps(await self._said.get()))

    async def _hear(self, socket: ClientConnection) -> None:
        async for text in socket:
            message, now_s = json.loads(text), time.monotonic()
            match message["type"]:
                case "products":
                    self._shown(message, now_s)
                case "reply":
                    self._heard.outcome(message["comment_id"], message["source"], now_s)
                case "error" if message["comment_id"] is not None:
                    self._heard.outcome(message["comment_id"], message["error"]["code"], now_s)
                case "error":
                    self._heard.failed += 1
                case "recommendations":
                    self._heard.recommendations += 1
                case "pong":
                    self._heard.dropped += message["dropped"]
                    self._pong.set()

    def _shown(self, message: dict[str, Any], now_s: float) -> None:
        named = {seen["matches"][0]["product_id"] for seen in message["products"] if seen["matches"]}
        change = self._change
        if change is not None and change.told_ms is None and change.product_id in named:
            change.told_ms = 1e3 * (now_s - change.sent_s)


async def chatter(players: list[RoomPlayer], chat: Chat, *, per_s: float, seconds: float) -> None:
    """Comments at an even rate, each into the next room of the row."""
    began_s = time.monotonic()
    for number in range(round(per_s * seconds)):
        await asyncio.sleep(max(0.0, began_s + number / per_s - time.monotonic()))
        player = players[number * 7919 % len(players)]
        player.say(chat.comment(player.room_id))
