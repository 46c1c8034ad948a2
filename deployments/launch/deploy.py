"""Hands the application to Ray Serve and watches until it answers."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from ray import serve
from ray.exceptions import RayError
from ray.serve._private.api import serve_start
from ray.serve._private.client import ServeControllerClient
from ray.serve.config import ProxyLocation, gRPCOptions
from ray.serve.schema import ApplicationStatus, ServeDeploySchema, ServeInstanceDetails

from deployments.launch.config import APPLICATION
from deployments.launch.errors import StartFailedError

LOG_LINES = 15
POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """One row of the progress display. `replicas`: running, of those wanted."""

    name: str
    status: str
    running: int
    wanted: int
    message: str


def deploy(schema: ServeDeploySchema) -> ServeControllerClient:
    """The calls of `serve run`: controller and front end first, then the application, without waiting for it. Raises `StartFailedError`."""
    try:
        client = serve_start(
            http_options=schema.http_options.model_dump(),
            proxy_location=ProxyLocation._normalize(schema.proxy_location),
            grpc_options=gRPCOptions(**schema.grpc_options.model_dump()),
            controller_options=schema.controller_options,
        )
    except (RayError, TimeoutError) as error:
        raise StartFailedError(f"Ray Serve's controller or front end did not start: {plain(str(error))}") from error
    client.deploy_apps(schema, _blocking=False)
    return client


def redeploy(schema: ServeDeploySchema) -> None:
    """Hands an edited application to the Serve that this process is connected to."""
    client = serve.context._get_global_client()
    client.deploy_apps(schema, _blocking=False)


def states() -> tuple[ApplicationStatus | None, str, list[DeploymentState]]:
    """The application's status and message, and its deployments."""
    application = serve.status().applications.get(APPLICATION)
    if application is None:
        return None, "", []
    rows = [
        DeploymentState(name, str(one.status.value), one.replica_states.get("RUNNING", 0), sum(one.replica_states.values()), one.message)
        for name, one in sorted(application.deployments.items())
    ]
    return application.status, application.message, rows


def wait_until_ready(url: str, show: Callable[[list[DeploymentState]], None], *, logs: Path, timeout_s: float) -> None:
    """Returns when `GET /readyz` answers 200. Raises `StartFailedError` with the deployment's own error, or after `timeout_s`."""
    ends = time.monotonic() + timeout_s
    with httpx.Client(base_url=url, timeout=5.0) as http:
        while time.monotonic() < ends:
            status, message, rows = states()
            show(rows)
            if status in {ApplicationStatus.DEPLOY_FAILED, ApplicationStatus.UNHEALTHY}:
                raise StartFailedError(failure(message, rows, logs))
            if status == ApplicationStatus.RUNNING and _answers(http):
                return
            time.sleep(POLL_S)
    raise StartFailedError(f"not ready after {timeout_s:.0f} s.\n{failure(message, rows, logs)}")


def _answers(http: httpx.Client) -> bool:
    try:
        return http.get("/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def failure(message: str, rows: list[DeploymentState], logs: Path) -> str:
    """What went wrong, the way the failing process said it: one line first, then the traceback and the end of its log."""
    bad = [row for row in rows if row.status not in {"HEALTHY", "UPDATING"}] or [row for row in rows if row.running < row.wanted]
    if not bad:
        return plain(message) or "every deployment is healthy, but GET /readyz does not answer 200"
    parts: list[str] = [f"{row.name}: {cause(row.message)}" for row in bad]
    for row in bad:
        parts.append(own_traceback(row.message))
        parts.extend(_last_lines(logs, row.name))
    return "\n\n".join(part for part in parts if part)


def plain(text: str) -> str:
    """Without terminal colours.

    >>> plain("\x1b[36mray::Worker\x1b[39m failed")
    'ray::Worker failed'
    """
    return re.sub(r"\x1b\[[0-9;]*m", "", text).strip()


def cause(message: str) -> str:
    """The last line of a traceback, which names the error.

    >>> cause("Traceback (most recent call last):\\n  File 'a.py'\\nKeyError: 'x'\\n")
    "KeyError: 'x'"
    """
    return plain(message).rpartition("\n")[2] or "no message"


def own_traceback(message: str) -> str:
    """From the last traceback on: what comes before it are Ray's own frames."""
    text = plain(message)
    return text[max(0, text.rfind("Traceback (most recent call last)")) :]


def _last_lines(logs: Path, deployment: str) -> Iterator[str]:
    found = sorted(logs.glob(f"serve/replica_{APPLICATION}_{deployment}_*.log"), key=lambda path: path.stat().st_mtime)
    for path in found[-1:]:
        if lines := path.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]:
            yield "\n".join([f"last lines of {path}:", *lines])


def snapshot(client: ServeControllerClient) -> dict[str, object]:
    """Deployments with their replicas, for `livecart status`: `{name: {"status", "message", "replicas": [{"pid", "state", "log"}]}}`."""
    details = ServeInstanceDetails(**client.get_serve_details())
    application = details.applications.get(APPLICATION)
    if application is None:
        return {}
    return {
        name: {
            "status": deployment.status.value,
            "message": deployment.message,
            "replicas": [{"pid": one.pid, "state": one.state.value, "log": one.log_file_path} for one in deployment.replicas],
        }
        for name, deployment in application.deployments.items()
    }
