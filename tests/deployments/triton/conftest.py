"""A migrated store for the servers of the tests."""

import asyncio
import shutil
from pathlib import Path

import pytest

from deployments.store import Store


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("triton") / "empty.db"

    async def make() -> None:
        async with await Store.open(f"sqlite:///{file}"):
            pass

    asyncio.run(make())
    return file


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> str:
    shutil.copy(migrated, tmp_path / "shop.db")
    return f"sqlite:///{tmp_path}/shop.db"
