"""Clients of a server that knows products P-1 and P-2, room R-1, document D-1 and viewer V-1: in-process, and over a real port."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from livecart_client import AsyncClient, Client
from tests.clients.in_threads import in_threads
from tests.deployments.cli.served import served
from tests.deployments.ingress.conftest import app, empty_database, models, shared_app, store
from tests.hostile_requests import load_shop

__all__ = ["app", "empty_database", "models", "shared_app", "store"]
WAYS = ("in-process", "async over a port", "sync over a port")


@pytest.fixture(scope="session")
def url(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(empty_database, folder / "livecart.db")
    with served(folder) as found:
        yield found


@pytest.fixture(params=WAYS)
async def client(request: pytest.FixtureRequest, app: FastAPI, url: str) -> AsyncIterator[AsyncClient]:
    transport = httpx.ASGITransport(app) if request.param == "in-process" else httpx.AsyncHTTPTransport()
    base = "http://localhost" if request.param == "in-process" else url
    async with httpx.AsyncClient(transport=transport, base_url=base) as http:
        await load_shop(http)
        if request.param == "sync over a port":
            with Client(url) as waiting:
                yield in_threads(waiting)
            return
        own = httpx.ASGITransport(app) if request.param == "in-process" else None
        async with AsyncClient(base, transport=own) as calling:
            yield calling
