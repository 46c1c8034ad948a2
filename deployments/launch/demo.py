"""Fills an empty store with the demo world while the deployments start."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ray.serve.schema import ServeDeploySchema

from deployments.launch.config import IMPORT_PATH
from deployments.launch.errors import StartFailedError

LOG = "demo.log"


def start_demo(schema: ServeDeploySchema, logs: Path) -> "subprocess.Popen[bytes] | None":
    """The loader in a process of its own (it needs torch, the launcher does not); None when the settings say `demo: false`."""
    (application,) = schema.applications
    if application.import_path != IMPORT_PATH or application.args.get("demo") is False:
        return None
    detector = next((d.user_config for d in application.deployments if d.name == "Detector" and isinstance(d.user_config, dict)), {})
    settings = json.dumps({**application.args, "detector": detector})
    with (logs / LOG).open("wb") as log:
        return subprocess.Popen([sys.executable, "-m", "deployments.demo", settings], stdout=log, stderr=subprocess.STDOUT)  # noqa: S603  # our own module


def wait_for_demo(loader: "subprocess.Popen[bytes] | None", logs: Path, waiting: Callable[[], None]) -> None:
    """Return once the store is filled. Raises StartFailedError with the loader's last words."""
    while loader is not None and loader.poll() is None:
        waiting()
        time.sleep(0.2)
    if loader is not None and loader.returncode != 0:
        raise StartFailedError(
            f"the demo world could not be loaded: {last_line(logs)}\nLook into {logs / LOG}, or start with `demo: false`."
        )


def last_line(logs: Path) -> str:
    lines = (logs / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1] if lines else "demo world"
