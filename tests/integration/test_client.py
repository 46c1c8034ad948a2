"""The client's own suite (`tests/clients`), against the real stack, by both clients."""

from collections.abc import AsyncIterator

import httpx
import pytest

from livecart_client import AsyncClient, Client, errors
from tests.clients import test_contract as contract
from tests.clients import test_session as sessions
from tests.clients.in_threads import in_threads
from tests.hostile_requests import load_shop
from tests.integration.conftest import Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
MADE = ("rooms", "R-1"), ("knowledge", "D-1"), ("products", "P-1"), ("products", "P-2"), ("products", "杯-1"), ("products", "杯-2")
# every test of the two files, with the client of this one; what a real eye sees on a plain red picture is not promised
globals().update(
    {
        name: test
        for suite in (contract, sessions)
        for name, test in vars(suite).items()
        if name.startswith("test_") and name != "test_what_is_shown_is_told"
    }
)


@pytest.fixture(params=["async", "sync"])
async def client(request: pytest.FixtureRequest, server: Server, async_http: httpx.AsyncClient) -> AsyncIterator[AsyncClient]:
    await load_shop(async_http)
    if request.param == "sync":
        with Client(server.url) as waiting:
            yield in_threads(waiting)
    else:
        async with AsyncClient(server.url) as calling:
            yield calling
    async with AsyncClient(server.url) as cleaning:
        for kind, name in MADE:
            try:
                await getattr(cleaning, kind).delete(name)
            except errors.NotFound:
                continue
