"""The schema that migrations make is the schema that the code uses, and a foreign one is refused."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from deployments.store import Store, StoreOptions
from deployments.store.database import Database, database_url
from deployments.store.migrate import alembic_config
from deployments.store.questions import QuestionFilter
from deployments.store.schema import metadata
from graphs.errors import Unavailable
from models.types import ViewerId
from tests.deployments.store.examples import asking


async def test_migrations_and_tables_agree(new_database: Callable[[], str]) -> None:
    database = Database(new_database(), StoreOptions())
    assert await database.read(lambda connection: compare_metadata(MigrationContext.configure(connection), metadata)) == []
    await database.close()


async def test_the_first_revision_can_be_taken_back(new_database: Callable[[], str]) -> None:
    database = Database(new_database(), StoreOptions())
    config = alembic_config()
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(database.engine).get_table_names() == ["alembic_version"]
    await database.close()


async def test_questions_of_the_first_revision_are_merged_and_keep_their_askers(new_database: Callable[[], str]) -> None:
    url = new_database()
    database = Database(url, StoreOptions())
    config = alembic_config()
    old = (
        "INSERT INTO questions (question_id, at, question, room_id, viewer_id, status) "
        "VALUES (:number, :at, :question, 'r1', :viewer, :status)"
    )
    rows = [("能机洗吗？", "v1", "open"), ("能机洗吗", "v1", "answered"), ("能机洗吗!", None, "open"), ("Warm?", "v2", "dismissed")]
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        for number, (question, viewer, status) in enumerate(rows, start=1):
            row = {"number": number, "at": "2026-01-01 00:00:00.000000", "question": question, "viewer": viewer, "status": status}
            connection.execute(text(old), row)
        command.upgrade(config, "head")
        command.downgrade(config, "0001")
        assert connection.execute(text("SELECT viewer_id, status FROM questions ORDER BY question_id")).all() == [
            ("v1", "open"),
            ("v2", "dismissed"),
        ]
        command.upgrade(config, "head")
    await database.close()
    async with await Store.open(url) as store:
        await store.note_questions([asking("new")], max_open=10)
        found = (await store.list_questions(QuestionFilter(status=None), "newest")).items
        assert [(one.question, one.status, one.room_ids) for one in found] == [
            ("new", "open", ("r1",)),
            ("Warm?", "dismissed", ("r1",)),
            ("能机洗吗？", "open", ("r1",)),
        ]
        assert found[2].first_asked == datetime(2026, 1, 1, tzinfo=UTC)
        record = await store.viewer(ViewerId("v1"))
        assert record is not None
        assert [own.question for own in record.questions] == ["能机洗吗？"]


async def test_a_database_of_a_newer_livecart_is_refused_with_a_reason(new_sqlite: Callable[[], str]) -> None:
    url = new_sqlite()
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable, match="newer"):
        await Store.open(url)


async def test_a_file_that_is_no_database_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("not a database, but long enough to have a header of a hundred bytes " * 3)
    with pytest.raises(Unavailable, match=r"notes\.db"):
        await Store.open(f"sqlite:///{path}")


async def test_the_folder_of_a_new_file_is_made_and_the_data_is_found_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / '100%' / 'livecart.db'}"
    async with await Store.open(url) as store:
        await store.note_questions([asking()], max_open=10)
    async with await Store.open(url) as store:
        assert len((await store.list_questions()).items) == 1


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://root@localhost/livecart"])
def test_other_databases_are_refused_with_what_is_accepted(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///"):
        database_url(url)


def test_every_spelling_of_postgresql_uses_our_driver() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"):
        assert database_url(f"{scheme}://livecart@db/livecart").drivername == "postgresql+psycopg"
