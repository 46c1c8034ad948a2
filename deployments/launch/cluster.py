"""Ray on this machine, in this process's tree, with nothing that livecart does not use.

Built on `ray._private.node` (Ray is pinned): `ray.init()` would also start the dashboard's server, the autoscaler's monitor and
the log monitor, 170 MB and two seconds for nothing.
"""

import logging
from pathlib import Path

import psutil
import ray
from ray._private.node import Node
from ray._private.parameter import RayParams
from ray._private.resource_isolation_config import ResourceIsolationConfig

from deployments.launch.config import LOOPBACK
from deployments.launch.errors import StartFailedError
from deployments.launch.prepare import SESSION

OBJECT_STORE_BYTES = 200 * 2**20  # frames and features travel by value; nothing large lives there


class LeanNode(Node):  # type: ignore[misc]  # Ray has no types
    """A head node without the dashboard's server; `RayParams` switches the two monitors off."""

    def start_api_server(self, *, include_dashboard: bool | None, raise_on_failure: bool) -> None:
        """Left out."""


def start_ray(folder: Path, *, num_cpus: int | None) -> LeanNode:
    """Starts the node and connects this process. `num_cpus`: what Ray may hand out; None means the machine's cores."""
    parameters = RayParams(
        node_ip_address=LOOPBACK,
        temp_dir=str(folder),
        session_name=SESSION,
        num_cpus=num_cpus,
        object_store_memory=OBJECT_STORE_BYTES,
        dashboard_host=LOOPBACK,
        include_log_monitor=False,
        no_monitor=True,
        resource_isolation_config=ResourceIsolationConfig(),
    )
    try:
        node = LeanNode(parameters, head=True, shutdown_at_exit=False, spawn_reaper=True)
        ray.init(
            address=node.gcs_address,
            namespace="serve",
            _node_ip_address=LOOPBACK,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (RuntimeError, OSError, ValueError) as error:
        raise StartFailedError(f"Ray did not start: {error}. Its logs are in {folder / SESSION / 'logs'}.") from error
    return node


def dead_process(node: LeanNode) -> str | None:
    """The name of a Ray process that ended by itself, if one did."""
    dead: list[tuple[str, psutil.Process]] = node.dead_processes()
    return dead[0][0] if dead else None
