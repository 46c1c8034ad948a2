"""From the handle to the model: what a caller has left travels along, and who leaves takes their work out of every queue."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import cast

import pytest
from ray import serve
from ray.serve.handle import DeploymentHandle

from deployments.eye import AskedFrame, Eye
from deployments.remote.detector import CoalescedDetector
from deployments.remote.entries import all_together
from deployments.remote.errors import CallerGone
from deployments.remote.openai import RemoteOpenAI
from deployments.remote.postbox import Postbox
from deployments.remote.writer import RemoteWriter
from deployments.replicas import WriterReplica
from deployments.settings import CoalesceSettings
from graphs.errors import DeadlineExceeded
from graphs.flow import deadline_within, remaining_s
from models.language.openai_types import Kind, Usage
from models.types import FrameDetections, Prompt, TextDelta
from models.vision.detector import ProductDetector

PROMPT = Prompt((("user", "hi"),))


@dataclass
class Engine:
    """A writer that never comes to an end by itself; `ended` counts those who went."""

    ended: int = 0

    async def write(self, prompt: Prompt) -> AsyncGenerator[TextDelta, None]:
        async with aclosing(self._endless()) as words:
            async for word in words:
                yield TextDelta(word, 1)

    async def generate(self, kind: Kind, body: bytes) -> AsyncGenerator[str | Usage, None]:
        async with aclosing(self._endless()) as words:
            async for word in words:
                yield word

    async def _endless(self) -> AsyncGenerator[str, None]:
        try:
            while True:
                yield "word "
                await asyncio.sleep(0.005)
        finally:
            self.ended += 1

    @property
    def openai(self) -> "Engine":
        return self


ENGINE = Engine()


class EndlessWriter(WriterReplica):
    """The real shell around an engine that is none."""

    async def reconfigure(self, config: dict[str, object]) -> None:
        self._model = ENGINE  # type: ignore[assignment]  # has what the shell asks of a writer here


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    ENGINE.ended = 0
    return ENGINE


@pytest.fixture
async def handle(engine: Engine) -> DeploymentHandle:
    def started() -> DeploymentHandle:
        made = serve.run(serve.deployment(EndlessWriter).bind(), name="Writer", route_prefix=None, _local_testing_mode=True)
        made.reconfigure.remote({}).result()
        return made

    return await asyncio.to_thread(started)


async def ended(engine: Engine) -> None:
    async with asyncio.timeout(20):
        while not engine.ended:  # noqa: ASYNC110  # another thread counts
            await asyncio.sleep(0.005)


async def test_closing_a_text_ends_it_in_the_engine(handle: DeploymentHandle, engine: Engine) -> None:
    async with aclosing(RemoteWriter(handle).write(PROMPT)) as deltas:
        assert (await anext(deltas)).text == "word "
    await ended(engine)


async def test_a_cancelled_reader_ends_it_in_the_engine(handle: DeploymentHandle, engine: Engine) -> None:
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in RemoteWriter(handle).write(PROMPT):
            begun.set()

    reader = asyncio.create_task(read())
    await asyncio.wait_for(begun.wait(), 20)
    reader.cancel()
    with pytest.raises((asyncio.CancelledError, CallerGone)):  # the second is what local testing makes of the first
        await reader
    await ended(engine)


async def test_the_replica_ends_a_text_at_the_caller_s_deadline(handle: DeploymentHandle, engine: Engine) -> None:
    with deadline_within(0.2), pytest.raises(DeadlineExceeded):
        async for _ in RemoteWriter(handle).write(PROMPT):
            pass
    await ended(engine)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_in_openai_s_protocol_ends_at_its_deadline(handle: DeploymentHandle, engine: Engine, *, stream: bool) -> None:
    postbox = await Postbox().open()
    try:
        with pytest.raises(DeadlineExceeded):
            async for _ in RemoteOpenAI(handle, postbox).generate("chat", b"{}", stream=stream, timeout_s=0.2):
                pass
    finally:
        await postbox.close()
    await ended(engine)


async def test_leaving_a_call_in_openai_s_protocol_ends_it_in_the_engine(handle: DeploymentHandle, engine: Engine) -> None:
    postbox = await Postbox().open()
    try:
        async with aclosing(RemoteOpenAI(handle, postbox).generate("chat", b"{}", stream=True, timeout_s=60.0)) as pieces:
            assert await anext(pieces)
        await ended(engine)
    finally:
        await postbox.close()


# --- the detector's queue ------------------------------------------------------------------------------------------------


@dataclass
class Model:
    """A detector that looks when its gate is open."""

    match_threshold: float = 0.5
    categories: tuple[str, ...] = ("product",)
    batches: list[list[bytes]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def detect(self, frames: Sequence[bytes], limits: Sequence[float | None]) -> list[FrameDetections]:
        self.batches.append(list(frames))
        self.gate.wait(20)
        return [FrameDetections(1, 1, ()) for _ in frames]


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def eye(model: Model) -> Eye:
    return Eye(cast("ProductDetector", model), "tag")


async def looking(model: Model) -> None:
    async with asyncio.timeout(20):
        while not model.batches:  # noqa: ASYNC110  # a thread says so
            await asyncio.sleep(0.001)


async def test_a_batch_whose_callers_have_left_is_never_looked_at(eye: Eye, model: Model) -> None:
    """In a replica: calls queue before its one thread, and a cancelled one goes out of the queue."""
    first = asyncio.create_task(eye.detect([AskedFrame(b"first")]))
    await looking(model)
    left, stays = (asyncio.create_task(eye.detect([AskedFrame(frame)])) for frame in (b"left", b"stays"))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    model.gate.set()
    await asyncio.gather(first, stays)
    assert model.batches == [[b"first"], [b"stays"]]


async def test_a_batch_whose_time_is_over_is_never_looked_at(eye: Eye, model: Model) -> None:
    first = asyncio.create_task(eye.detect([AskedFrame(b"first")]))
    await looking(model)
    late = await all_together([AskedFrame(b"late")] * 2, [0.01, 0.02], eye.detect)
    assert [type(answer) for answer in late] == [DeadlineExceeded] * 2
    model.gate.set()
    await first
    await eye.detect([AskedFrame(b"next")])
    assert model.batches == [[b"first"], [b"next"]]


async def test_a_frame_whose_caller_has_left_is_not_in_the_next_batch(eye: Eye, model: Model) -> None:
    """In the ingress: before frames travel, or are looked at, together."""
    detector = CoalescedDetector.local(eye, CoalesceSettings())
    first = asyncio.create_task(detector.detect(b"first"))
    await looking(model)
    callers = [asyncio.create_task(detector.detect(frame)) for frame in (b"a", b"b", b"c")]
    await asyncio.sleep(0)
    callers[1].cancel()
    await asyncio.sleep(0)
    model.gate.set()
    await asyncio.gather(first, *callers, return_exceptions=True)
    assert model.batches == [[b"first"], [b"a", b"c"]]


async def test_a_replica_knows_what_each_caller_has_left() -> None:
    async def left(values: Sequence[int]) -> list[float]:
        return [remaining_s() for _ in values]

    [told_s] = await all_together([1], [5.0], left)
    assert isinstance(told_s, float)
    assert 0 < told_s <= 5
