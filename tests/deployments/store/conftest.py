"""One store per test, on SQLite and on PostgreSQL. Both begin as copies of a database migrated once per session."""

import itertools
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from deployments.store import Store, StoreOptions
from deployments.store.database import Database
from deployments.store.migrate import migrate
from tests.deployments.store.postgres_server import PostgresServer, find_binaries

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's initdb is neither under /usr/lib/postgresql nor on PATH; install the package postgresql")
    server = PostgresServer(binaries)
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_template(postgres: PostgresServer) -> str:
    postgres.execute("CREATE DATABASE template_livecart")
    _migrate(postgres.url("template_livecart"))
    return "template_livecart"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A database that nobody has made yet."""
    return f"sqlite:///{tmp_path / 'livecart.db'}"


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> str:
    """An empty database."""
    name = f"empty_{next(_NUMBERS)}"
    postgres.execute(f"CREATE DATABASE {name}")
    return postgres.url(name)


@pytest.fixture
def new_sqlite(migrated_file: Path, tmp_path: Path) -> Callable[[], str]:
    def copy() -> str:
        return f"sqlite:///{shutil.copy(migrated_file, tmp_path / f'livecart-{next(_NUMBERS)}.db')}"

    return copy


@pytest.fixture
def new_postgres(postgres: PostgresServer, migrated_template: str) -> Iterator[Callable[[], str]]:
    made: list[str] = []

    def copy() -> str:
        made.append(f"livecart_{next(_NUMBERS)}")
        postgres.execute(f"CREATE DATABASE {made[-1]} TEMPLATE {migrated_template}")
        return postgres.url(made[-1])

    yield copy
    postgres.execute(*(f"DROP DATABASE {name} WITH (FORCE)" for name in made))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def new_database(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes another migrated database and returns its URL."""
    return request.getfixturevalue(f"new_{request.param}")  # type: ignore[no-any-return]  # pytest does not know fixtures' types


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest_asyncio.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    async with await Store.open(database_url) as opened:
        yield opened


def _migrate(url: str) -> None:
    database = Database(url, StoreOptions())
    migrate(database)
    database.engine.dispose()
