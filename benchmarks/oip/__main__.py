"""Tensors through `/v2/models/ranker/infer`: binary against JSON, and against a bare FastAPI endpoint with the same model, in one run.

    python -m benchmarks.oip [--quick] [--mib 1] [--callers 8] [--seconds 5] [--rounds 3]

The bodies are those that the stock tritonclient makes. The platform runs as configured, with two ingress replicas; the peer is uvicorn with
two workers. They take turns; results also go to benchmarks/results/oip.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import numpy as np
import uvloop
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput

from benchmarks.overhead.client import load_in_turn
from benchmarks.served import START_S, STOP_S, machine, platform
from deployments.launch.ports import free_ports
from models.recommend.features import DENSE_NAMES, FEATURE_NAMES

WORKERS = 2
LEAST_SHARE = 0.7
ROUTE = "/v2/models/ranker/infer"
RESULTS = Path(__file__).resolve().parent.parent / "results" / "oip.json"


@dataclass(frozen=True, slots=True)
class Cell:
    way: str  # "binary", "json" or "bare"
    round: int
    per_s: float
    p50_ms: float
    p99_ms: float
    errors: int


def main() -> None:
    arguments = _arguments()
    binary, plain = _body(arguments.mib, is_binary=True), _body(arguments.mib, is_binary=False)
    with tempfile.TemporaryDirectory(prefix="home-") as home, platform(arguments.config, Path(home)) as served, _bare() as port:
        ways = {
            "bare": (port, _request("/infer", *binary)),
            "binary": (served.port, _request(ROUTE, *binary)),
            "json": (served.port, _request(ROUTE, *plain)),
        }
        cells = [
            _asked(way, number, *target, callers=arguments.callers, seconds=arguments.seconds)
            for number in range(arguments.rounds)
            for way, target in ways.items()
        ]
    facts = {**machine("ray", "fastapi", "uvicorn", "torch", "tritonclient"), "mib": arguments.mib, "callers": arguments.callers}
    share, gain = _ratio(cells, "binary", "bare"), _ratio(cells, "binary", "json")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**facts, "share": share, "cells": [asdict(cell) for cell in cells]}, indent=1) + "\n", encoding="utf-8")
    print(f"{facts}\n\n{_table(cells)}\n\nBinary: {share:.2f} of the bare endpoint (goal: at least {LEAST_SHARE}), {gain:.1f} times JSON.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.oip", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one round of 2 s")
    parser.add_argument("--config", type=Path, default=Path("serve_config.yaml"))
    parser.add_argument("--mib", type=float, default=1.0, help="of a tensor")
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds = 1, 2.0
    return arguments


def _body(mib: float, *, is_binary: bool) -> tuple[bytes, int | None]:
    """What tritonclient sends for a tensor of that size, and the length of its JSON part when more follows."""
    rows = np.random.default_rng(7).random((int(mib * 2**20 / 4 / len(FEATURE_NAMES)), len(FEATURE_NAMES)), dtype=np.float32)
    rows[:, len(DENSE_NAMES) :] = 1.0  # crosses are bucket numbers
    features = InferInput("features", list(rows.shape), "FP32").set_data_from_numpy(rows, binary_data=is_binary)
    scores = InferRequestedOutput("scores", binary_data=is_binary)
    body, length = InferenceServerClient.generate_request_body([features], outputs=[scores])
    return bytes(body), length


def _request(path: str, body: bytes, length: int | None) -> bytes:
    stated = (
        f"Inference-Header-Content-Length: {length}\r\nContent-Type: application/octet-stream"
        if length
        else "Content-Type: application/json"
    )
    return f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{stated}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def _bare() -> Iterator[int]:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "uvicorn", "benchmarks.oip.bare:app", "--factory", "--workers", str(WORKERS)]
    command += ["--port", str(port), "--loop", "uvloop", "--no-access-log", "--log-level", "warning"]
    server = subprocess.Popen(command, start_new_session=True)
    try:
        ends = time.monotonic() + START_S
        while not _answers(port):
            if server.poll() is not None or time.monotonic() > ends:
                raise RuntimeError("the bare endpoint did not start")
            time.sleep(0.2)
        yield port
    finally:
        server.terminate()
        server.wait(STOP_S)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/docs").is_success
    except httpx.TransportError:
        return False


def _asked(way: str, number: int, port: int, request: bytes, *, callers: int, seconds: float) -> Cell:
    seen = uvloop.run(load_in_turn(port, [request], callers=callers, seconds=seconds))
    cell = Cell(way, number, seen.per_s, seen.p50_ms, seen.p99_ms, seen.errors)
    print(cell, file=sys.stderr, flush=True)
    return cell


def _ratio(cells: list[Cell], way: str, other: str) -> float:
    """Of requests a second, median of the rounds."""
    per_s = {(cell.way, cell.round): cell.per_s for cell in cells}
    return statistics.median(per_s[way, number] / per_s[other, number] for number in {cell.round for cell in cells})


def _table(cells: list[Cell]) -> str:
    lines = ["| | requests/s | p50 ms | p99 ms | errors |", "|---|---|---|---|---|"]
    for way, named in (("bare", "bare FastAPI, binary"), ("binary", "`/v2`, binary"), ("json", "`/v2`, JSON")):
        same = [cell for cell in cells if cell.way == way]
        middle = [statistics.median(values) for values in zip(*((cell.per_s, cell.p50_ms, cell.p99_ms) for cell in same), strict=True)]
        lines.append(f"| {named} | {' | '.join(f'{value:.1f}' for value in middle)} | {sum(cell.errors for cell in same)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
