"""`livecart up`: checks what can be checked at once, then becomes the run's process.

The environment must be complete when Ray is imported, and the launcher must carry the run's mark like all its children: hence `exec`.
"""

import os
import sys
from pathlib import Path

from deployments.launch import state
from deployments.launch.config import IMPORT_PATH, read_front_end
from deployments.launch.order import Order
from deployments.launch.ports import require_free
from deployments.launch.prepare import environment, prepare


def up(config: Path, home: Path, *, port: int | None, num_cpus: int | None, timeout_s: float, import_path: str = IMPORT_PATH) -> None:
    """Does not return: the process goes on as `deployments.launch.run`, whose exit status is the command's. Raises `LaunchError` before."""
    front_end = read_front_end(config, port=port)
    home = home.resolve()
    with state.lock(home):
        require_free(front_end.port)
    run = prepare(home)
    order = Order(run, config.resolve(), front_end.url, front_end.port, import_path, num_cpus, timeout_s)
    command = [sys.executable, "-m", "deployments.launch.run", order.to_json()]
    os.execve(sys.executable, command, environment(run, front_end))  # noqa: S606  # our own module
