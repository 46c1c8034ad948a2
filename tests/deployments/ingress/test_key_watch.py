"""A keys file that changes while the server runs."""

import asyncio
import os
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.datastructures import Headers

from deployments.ingress.auth import Auth, NewKey, new_key, parse_key
from deployments.ingress.key_watch import KeyWatch, auth_from_environment, read_keys
from graphs.errors import Unauthenticated
from models.types import Room, RoomId
from tests.deployments.ingress.sockets import Closed, Socket

OLD, NEW = new_key("caller", "shop-1"), new_key("caller", "shop-2")


NO_KEYS = ["", "# nobody\n", "caller:shop-1:12", f"{NEW.line}\nking:x:{'0' * 64}", f"{NEW.line}\n{NEW.line}", None, "\xff"]


class Watched:
    """A keys file with OLD, and a server that follows it."""

    def __init__(self, folder: Path, variable: str = "") -> None:
        self.file = folder / "keys"
        self.write(OLD.line)
        environment = {"LIVECART_KEYS": variable, "LIVECART_KEYS_FILE": str(self.file)}
        self.auth = auth_from_environment(environment)
        self.told: list[str] = []
        self.watch = KeyWatch(self.auth, environment, on_change=self.told.append)

    def write(self, *lines: str) -> None:
        self.file.write_text("\n".join(lines), encoding="utf-8")

    async def look(self, times: int = 2) -> None:
        for _ in range(times):
            await self.watch.look()

    def lets_in(self, key: NewKey) -> bool:
        try:
            self.auth.require(Headers({"authorization": f"Bearer {key.secret}"}), "caller")
        except Unauthenticated:
            return False
        return True


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


async def test_a_key_is_added_and_another_revoked(watched: Watched) -> None:
    await watched.look()
    watched.write(OLD.line, NEW.line)
    await watched.look()
    assert watched.lets_in(OLD)
    assert watched.lets_in(NEW)
    watched.write(NEW.line)
    await watched.look()
    assert not watched.lets_in(OLD)
    assert watched.lets_in(NEW)
    assert watched.told == ["added shop-2", "revoked shop-1"]


async def test_a_file_that_is_just_being_written_does_not_count(watched: Watched) -> None:
    watched.write(NEW.line)
    await watched.look(times=1)
    watched.write(OLD.line, NEW.line)
    await watched.look(times=1)
    assert watched.lets_in(OLD)
    assert not watched.lets_in(NEW)
    await watched.look(times=1)
    assert watched.lets_in(NEW)


@pytest.mark.parametrize("content", NO_KEYS)
async def test_what_is_no_file_of_keys_changes_nothing(watched: Watched, content: str | None, caplog: pytest.LogCaptureFixture) -> None:
    if content is None:
        watched.file.unlink()
    else:
        watched.file.write_bytes(content.encode("latin-1"))
    await watched.look(times=5)
    assert watched.lets_in(OLD)
    assert not watched.lets_in(NEW)
    assert watched.watch.is_refused
    assert [record.levelname for record in caplog.records if record.name == "livecart.keys"] == ["ERROR"]
    assert OLD.secret not in caplog.text
    watched.write(NEW.line)
    await watched.look()
    assert not watched.watch.is_refused
    assert watched.lets_in(NEW)
    assert not watched.lets_in(OLD)


async def test_a_folder_in_the_files_place_changes_nothing(watched: Watched) -> None:
    watched.file.unlink()
    watched.file.mkdir()
    await watched.look()
    assert watched.lets_in(OLD)
    assert watched.watch.is_refused


async def test_a_pipe_in_the_files_place_is_refused_at_once(watched: Watched) -> None:
    watched.file.unlink()
    os.mkfifo(watched.file)
    async with asyncio.timeout(20):
        await watched.look()
    assert watched.lets_in(OLD)
    assert watched.watch.is_refused
    with pytest.raises(ValueError, match="no regular file"):
        auth_from_environment({"LIVECART_KEYS_FILE": str(watched.file)})
    watched.file.unlink()
    watched.write(NEW.line)
    await watched.look()
    assert watched.lets_in(NEW)


async def test_a_disk_that_hangs_keeps_no_expired_key_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deployments.ingress.key_watch.READ_S", 0.02)
    disk, reads, ended = threading.Event(), list[Path](), list[str]()

    def read(path: Path) -> bytes:
        reads.append(path)
        disk.wait(20)
        return read_keys(path)

    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    old = new_key("caller", "shop-1", expires_at=now[0] + timedelta(hours=1))
    (tmp_path / "keys").write_text(f"{old.line}\n{NEW.line}", encoding="utf-8")
    auth = Auth([parse_key(old.line)], now=lambda: now[0])
    watch = KeyWatch(auth, {"LIVECART_KEYS_FILE": str(tmp_path / "keys")}, read=read)
    identity = auth.require(Headers({"authorization": f"Bearer {old.secret}"}), "caller")
    with auth.holding(identity, lambda: ended.append("shop-1")):
        await watch.look()
        await watch.look()
        assert watch.is_refused
        now[0] += timedelta(hours=2)
        await watch.look()
    assert ended == ["shop-1"]
    assert len(reads) == 1
    monkeypatch.undo()
    disk.set()
    for _ in range(2):
        await watch.look()
    assert not watch.is_refused
    assert parse_key(NEW.line) in auth.keys


async def test_keys_of_the_variable_stay(tmp_path: Path) -> None:
    fixed = new_key("operator", "ops")
    watched = Watched(tmp_path, variable=fixed.line)
    watched.write(NEW.line)
    await watched.look()
    assert watched.lets_in(fixed)
    assert watched.lets_in(NEW)
    assert not watched.lets_in(OLD)


async def test_the_file_is_followed_by_a_task_that_outlives_a_failure(watched: Watched) -> None:
    following = asyncio.create_task(watched.watch.run())
    watched.write(NEW.line)
    async with asyncio.timeout(20):
        while not watched.lets_in(NEW):  # noqa: ASYNC110  # the task tells nobody
            await asyncio.sleep(0.02)
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following


@pytest.mark.parametrize("how", ["revoked", "expired"])
async def test_an_open_room_session_ends_with_its_key(own_app: FastAPI, how: str) -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    old = new_key("caller", "shop-1", expires_at=now[0] + timedelta(hours=1))
    auth = Auth([parse_key(old.line), parse_key(NEW.line)], now=lambda: now[0])
    own_app.state.auth = auth
    await own_app.state.gateway.store.put_rooms([Room(RoomId("R-1"), "Cups", "Mei")], actor="test", request_id=None)
    path = "/v1/rooms/R-1/session"
    sockets = [Socket(own_app, path, {"Authorization": f"Bearer {key.secret}"}) for key in (old, NEW)]
    async with sockets[0] as ending, sockets[1] as staying:
        for socket in sockets:
            socket.say("ping")
            await socket.hear_until("pong")
        if how == "revoked":
            auth.replace([parse_key(NEW.line)])
        else:
            now[0] += timedelta(hours=2)
            await KeyWatch(auth, {}).look()
        assert (await ending.hear())["error"]["code"] == "unauthenticated"
        with pytest.raises(Closed) as closed:
            await ending.hear()
        assert (closed.value.code, closed.value.reason) == (4401, "the key of this session is not valid any more")
        staying.say("ping")
        await staying.hear_until("pong")
