"""Bringing the database to this version's schema, safely when several processes start at once."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from deployments.store.database import Database, out_of_reach_is_unavailable
from graphs.errors import Unavailable

_ADVISORY_LOCK = 0x6C697665_63617274  # "livecart"
_ALEMBIC_IS_GLOBAL = threading.Lock()  # alembic keeps its context in module variables: one migration a process


def migrate(database: Database) -> None:
    """Create or upgrade the tables; the first process does it, the others wait and find it done.

    Raises Unavailable when the database is out of reach, when the wait is over, or when a newer livecart has written it.
    """
    if database.is_sqlite:
        _enter_wal(str(database.url.database), database.options.migrate_timeout_s)
    config = alembic_config()
    with out_of_reach_is_unavailable(), _newer_schema_is_unavailable(), _ALEMBIC_IS_GLOBAL:
        with database.engine.connect() as connection:
            if _is_current(connection, config):
                return
        database.write_now(lambda connection: _upgrade(connection, config, database))


def alembic_config() -> Config:
    """Alembic's settings, made here so that no `alembic.ini` has to be found at run time."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _is_current(connection: Connection, config: Config) -> bool:
    found = MigrationContext.configure(connection).get_current_revision()
    return found is not None and found == ScriptDirectory.from_config(config).get_current_head()


def _upgrade(connection: Connection, config: Config, database: Database) -> None:
    """Runs inside the write lock of SQLite or the advisory lock of PostgreSQL; both end with the transaction."""
    if not database.is_sqlite:
        wait_ms = round(database.options.migrate_timeout_s * 1000)
        for limit in ("lock_timeout", "statement_timeout"):
            connection.execute(text(f"SET LOCAL {limit} = {wait_ms:d}"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextmanager
def _newer_schema_is_unavailable() -> Iterator[None]:
    try:
        yield
    except CommandError as error:
        raise Unavailable(f"the database has a schema that this livecart does not know; run the newer one ({error})") from error


def _enter_wal(path: str, timeout_s: float) -> None:
    """The journal's mode lasts in the file. Changing it ignores the busy timeout, hence the loop."""
    give_up_at = time.monotonic() + timeout_s
    while True:
        try:
            with closing(sqlite3.connect(path, timeout=1.0)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up_at:
                raise Unavailable(f"cannot open the database file {path}: {error}") from error
            time.sleep(0.02)
        except sqlite3.DatabaseError as error:
            raise Unavailable(f"{path} is not a database that can be read: {error}") from error
        else:
            return
