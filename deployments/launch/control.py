"""`livecart down` and `livecart status`, from any shell, whether the launcher lives or was killed."""

import json
import shutil
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import psutil

from deployments.launch import state
from deployments.launch.errors import NotRunningError
from deployments.launch.ports import Listener, listeners
from deployments.launch.sweep import processes_of, sweep

ORDERLY_S = 20.0


def down(home: Path) -> list[str]:
    """Stops the run of this home; returns the processes that could not be ended. Raises `NotRunningError`."""
    last = state.load(home)
    if last is None:
        raise NotRunningError(f"no livecart runs with the data in {home.resolve()}.")
    if state.is_locked(home):
        with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            launcher = psutil.Process(last.launcher_pid)
            launcher.send_signal(signal.SIGTERM)
            launcher.wait(ORDERLY_S)
    left = sweep(last.run_id)
    shutil.rmtree(last.folder, ignore_errors=True)
    state.forget(home)
    return left


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """One process of the run. `memory_mb`: proportional share of what it shares with others (PSS)."""

    pid: int
    name: str
    memory_mb: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Replica:
    """`log` is relative to the run's log folder; `pid` is None until the process has started."""

    pid: int | None
    state: str
    log: str | None


@dataclass(frozen=True, slots=True)
class Deployment:
    status: str
    message: str
    replicas: list[Replica]


@dataclass(frozen=True, slots=True)
class Status:
    """What runs now. `deployments` as the launcher saw them at most seconds ago; empty while starting."""

    run: state.RunState
    ready: bool
    launcher_alive: bool
    deployments: dict[str, Deployment]
    processes: list[ProcessUse]
    listeners: list[Listener]

    def to_dict(self) -> dict[str, object]:
        """For `livecart status --json`."""
        return asdict(self)


def read_status(home: Path) -> Status:
    """Raises `NotRunningError`."""
    run = state.load(home)
    if run is None:
        raise NotRunningError(f"no livecart runs with the data in {home.resolve()}. Start one with `livecart up`.")
    processes = processes_of(run.run_id)
    pids = {process.pid for process in processes}
    return Status(
        run=run,
        ready=_is_ready(run.url),
        launcher_alive=state.is_locked(home),
        deployments=_deployments(home),
        processes=[use for process in processes if (use := _use(process))],
        listeners=sorted(listeners(pids), key=lambda one: one.port),
    )


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5.0).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _deployments(home: Path) -> dict[str, Deployment]:
    try:
        found = json.loads((home / state.STATUS_FILE).read_text(encoding="utf-8"))["deployments"]
    except (FileNotFoundError, ValueError, KeyError):
        return {}
    return {
        name: Deployment(one["status"], one["message"], [Replica(**replica) for replica in one["replicas"]]) for name, one in found.items()
    }


def _use(process: psutil.Process) -> ProcessUse | None:
    try:
        title = " ".join(process.cmdline()).strip()
        name = title.split(" ")[0] if title.startswith("ray::") else process.name()
        times = process.cpu_times()
        return ProcessUse(process.pid, name, process.memory_full_info().pss / 2**20, times.user + times.system)
    except psutil.Error:
        return None
