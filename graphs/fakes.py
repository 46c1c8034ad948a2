"""Public fakes of the ports: small, in memory, deterministic. For tests of graphs and of whatever stands above them."""

import asyncio
import base64
import codecs
import re
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from graphs.reading.characters import HAN
from models.types import (
    Candidate,
    Detection,
    Event,
    FrameDetections,
    Label,
    Match,
    Passage,
    Product,
    ProductId,
    Prompt,
    Ranked,
    RankedRoom,
    RankRequest,
    Room,
    RoomId,
    TextDelta,
    Vectors,
    ViewerId,
)


@dataclass
class FakeDetector:
    """Sees, in every frame, one product in the upper left quarter whose embedding is the first axis."""

    dim: int = 4
    delay_s: float = 0.0
    failure: Exception | None = None

    async def detect(self, frame: bytes, min_score: float | None = None) -> FrameDetections:
        await asyncio.sleep(self.delay_s)
        if self.failure is not None:
            raise self.failure
        axis = np.eye(1, self.dim, dtype=np.float32)[0]
        seen = Detection((0.0, 0.0, 320.0, 240.0), 0.9, "product", axis)
        return FrameDetections(640, 480, (seen,) if min_score is None or seen.score >= min_score else ())


@dataclass
class FakeRetriever:
    """PictureIndex, Knowledge, Candidates and RoomRanker over whatever it was given, in the order given."""

    enrolled: tuple[Match, ...] = ()
    known: tuple[Passage, ...] = ()
    behaviour: tuple[Candidate, ...] = ()
    content: tuple[Candidate, ...] = ()
    taste: tuple[Candidate, ...] = ()
    failure: Exception | None = None

    async def match(self, embeddings: Vectors, *, among: frozenset[ProductId] | None, top_k: int) -> list[tuple[Match, ...]]:
        self._fail()
        found = tuple(m for m in self.enrolled if among is None or m.product_id in among)[:top_k]
        return [found for _ in embeddings]

    async def passages(self, query: str, *, products: frozenset[ProductId] | None, k: int) -> tuple[Passage, ...]:
        self._fail()
        return tuple(p for p in self.known if products is None or p.product_id is None or p.product_id in products)[:k]

    async def by_behaviour(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        self._fail()
        return tuple(c for c in self.behaviour if c.product_id not in exclude)[:k]

    async def by_content(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        self._fail()
        return tuple(c for c in self.content if c.product_id not in exclude)[:k]

    async def by_taste(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        self._fail()
        return tuple(c for c in self.taste if c.product_id not in exclude)[:k]

    async def rank_rooms(self, history: Sequence[Event], live: Sequence[Room], *, k: int) -> tuple[RankedRoom, ...]:
        self._fail()
        return tuple(RankedRoom(room.room_id, 1.0 / rank, (("popular", 1.0 / rank),)) for rank, room in enumerate(live[:k], start=1))

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


@dataclass
class FakeRanker:
    """Scores a candidate by its place."""

    failure: Exception | None = None

    async def rank(self, request: RankRequest) -> tuple[Ranked, ...]:
        if self.failure is not None:
            raise self.failure
        first = {c.product_id: c for c in reversed(request.candidates)}
        ordered = [first[p] for p in dict.fromkeys(c.product_id for c in request.candidates)]
        return tuple(Ranked(c.product_id, 1 / i, 1 / i, 0.0, 0.0, ((c.source, c.because, 1 / i),)) for i, c in enumerate(ordered, start=1))


@dataclass
class FakeComprehension:
    intents: Mapping[str, str] = field(default_factory=dict)  # text -> label; others are `spec`

    async def intent(self, text: str) -> Label:
        return Label(self.intents.get(text, "spec"), 1.0)

    async def sentiment(self, text: str) -> Label:
        return Label("neutral", 1.0)


@dataclass
class FakeSegmenter:
    """Cuts Chinese after every second character."""

    failure: Exception | None = None

    async def words(self, text: str) -> tuple[str, ...]:
        if self.failure is not None:
            raise self.failure
        return tuple(re.findall(rf"[{HAN}]{{1,2}}|[a-z0-9']+", text.lower()))


@dataclass
class FakeWriter:
    """Says its texts, one a request, word by word; remembers prompts, words said and generations that were closed early."""

    texts: tuple[str, ...] = ("",)
    delay_s: float = 0.0
    failure: Exception | None = None
    prompts: list[Prompt] = field(default_factory=list)
    said: int = 0
    aborted: int = 0

    async def write(self, prompt: Prompt) -> AsyncGenerator[TextDelta, None]:
        if self.failure is not None:
            raise self.failure
        text = self.texts[min(len(self.prompts), len(self.texts) - 1)]
        self.prompts.append(prompt)
        finished = False
        try:
            for word in _pieces(text):
                await asyncio.sleep(self.delay_s)
                self.said += 1
                yield TextDelta(word, 1)
            yield TextDelta("", 0, "stop")
            finished = True
        finally:
            self.aborted += not finished


@dataclass
class ObeyingWriter:
    """The worst writer there can be: says what an attacker wants, word for word, when the attacker's words (`heeds`) reach it.

    `[[system]]` and `[[prompt]]` in `says` become what it was told, `[[base64]]` and `[[rot13]]` its instructions so written.
    """

    says: str
    heeds: str = ""
    prompts: list[Prompt] = field(default_factory=list)

    async def write(self, prompt: Prompt) -> AsyncGenerator[TextDelta, None]:
        self.prompts.append(prompt)
        told = "\n".join(content for _, content in prompt.messages)
        system = prompt.messages[0][1]
        encoded = base64.b64encode(system.encode()).decode()
        shown = {"system": system, "prompt": told, "base64": encoded, "rot13": codecs.encode(system, "rot13")}
        text = self.says if self.heeds in told else ""
        for name, hidden in shown.items():
            text = text.replace(f"[[{name}]]", hidden)
        for piece in _pieces(text):
            await asyncio.sleep(0)
            yield TextDelta(piece, 1)
        yield TextDelta("", 0, "stop")


def _pieces(text: str, size: int = 3) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


@dataclass
class FakeShop:
    """Catalog and Viewers over what it was given."""

    stocked: tuple[Product, ...] = ()
    rooms: tuple[Room, ...] = ()
    events: tuple[Event, ...] = ()

    async def products(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        return {p.product_id: p for p in self.stocked if p.product_id in product_ids}

    async def room(self, room_id: RoomId) -> Room | None:
        return next((room for room in self.rooms if room.room_id == room_id), None)

    async def live_rooms(self) -> tuple[Room, ...]:
        return tuple(room for room in self.rooms if room.live)

    async def history(self, viewer_id: ViewerId, *, limit: int) -> tuple[Event, ...]:
        return tuple(e for e in self.events if e.viewer_id == viewer_id and e.type != "display")[-limit:]

    async def visits(self, viewer_id: ViewerId, *, limit: int) -> tuple[Event, ...]:
        return tuple(e for e in self.events if e.viewer_id == viewer_id and e.type in {"enter", "watch"})[-limit:]

    async def displays(self, host: ViewerId, *, limit: int) -> tuple[Event, ...]:
        return tuple(e for e in self.events if e.viewer_id == host and e.type == "display")[-limit:]
