"""The app over a real SQLite store and fake models, called in-process."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from deployments.ingress.api import create_app
from deployments.ingress.fakes import FakeModels, fake_gateway, fake_models
from deployments.ingress.session.registry import Sessions
from deployments.store import Store
from deployments.telemetry import Telemetry
from tests.deployments.ingress.camera import Clock
from tests.hostile_requests import load_shop

Client = httpx.AsyncClient


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, made once and copied for each test."""
    file = tmp_path_factory.mktemp("ingress") / "empty.db"

    async def make() -> None:
        async with await Store.open(f"sqlite:///{file}"):
            pass

    asyncio.run(make())
    return file


@pytest.fixture
async def store(empty_database: Path, tmp_path: Path) -> AsyncIterator[Store]:
    shutil.copy(empty_database, tmp_path / "shop.db")
    async with await Store.open(f"sqlite:///{tmp_path}/shop.db") as opened:
        yield opened


@pytest.fixture
def models() -> FakeModels:
    return fake_models()


@pytest.fixture
def own_app(store: Store, models: FakeModels) -> FastAPI:
    """An app that a test may add routes to."""
    return create_app(fake_gateway(store, models))


@pytest.fixture(scope="session")
def shared_app(empty_database: Path) -> FastAPI:
    """Routes and schemas, made once; what stands behind them is put in for each test."""

    async def make() -> FastAPI:
        async with await Store.open(f"sqlite:///{empty_database}") as store:
            return create_app(fake_gateway(store))

    return asyncio.run(make())


@pytest.fixture
def app(shared_app: FastAPI, store: Store, models: FakeModels) -> FastAPI:
    telemetry = Telemetry()
    shared_app.state.telemetry = telemetry
    shared_app.state.gateway = fake_gateway(store, models, telemetry)
    shared_app.state.sessions = Sessions()
    return shared_app


@pytest.fixture
def clock(app: FastAPI) -> Clock:
    """The clock of the app's room sessions."""
    clock = Clock()
    app.state.sessions = Sessions(clock)
    return clock


@asynccontextmanager
async def calling(app: FastAPI) -> AsyncIterator[Client]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    async with Client(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[Client]:
    async with calling(app) as client:
        yield client


@pytest.fixture
async def shop(client: Client) -> Client:
    """The client of an app that knows product P-1 and P-2, room R-1, document D-1 and viewer V-1."""
    await load_shop(client)
    return client
