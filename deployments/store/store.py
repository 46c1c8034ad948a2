"""The store: everything that outlives a request, over one database that several processes share."""

import asyncio
from types import TracebackType
from typing import Self

from sqlalchemy import text

from deployments.store.database import Database
from deployments.store.documents import Documents
from deployments.store.events import Events
from deployments.store.experiments import Experiments
from deployments.store.journal import Journals
from deployments.store.migrate import migrate
from deployments.store.products import Products
from deployments.store.questions import Questions
from deployments.store.rooms import Rooms
from deployments.store.values import StoreOptions
from deployments.store.viewers import Viewers
from deployments.store.views import Views


class Store(Products, Documents, Rooms, Views, Events, Viewers, Questions, Experiments, Journals):
    """Every call is one transaction on a thread of its own, and raises Unavailable while the database is out of reach.

    When the database is back, the next call finds it. Safe to use from many tasks, and by several processes at once.
    """

    @classmethod
    async def open(cls, url: str, options: StoreOptions | None = None) -> Self:
        """Connect to `sqlite:///FILE` (made when missing) or `postgresql://...`, and bring the schema up to date.

        Raises Unavailable, and ValueError for a URL of another kind.
        """
        database = Database(url, options or StoreOptions())
        try:
            await asyncio.to_thread(migrate, database)
        except BaseException:
            await database.close()
            raise
        return cls(database)

    async def ping(self) -> None:
        """Raises Unavailable when the database does not answer."""
        await self._database.read(lambda connection: connection.execute(text("SELECT 1")))

    async def close(self) -> None:
        """Finish what has begun; every later call raises Unavailable."""
        await self._database.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()
