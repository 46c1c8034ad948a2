"""Servers on real ports in the test's own event loop: our `/v2` over the shipped models, and one that answers as it is told."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from deployments.eye import Eye
from deployments.gateway import Gateway
from deployments.ingress.api import create_app
from deployments.ingress.auth import Auth
from deployments.ingress.fakes import FakeModels, StoreShop, fake_ports
from deployments.loading import load_eye, load_ranker
from deployments.local import LocalRanker
from deployments.ports import TensorModels
from deployments.remote.detector import CoalescedDetector
from deployments.settings import CoalesceSettings, DetectorConfig, RankerConfig, Settings
from deployments.store import Store
from deployments.telemetry import Telemetry
from models.recommend.ranker import Ranker
from models.vision.embedder_info import embedder_info


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """The server's URL while the block lasts."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()  # who comes before the server is up waits for it
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@cache
def shipped_eye() -> Eye:
    return load_eye(DetectorConfig(), Settings().embedder)


@cache
def shipped_ranker() -> Ranker:
    return load_ranker(RankerConfig())


@asynccontextmanager
async def own_v2(database: str) -> AsyncIterator[str]:
    """Our own server over the shipped detector, embedder and ranker."""
    eye, ranker = await asyncio.to_thread(shipped_eye), LocalRanker(await asyncio.to_thread(shipped_ranker))
    seeing = CoalescedDetector.local(eye, CoalesceSettings())
    tensors = TensorModels(embedder_info(Settings().embedder).dim, seeing.categories, ranker.score)
    async with await Store.open(database) as store:
        ports = replace(fake_ports(StoreShop(store)), detector=seeing, embedder=seeing, tensors=tensors)
        async with serving(create_app(Gateway(store, ports, Telemetry()))) as url:
            yield url


@asynccontextmanager
async def fake_v2(database: str, models: FakeModels, auth: Auth | None = None) -> AsyncIterator[str]:
    """Our own server over fake models, which a test may make slow, wrong or absent."""
    async with await Store.open(database) as store:
        ports = fake_ports(StoreShop(store), models)
        async with serving(create_app(Gateway(store, ports, Telemetry()), auth=auth)) as url:
            yield url


def tensor(name: str, datatype: str, *shape: int) -> dict[str, object]:
    return {"name": name, "datatype": datatype, "shape": list(shape)}


@dataclass
class Told:
    """A server of one model that answers as it is told; remembers what it was asked."""

    metadata: dict[str, Any]
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)  # status and body of `infer`, one a call; then 500
    asked: list[dict[str, Any]] = field(default_factory=list)
    config_status: int = 404
    metadata_status: int = 200

    def app(self) -> Starlette:
        model = "/v2/models/{name}"
        return Starlette(
            routes=[
                Route(model, self._metadata),
                Route(f"{model}/ready", self._ready),
                Route(f"{model}/config", self._config),
                Route(f"{model}/infer", self._infer, methods=["POST"]),
            ]
        )

    async def _metadata(self, _request: Request) -> Response:
        return JSONResponse(self.metadata if self.metadata_status == 200 else {"error": "no such model"}, self.metadata_status)

    async def _ready(self, _request: Request) -> Response:
        return Response()

    async def _config(self, _request: Request) -> Response:
        return JSONResponse({"error": "no such extension"}, self.config_status)

    async def _infer(self, request: Request) -> Response:
        body = await request.body()
        head = body[: int(request.headers["inference-header-content-length"])]
        self.asked.append(await request.json() if head == body else {"head": head.decode(), "bytes": len(body)})
        status, answer = self.answers.pop(0) if self.answers else (500, {"error": "it was told nothing more"})
        return JSONResponse(answer, status)
