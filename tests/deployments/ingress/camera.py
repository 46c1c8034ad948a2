"""A camera and a clock for tests of room sessions."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import FastAPI

from deployments.ingress.fakes import FakeModels, fake_gateway
from deployments.settings import IngressConfig, Limits
from graphs.fakes import FakeDetector
from models.types import FrameDetections, Match, ProductId
from tests.deployments.ingress.sockets import PATIENCE_S, Socket
from tests.hostile_requests import picture

SESSION = "/v1/rooms/R-1/session"
FRAME = picture()
P1, P2 = ProductId("P-1"), ProductId("P-2")


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    now_s: float = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Gated(FakeDetector):
    """Remembers its frames, and looks at none before the gate is opened."""

    frames: list[bytes] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def detect(self, frame: bytes, min_score: float | None = None) -> FrameDetections:
        self.frames.append(frame)
        await self.gate.wait()
        return await super().detect(frame, min_score)


def limit(app: FastAPI, **limits: float) -> None:
    app.state.gateway.apply(IngressConfig(limits=Limits.model_validate(limits)))


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not happened():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.001)


class Camera:
    """Shows frames one by one, half a second of the manual clock apart, and waits until each was looked at."""

    def __init__(self, app: FastAPI, clock: Clock, models: FakeModels, socket: Socket) -> None:
        self._app, self._clock, self._models, self.socket = app, clock, models, socket
        self._shown = 0

    async def show(self, *products: ProductId | None, apart_s: float = 0.5) -> None:
        for product in products:
            self._models.retriever.enrolled = (Match(product, 0.9),) if product else ()
            self.socket.picture(FRAME)
            self._shown += 1
            await until(lambda: f'livecart_session_frames_total{{outcome="seen"}} {self._shown}.0' in self._app.state.telemetry.render())
            self._clock.now_s += apart_s


def gated(app: FastAPI, models: FakeModels) -> Gated:
    """Put a gated detector into the app."""
    detector = models.detector = Gated()
    app.state.gateway = fake_gateway(app.state.gateway.store, models, app.state.telemetry)
    return detector


def comment(number: int, viewer_id: str = "V-1", text: str = "How fast does it come?") -> dict[str, str]:
    return {"comment_id": f"C-{number}", "viewer_id": viewer_id, "text": text}
