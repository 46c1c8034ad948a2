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
from tests.hostile_requests import SHOP, load_shop

__all__ = ["app", "empty_database", "models", "shared_app", "store"]
WAYS = ("in-process", "async over a port", "sync over a port")


@pytest.fixture(scope="session")
def url(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(empty_database, folder / "livecart.db")
    with served(folder) as found:
        with httpx.Client(base_url=found) as http:
            for method, path, body in SHOP:
                http.request(method, path, json=body).raise_for_status()
        yield found


@pytest.fixture(params=WAYS)
async def client(request: pytest.FixtureRequest, app: FastAPI, url: str) -> AsyncIterator[AsyncClient]:
    if request.param == "sync over a port":
        with Client(url) as waiting:
            yield in_threads(waiting)
    elif request.param == "async over a port":
        async with AsyncClient(url) as calling:
            yield calling
    else:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
            await load_shop(http)
        async with AsyncClient(transport=httpx.ASGITransport(app)) as calling:
            yield calling
