"""Starts what is measured: the platform in a home of its own, bare models and callers in processes of their own."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from benchmarks.vision.measured import Job
from deployments.launch import state
from deployments.launch.config import APPLICATION, read_yaml
from deployments.launch.ports import free_ports
from deployments.launch.sweep import processes_of
from deployments.settings import DetectorConfig, Settings

START_S = 300.0
STOP_S = 60.0


@dataclass(frozen=True, slots=True)
class Detectors:
    """What a configuration says of the detector."""

    config: DetectorConfig
    embedder: str
    replicas: int

    @classmethod
    def of(cls, path: Path) -> "Detectors":
        applications = cast("list[dict[str, Any]]", read_yaml(path)["applications"])
        application = next(one for one in applications if one["name"] == APPLICATION)
        named: dict[str, Any] = next((one for one in application.get("deployments", []) if one["name"] == "Detector"), {})
        scaled = named.get("autoscaling_config", {}).get("min_replicas", 1)
        return cls(
            DetectorConfig.model_validate(named.get("user_config", {})),
            Settings.model_validate(application.get("args", {})).embedder,
            int(named.get("num_replicas", scaled)),
        )


@dataclass(frozen=True, slots=True)
class Platform:
    port: int
    run_id: str

    def cpu_s(self) -> float:
        """That its processes have used so far."""
        return sum(sum(process.cpu_times()[:2]) for process in processes_of(self.run_id))


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


class Worker:
    """A process that works off jobs, one line each."""

    def __init__(self, module: str, *arguments: str) -> None:
        """Returns when the process is ready, with its greeting in `hello`."""
        command = [sys.executable, "-m", f"benchmarks.vision.{module}", *arguments]
        self._name = module
        # in a session of its own, as the platform's processes are: Linux divides the cores between sessions first
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.hello = self.result()

    def start(self, job: Job) -> None:
        print(json.dumps(asdict(job)), file=self._process.stdin, flush=True)

    def result(self) -> dict[str, Any]:
        """Of the job that was started last. Raises RuntimeError when the process has ended."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(f"{self._name} ended with {self._process.wait()}")
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(STOP_S)
