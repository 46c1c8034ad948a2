"""Starts a server, asks it from another process, and ends every process that it left."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.overhead.client import Load
from benchmarks.overhead.nodes import BODY_BYTES
from benchmarks.overhead.serve import OURS
from deployments.launch.config import FrontEnd
from deployments.launch.ports import free_ports
from deployments.launch.prepare import environment, prepare
from deployments.launch.sweep import RUN_VARIABLE, processes_of, sweep

START_S = 120.0
STOP_S = 15.0
REST_S = 20.0  # at most
RESTING = 0.15  # cores


@dataclass(frozen=True, slots=True)
class Server:
    name: str
    port: int
    run_id: str
    start_s: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One server, one kind of node, one number of callers, one round."""

    server: str
    kind: str
    load: Load
    cpu_ms: float  # of all the server's processes, per answered request


@contextmanager
def serving(name: str, home: Path) -> Iterator[Server]:
    """A running server; no process of it is left afterwards.

    Raises:
        RuntimeError: it did not answer within two minutes; the message holds the end of its output.
    """
    (port,) = free_ports(1)
    run_id, variables = _environment(name, port, home)
    started = time.monotonic()
    with (home / f"{name}.log").open("ab") as log:
        command = [sys.executable, "-m", "benchmarks.overhead.serve", name, str(port)]
        process = subprocess.Popen(command, env=variables, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait_until_it_answers(process, port, Path(log.name))
            server = Server(name, port, run_id, time.monotonic() - started)
            _wait_until_it_rests(server)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
            sweep(run_id)
            shutil.rmtree(variables["OVERHEAD_FOLDER"], ignore_errors=True)


def _environment(name: str, port: int, home: Path) -> tuple[str, dict[str, str]]:
    """The run's id and its variables: livecart's launcher decides ours; the others get none of Ray's."""
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    if name in OURS:
        run = prepare(home)
        variables = environment(run, FrontEnd("127.0.0.1", port))
        return run.run_id, {**variables, **one_thread, "OVERHEAD_FOLDER": str(run.folder)}
    run_id = uuid.uuid4().hex[:12]
    folder = home / run_id
    folder.mkdir()
    clean = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    return run_id, {**clean, **one_thread, "OVERHEAD_FOLDER": str(folder), RUN_VARIABLE: run_id, "RAY_USAGE_STATS_ENABLED": "0"}


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    ends = time.monotonic() + START_S
    while time.monotonic() < ends and process.poll() is None:
        try:
            request = urllib.request.Request(f"http://127.0.0.1:{port}/work", data=bytes(BODY_BYTES), method="POST")  # ours
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  # ours
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError("the server did not answer:\n" + "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]))


def _wait_until_it_rests(server: Server) -> None:
    """Ray goes on starting idle workers after it answers: not what is to be measured."""
    ends = time.monotonic() + REST_S
    while time.monotonic() < ends:
        before = _cpu_s(server)
        time.sleep(1.0)
        if _cpu_s(server) - before < RESTING:
            return


def measure(server: Server, kind: str, *, callers: int, seconds: float) -> Measured:
    """Load the server from a process of its own."""
    before = _cpu_s(server)
    command = [sys.executable, "-m", "benchmarks.overhead.client", *map(str, (server.port, f"/{kind}", callers, seconds, BODY_BYTES))]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 60)
    load = Load(**json.loads(answer.stdout))
    cpu_s = _cpu_s(server) - before
    share = seconds / (seconds + 1.0)  # the warm-up was work too
    return Measured(server.name, kind, load, cpu_s * share / max(1, load.requests) * 1_000)


def _cpu_s(server: Server) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes_of(server.run_id))
