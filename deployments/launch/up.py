"""`livecart up` and `livecart deploy`: check what can be checked at once, then become the process that does it.

The environment must be complete when Ray is imported, and a launcher must carry its run's mark like all its children: hence `exec`.
"""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from deployments.launch import state
from deployments.launch.check import require_keys, require_sound
from deployments.launch.config import IMPORT_PATH, read_front_end, read_yaml
from deployments.launch.errors import ConfigRefusedError, NotRunningError
from deployments.launch.order import Order
from deployments.launch.plan import Change, Consequence, at_port, plan
from deployments.launch.ports import require_free
from deployments.launch.prepare import environment, prepare, visitor_environment


def up(config: Path, home: Path, *, port: int | None, num_cpus: int | None, timeout_s: float, import_path: str = IMPORT_PATH) -> None:
    """Does not return: the process goes on as `deployments.launch.run`, whose exit status is the command's. Raises `LaunchError` before."""
    front_end = read_front_end(config, port=port)
    home = home.resolve()
    with state.lock(home):
        require_free(front_end.port)
    require_sound(config, import_path=import_path)
    require_keys(os.environ)
    run = prepare(home)
    order = Order(run, config.resolve(), front_end.url, front_end.port, import_path, num_cpus, timeout_s)
    command = [sys.executable, "-m", "deployments.launch.run", order.to_json()]
    os.execve(sys.executable, command, environment(run, front_end))  # noqa: S606  # our own module


def changes(config: Path, home: Path) -> list[Change]:
    """What deploying this file into the running platform would change. Raises `NotRunningError` and `ConfigRefusedError`."""
    deployed = home / state.DEPLOYED_FILE
    if not deployed.exists():
        raise NotRunningError(f"no livecart runs with the data in {home.resolve()}: there is nothing to compare with.")
    running, edited = state.load(home), read_yaml(config)
    return plan(at_port(read_yaml(deployed), edited, urlsplit(running.url).port if running else None), edited)


def redeploy(config: Path, home: Path, *, timeout_s: float, import_path: str = IMPORT_PATH) -> None:
    """Does not return: the process goes on as `deployments.launch.redeploy`. Raises `LaunchError` before."""
    running = state.load(home)
    if running is None:
        raise NotRunningError(f"no livecart runs with the data in {home.resolve()}. Start one with `livecart up`.")
    require_sound(config, import_path=import_path)
    fixed = [change.where for change in changes(config, home) if change.consequence is Consequence.NEW_START]
    if fixed:
        raise ConfigRefusedError(
            f"{config} changes {', '.join(fixed)}, which a running platform cannot: `livecart down`, then `livecart up`."
        )
    command = [sys.executable, "-m", "deployments.launch.redeploy", str(home.resolve()), str(config.resolve()), import_path, str(timeout_s)]
    os.execve(sys.executable, command, visitor_environment(Path(running.folder)))  # noqa: S606  # our own module
