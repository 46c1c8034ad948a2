"""Starts what is compared with the platform: bare models, and callers, in processes of their own."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.served import STOP_S, configured
from benchmarks.vision.measured import Job
from deployments.launch.config import read_yaml
from deployments.settings import DetectorConfig, Settings


@dataclass(frozen=True, slots=True)
class Detectors:
    """What a configuration says of the detector."""

    config: DetectorConfig
    embedder: str
    replicas: int

    @classmethod
    def of(cls, path: Path) -> "Detectors":
        application, named = configured(path, "Detector")
        settings = Settings.model_validate(application.get("args", {}))
        if settings.placement.detector == "fused":
            return cls(settings.detector, settings.embedder, _replicas(configured(path, "Ingress")[1]))
        return cls(DetectorConfig.model_validate(named.get("user_config", {})), settings.embedder, _replicas(named))


def fused(path: Path, folder: Path) -> Path:
    """The configuration with the detector in the ingress, as a file in `folder`."""
    document = read_yaml(path)
    application, named = configured(path, "Detector")
    args = application.get("args") or {}
    placed = {
        **args,
        "placement": {**args.get("placement", {}), "detector": "fused"},
        "detector": {**args.get("detector", {}), **named.get("user_config", {})},
    }
    entries = [entry for entry in application["deployments"] if entry["name"] != "Detector"]
    changed = folder / "fused.yaml"
    changed.write_text(
        yaml.safe_dump({**document, "applications": [{**application, "args": placed, "deployments": entries}]}), encoding="utf-8"
    )
    return changed


def _replicas(entry: dict[str, Any]) -> int:
    return int(entry.get("num_replicas", entry.get("autoscaling_config", {}).get("min_replicas", 1)))


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
