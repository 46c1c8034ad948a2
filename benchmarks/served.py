"""The platform as it is measured, in a home of its own, and the machine that it is measured on."""

import platform as python
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

import psutil

from deployments.launch import state
from deployments.launch.config import APPLICATION, read_yaml
from deployments.launch.ports import free_ports
from deployments.launch.sweep import processes_of

START_S = 300.0
STOP_S = 60.0
IDLE_S = 3.0


def configured(path: Path, deployment: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a configuration says of the application and of one of its deployments."""
    applications = cast("list[dict[str, Any]]", read_yaml(path)["applications"])
    application = next(one for one in applications if one["name"] == APPLICATION)
    return application, next((one for one in application.get("deployments", []) if one["name"] == deployment), {})


@dataclass(frozen=True, slots=True)
class Platform:
    port: int
    run_id: str

    def cpu_s(self) -> float:
        """That its processes have used so far."""
        return sum(sum(process.cpu_times()[:2]) for process in processes_of(self.run_id))

    def idle_cores(self) -> float:
        """CPU seconds a second that it takes when nobody asks: what it costs its peer on this machine."""
        before = self.cpu_s()
        time.sleep(IDLE_S)
        return (self.cpu_s() - before) / IDLE_S


@contextmanager
def platform(config: Path, home: Path) -> Iterator[Platform]:
    """`livecart up`, until the block ends. Raises RuntimeError with its output when it does not get ready."""
    (port,) = free_ports(1)
    output = home / "output.txt"
    command = [str(Path(sys.executable).with_name("livecart")), "up", "--config", str(config), "--home", str(home), "--port", str(port)]
    with output.open("wb") as file:
        launcher = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        ends = time.monotonic() + START_S
        while "Ready" not in output.read_text(encoding="utf-8"):
            if launcher.poll() is not None or time.monotonic() > ends:
                raise RuntimeError(f"the platform did not start:\n{output.read_text(encoding='utf-8')}")
            time.sleep(0.5)
        run = state.load(home)
        if run is None:
            raise RuntimeError(f"the platform left no state in {home}")
        yield Platform(port, run.run_id)
    finally:
        launcher.send_signal(signal.SIGINT)
        launcher.wait(STOP_S)


def machine(*packages: str) -> dict[str, object]:
    """What a reader has to know of a number: when, on what, with which versions."""
    return {
        "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "load_before": round(psutil.getloadavg()[0], 1),
        "python": python.python_version(),
        **{name: _version(name) for name in packages},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
