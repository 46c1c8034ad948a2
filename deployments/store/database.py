"""The connection to SQLite or PostgreSQL: threads, transactions, time limits, and one error for everything out of reach.

What an acknowledged write survives. SQLite runs in WAL mode with `synchronous=FULL`: each commit is fsynced into the log before the
call returns, so it survives `kill -9` and a loss of power. (`NORMAL` would survive `kill -9`, since the pages are with the kernel by
then, but lose the last commits with the power; events share commits, so the fsync is paid per group.) PostgreSQL keeps its own
`synchronous_commit`.
"""

import asyncio
import json
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from deployments.store.values import StoreOptions
from graphs.errors import Unavailable

T = TypeVar("T")

_OUR_FAULT = (exc.IntegrityError, exc.DataError, exc.ProgrammingError, exc.NotSupportedError)  # the database answered: it is in reach
_LONGEST_NAP_S = 0.002
_WRITES = "livecart_writes"  # execution option: this transaction takes the write lock at its start


class Database:
    """Runs units of work, each in one transaction on a named thread, never on the event loop."""

    def __init__(self, url: str, options: StoreOptions) -> None:
        """Does not connect. Raises ValueError for a URL of another database, or of one in memory."""
        self.url = database_url(url)
        self.options = options
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url, options) if self.is_sqlite else _postgres_engine(self.url, options)
        reading = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}  # several statements see one moment
        self._read_engine = self.engine.execution_options(**reading)
        self._write_engine = self.engine.execution_options(**{_WRITES: True})
        self._readers = ThreadPoolExecutor(options.reader_threads, "livecart-store-read")
        self._writer = ThreadPoolExecutor(1, "livecart-store-write")
        # SQLite has one write lock: a second thread would only queue for it, by polling. PostgreSQL lets events pass a slow import.
        self.event_writer = self._writer if self.is_sqlite else ThreadPoolExecutor(1, "livecart-store-events")
        self._closed = threading.Event()

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that sees one moment. Raises Unavailable."""
        return await self._call(self._readers, lambda: self._transact(self._read_engine, work))

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction of its own; committed when this returns.

        A caller who is cancelled or gets Unavailable cannot know whether the commit happened: every write may be repeated.
        """
        return await self._call(self._writer, lambda: self.write_now(work))

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """As `write`, on the calling thread."""
        return self._transact(self._write_engine, work)

    async def within_limit(self, waiting: asyncio.Future[T]) -> T:
        """Wait for a thread's answer, at most `call_timeout_s`. Raises Unavailable."""
        limit_s = self.options.call_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                return await waiting
        except TimeoutError as error:
            raise Unavailable(f"the database did not answer within {limit_s:g} s") from error

    async def shrink_log(self) -> None:
        """SQLite: move the write-ahead log into the file and cut it, so that erased text is in neither; as far as readers allow."""
        await self._call(self._writer, self._checkpoint)

    def _checkpoint(self) -> None:
        with out_of_reach_is_unavailable():
            connection = self.engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()

    def require_open(self) -> None:
        if self._closed.is_set():
            raise Unavailable("the store is closed")

    async def close(self) -> None:
        """Finish what runs, refuse what comes, give the connections back."""
        self._closed.set()
        await asyncio.to_thread(self._shut_down)

    def _shut_down(self) -> None:
        for threads in (self._readers, self._writer, self.event_writer):
            threads.shutdown(wait=True)
        self.engine.dispose()

    async def _call(self, threads: Executor, run: Callable[[], T]) -> T:
        self.require_open()
        try:
            answer = asyncio.get_running_loop().run_in_executor(threads, run)
        except RuntimeError as error:  # closed a moment ago
            raise Unavailable(f"the store is closed: {error}") from error
        return await self.within_limit(answer)

    @staticmethod
    def _transact(engine: Engine, work: Callable[[Connection], T]) -> T:
        with out_of_reach_is_unavailable(), engine.begin() as connection:
            return work(connection)


class Section:
    """A part of `Store`: the calls about one kind of thing, over the shared database."""

    def __init__(self, database: Database) -> None:
        self._database = database


def database_url(url: str) -> URL:
    """The URL with our driver. Raises ValueError saying what is accepted."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ValueError(f"the store speaks sqlite:///FILE and postgresql://USER@HOST/NAME, not {backend}")
    if parsed.database in {None, "", ":memory:"}:
        raise ValueError("the store needs a file, several processes share it: sqlite:///livecart.db, not a database in memory")
    return parsed


@contextmanager
def out_of_reach_is_unavailable() -> Iterator[None]:
    """Lost connections, timeouts, a locked, full or read-only database become Unavailable; our own mistakes pass as they are."""
    try:
        yield
    except exc.TimeoutError as error:
        raise Unavailable("no connection to the database was free in time") from error
    except exc.DBAPIError as error:
        if isinstance(error, _OUR_FAULT) and not error.connection_invalidated:
            raise
        raise Unavailable(f"the database is out of reach: {error.orig}") from error


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _sqlite_engine(url: URL, options: StoreOptions) -> Engine:
    Path(str(url.database)).absolute().parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        connect_args={"timeout": options.lock_timeout_s},
        pool_size=options.reader_threads + 2,
        max_overflow=0,
        pool_timeout=options.call_timeout_s,
        json_serializer=_json,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver begins nothing on its own: `begin` below does
        cursor = connection.cursor()
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):  # erased text is overwritten in the file
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver = cast(sqlite3.Connection, connection.connection.driver_connection)
        if connection.get_execution_options().get(_WRITES, False):
            _lock_for_writing(driver, options.lock_timeout_s)
        else:
            driver.execute("BEGIN")

    return engine


def _lock_for_writing(driver: sqlite3.Connection, timeout_s: float) -> None:
    """Begin a transaction that has the write lock from the start: one that reads first and writes later can fail with a stale snapshot.

    SQLite itself waits in naps that grow to 0.1 s, and so loses the lock to busier processes for seconds. Short ones are fair enough.
    Raises Unavailable when others keep the lock for `timeout_s`.
    """
    give_up_at = time.monotonic() + timeout_s
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                    raise Unavailable(f"cannot write to the database: {error}") from error
                time.sleep(random.uniform(0.000_2, _LONGEST_NAP_S))
            else:
                return
    finally:
        driver.execute(f"PRAGMA busy_timeout={timeout_s * 1000:.0f}")


def _postgres_engine(url: URL, options: StoreOptions) -> Engine:
    limits_ms = {
        "statement_timeout": options.statement_timeout_s * 1000,
        "lock_timeout": options.lock_timeout_s * 1000,
        "idle_in_transaction_session_timeout": options.call_timeout_s * 1000,  # a frozen client must not keep the counters locked
    }
    return create_engine(
        url,
        connect_args={
            "connect_timeout": max(2, round(options.connect_timeout_s)),  # libpq knows whole seconds, from 2
            "options": " ".join(["-c timezone=UTC", *(f"-c {name}={limit:.0f}" for name, limit in limits_ms.items())]),
            "keepalives_idle": 5,
            "tcp_user_timeout": round(options.call_timeout_s * 1000),
        },
        pool_size=options.reader_threads + 2,
        max_overflow=0,
        pool_timeout=options.call_timeout_s,
        pool_pre_ping=True,  # a connection that died with a restarted server is replaced, not handed out
        json_serializer=_json,
    )
