"""A real uvicorn server for the stock clients: one a module, over a shop that knows product P-1."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from tests.deployments.cli.served import served
from tests.hostile_requests import load_shop
from tests.pages import ROOT


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port`, as the stock clients want it."""
    with served(tmp_path_factory.mktemp("oip")) as url:

        async def load() -> None:
            async with httpx.AsyncClient(base_url=url) as client:
                await load_shop(client)

        asyncio.run(load())
        yield url.removeprefix("http://")


@pytest.fixture(scope="session")
def frame() -> bytes:
    return (ROOT / "docs" / "pictures" / "frame.jpg").read_bytes()
