"""The commands of a machine that has only the client."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.test_alone import ROOT
from tests.hostile_requests import JPEG


def livecart(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from livecart_client.cli import main; main()", *arguments]
    return subprocess.run(command, cwd=ROOT / "clients", capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def frame(tmp_path: Path) -> str:
    (tmp_path / "frame.jpg").write_bytes(JPEG)
    return str(tmp_path / "frame.jpg")


def told(*arguments: str) -> str:
    done = livecart(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_command_asks_the_server(url: str, frame: str) -> None:
    at = ("--url", url)
    assert json.loads(told("ask", "Is it heavy?", "--product", "P-1", "--json", *at))["citations"] is not None
    assert "P-1 Thermos" in told("recognize", frame, *at)
    assert json.loads(told("recommend", "V-1", "-k", "2", "--json", *at))["items"] is not None
    assert "R-1" in told("recommend", "V-1", "--rooms", *at)
    assert "[opening" in told("script", "P-1", "--seconds", "30", "--language", "en", *at)


def test_a_room_is_shown_pictures_and_asked(url: str, frame: str) -> None:
    asked = ("--ask", "How long does delivery take?", "--viewer", "V-1")
    heard = [
        json.loads(line) for line in told("room", "R-1", "--frame", frame, *asked, "--seconds", "4", "--json", "--url", url).splitlines()
    ]
    assert {"products", "reply"} <= {message["type"] for message in heard}


def test_what_is_shown_is_known_before_a_comment_is_sent(url: str, frame: str) -> None:
    asked = ("--ask", "How much is it?", "--viewer", "V-1", "--seconds", "4", "--json", "--url", url)
    types = [json.loads(line)["type"] for line in told("room", "R-1", "--frame", frame, *asked).splitlines()]
    assert types[0] == "products"
    assert "reply" in types


def test_a_comment_without_a_viewer_is_refused_before_anything_is_sent(unused_tcp_port: int) -> None:
    done = livecart("room", "R-1", "--ask", "How much is it?", "--url", f"http://127.0.0.1:{unused_tcp_port}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--viewer" in done.stderr


def test_a_comment_without_a_reply_is_a_failure(url: str) -> None:
    done = livecart("room", "R-1", "--ask", "How much is it?", "--viewer", "V-none", "--seconds", "1", "--url", url)
    assert done.returncode == 1
    assert "not_found: " in done.stdout
    assert "without a reply: How much is it?" in done.stderr


def test_a_refusal_is_told_in_the_servers_words(url: str) -> None:
    done = livecart("ask", "Is it heavy?", "--room", "R-none", "--url", url)
    assert done.returncode == 1
    assert done.stderr.startswith("404 not_found: ")
    assert livecart("room", "R-none", "--url", url).returncode == 1


def test_nobody_there_is_said(unused_tcp_port: int) -> None:
    done = livecart("ask", "Is it heavy?", "--url", f"http://127.0.0.1:{unused_tcp_port}")
    assert done.returncode == 1
    assert "no answer from" in done.stderr
