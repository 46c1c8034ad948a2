"""Finds and ends every process of one run.

A process belongs to the run when its environment at start held `LIVECART_RUN=<id>`: children inherit it whoever adopts them. A process
that overwrote its environment is found as a descendant of one that did not.
"""

import os
import signal
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

RUN_VARIABLE = "LIVECART_RUN"


def _environment_bytes(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:  # gone, or another user's
        return b""


def _marked(run_id: str) -> Iterator[psutil.Process]:
    needle = f"{RUN_VARIABLE}={run_id}".encode()
    for pid in psutil.pids():
        if needle in _environment_bytes(pid).split(b"\0"):
            with suppress(psutil.NoSuchProcess):
                yield psutil.Process(pid)


def processes_of(run_id: str, *, spare: Collection[int] = ()) -> list[psutil.Process]:
    """Every live process of the run and its descendants, without the pids in `spare`."""
    found: dict[int, psutil.Process] = {}
    for process in _marked(run_id):
        found[process.pid] = process
        with suppress(psutil.NoSuchProcess):
            found |= {child.pid: child for child in process.children(recursive=True)}
    return [process for pid, process in found.items() if pid not in spare and _alive(process)]


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _send(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def reap_children() -> None:
    """Collects dead children, adopted ones too, so that they do not stay as zombies while the launcher lives."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def sweep(run_id: str, *, spare: Collection[int] = (), grace_s: float = 3.0) -> list[str]:
    """Ends the run's processes: TERM, after `grace_s` KILL, until none is left. Names those that could not be ended within 10 s more."""
    spared = {os.getpid(), *spare}
    _send(processes_of(run_id, spare=spared), signal.SIGTERM)
    term_ends = time.monotonic() + grace_s
    kill_ends = term_ends + 10.0
    while left := processes_of(run_id, spare=spared):
        now = time.monotonic()
        if now > kill_ends:
            return [f"{process.pid} {process.name()}" for process in left]
        if now > term_ends:
            _send(left, signal.SIGKILL)
        time.sleep(0.05)
    return []
