"""The load generator and the tables count what they say."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.overhead.__main__ import best, table
from benchmarks.overhead.client import Load, load
from benchmarks.overhead.nodes import BODY_BYTES, KINDS, VECTOR_BYTES, merged, steps
from benchmarks.overhead.run import Measured


def measured(per_s: float, *, callers: int = 1, errors: int = 0) -> Measured:
    return Measured("fused", "noop", Load(callers, int(per_s), errors, per_s, 1.0, 2.0), 0.5)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that answers each request in two pieces, every third with 500, and hangs up after the sixth."""
    for number in range(1, 7):
        try:
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(BODY_BYTES)
        except asyncio.IncompleteReadError:
            break
        status = b"500 No" if number % 3 == 0 else b"200 OK"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 4\r\n\r\nab")
        await asyncio.sleep(0.01)
        writer.write(b"cd")
    writer.close()


async def test_the_client_counts_answers_errors_and_broken_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.overhead.client.WARM_UP_S", 0.0)
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        seen = await load(port, "/noop", callers=2, seconds=0.5, body_bytes=BODY_BYTES)
    assert seen.requests > 4
    assert seen.errors > 2
    assert seen.p50_ms >= 10


async def test_a_client_without_a_server_ends() -> None:
    seen = await load(1, "/noop", callers=1, seconds=0.1, body_bytes=256)
    assert seen.requests == 0
    assert seen.errors > 0


@pytest.mark.parametrize("kind", KINDS)
def test_every_node_answers_a_kibibyte_and_the_same_one(kind: str) -> None:
    body = bytes(range(256)) * (BODY_BYTES // 256)
    first, second = steps(kind), steps(kind)
    vector = first["a"](body)
    assert vector == second["a"](body)
    assert len(vector) == len(first["b"](vector)) == VECTOR_BYTES
    assert merged(first["b"](vector), first["c"](vector)) == merged(second["b"](vector), second["c"](vector))


def test_the_best_round_counts_and_errors_show() -> None:
    rounds = [measured(10.0), measured(30.0, errors=2), measured(7.0, callers=8), measured(5.0, callers=32)]
    assert best(rounds, "fused", "noop", 1).load.per_s == 30
    lines = table("noop", ["fused"], rounds).splitlines()
    assert lines[0].count("|") == lines[1].count("|") == lines[2].count("|")
    assert lines[2] == "| livecart, nodes fused | 30, 1.0 / 2.0, 2 errors | 7, 1.0 / 2.0 | 5, 1.0 / 2.0 | 0.50 |"


def test_the_engines_benchmark_prints_one_json_object() -> None:
    root = Path(__file__).parents[2]
    printed = subprocess.run(
        [sys.executable, "-m", "benchmarks.engine", "--runs", "5", "--json"], cwd=root, check=True, capture_output=True, text=True
    )
    costs = json.loads(printed.stdout)["costs"]
    assert {(cost["shape"], cost["kind"]) for cost in costs} == {(s, k) for s in ("chain", "fan-out") for k in ("async", "plain")}
