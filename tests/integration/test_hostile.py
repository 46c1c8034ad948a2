"""The table of hostile requests against the real server: refused, never a 5xx, and ready afterwards."""

import httpx
import pytest

from tests.hostile import HOSTILE
from tests.hostile_requests import load_shop

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


async def test_hostile_requests_are_refused_and_the_server_stays_ready(async_http: httpx.AsyncClient) -> None:
    await load_shop(async_http)
    try:
        for case in HOSTILE:
            case.check(await case.send(async_http))
        assert (await async_http.get("/readyz")).status_code == 200
    finally:
        for path in ("/v1/rooms/R-1", "/v1/knowledge/D-1", "/v1/products/P-1", "/v1/products/P-2"):
            await async_http.delete(path)
