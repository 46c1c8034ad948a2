"""Callers who are slow, silent, many or deaf, by raw sockets against the real server: they are let go, and others are served meanwhile."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from deployments.settings import FrontSettings
from tests.integration.conftest import Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

FRONT = FrontSettings()
BODY = b"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{"
PATIENCE_S = 60.0  # beyond what the settings allow; a busy machine takes its time


def connect(server: Server, *, receive_bytes: int | None = None) -> socket.socket:
    one = socket.socket()
    if receive_bytes is not None:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    address = urlsplit(server.url)
    one.connect((address.hostname, address.port))
    return one


def rest(one: socket.socket, patience_s: float) -> bytes:
    """All that comes until the server closes the connection. Raises TimeoutError when it does not."""
    one.settimeout(patience_s)
    found = b""
    with contextlib.suppress(ConnectionError):
        while piece := one.recv(65_536):
            found += piece
    return found


@contextlib.contextmanager
def dripping(one: socket.socket, every_s: float = 0.2) -> Iterator[None]:
    """Send a letter now and then."""
    over = threading.Event()

    def drip() -> None:
        with contextlib.suppress(OSError):
            while not over.wait(every_s):
                one.send(b"a")

    dripper = threading.Thread(target=drip)
    dripper.start()
    try:
        yield
    finally:
        over.set()
        dripper.join()


def served(server: Server, times: int = 20) -> None:
    """Others get their answers."""
    with httpx.Client(base_url=server.url, timeout=PATIENCE_S) as client:
        for _ in range(times):
            assert client.get("/v1/rooms").status_code == 200


def test_headers_by_the_letter(server: Server) -> None:
    with connect(server) as one:
        one.sendall(b"GET /v1/rooms HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        with dripping(one):
            served(server)
            answer = rest(one, FRONT.headers_s + PATIENCE_S)
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_by_the_letter_ends_with_its_deadline(server: Server) -> None:
    with connect(server) as one:
        one.sendall(b"POST /v1/answer HTTP/1.1\r\nX-Deadline-Ms: 2000\r\n" + BODY)
        with dripping(one):
            served(server)
            answer = rest(one, PATIENCE_S)
    assert answer.startswith(b"HTTP/1.1 504 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "deadline_exceeded"


def test_a_body_by_the_letter_without_a_deadline_ends_too(server: Server) -> None:
    with connect(server) as one:
        one.sendall(b"POST /v1/chat/completions HTTP/1.1\r\n" + BODY)
        with dripping(one):
            answer = rest(one, PATIENCE_S + 30)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "invalid_request"


def test_a_caller_who_does_not_read(server: Server) -> None:
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200  # tens of megabytes, one answer after the other
    with connect(server, receive_bytes=4_096) as one:
        one.sendall(asked)
        served(server)
        ends = time.monotonic() + FRONT.stalled_s + PATIENCE_S
        while _is_held(one):
            assert time.monotonic() < ends, "the server still waits for its answers to be read"
            time.sleep(0.2)
    served(server)


def _is_held(one: socket.socket) -> bool:
    """Whether the server keeps its end of the connection; this end is told of nothing before it reads."""
    ours = one.getsockname()
    ends = [end for end in psutil.net_connections("tcp4") if end.raddr == ours]
    return any(end.status == psutil.CONN_ESTABLISHED for end in ends)


def test_five_hundred_connections_that_say_nothing(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(connect(server)) for _ in range(500)]
        with ThreadPoolExecutor(8) as callers:
            for call in [callers.submit(served, server) for _ in range(8)]:
                call.result(PATIENCE_S)
        for one in idle:
            rest(one, FRONT.headers_s + PATIENCE_S)


def test_one_address_does_not_get_all_connections(server: Server) -> None:
    most = FRONT.max_connections_per_address
    assert most is not None
    with contextlib.ExitStack() as stack:
        many = [stack.enter_context(connect(server)) for _ in range(most + 50)]
        answers = [rest(one, FRONT.headers_s + PATIENCE_S) for one in many]
    assert answers.count(b"") >= 50  # closed at once
    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers if answer)
    served(server, times=1)
