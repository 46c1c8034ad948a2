"""Joins the running platform, deploys an edited file, waits until it answers: `python -m deployments.launch.redeploy`, by `up.py`."""

import logging
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

import ray
from rich.console import Console

from deployments.launch import state
from deployments.launch.check import require_loadable
from deployments.launch.config import LOOPBACK, read_yaml
from deployments.launch.deploy import redeploy, wait_until_ready
from deployments.launch.errors import LaunchError, NotRunningError
from deployments.launch.plan import plan
from deployments.launch.progress import Progress
from deployments.launch.schema import read_schema


def main() -> None:
    home, config, import_path, timeout_s = sys.argv[1:]
    console = Console(highlight=False)
    try:
        _deploy(Path(home), Path(config), import_path, float(timeout_s), console)
    except LaunchError as error:
        console.print(f"[red]not deployed[/red] ({type(error).__name__})")
        console.print(str(error), markup=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("Not waiting any more; the platform goes on deploying. `livecart status` shows how far it is.")
        sys.exit(130)


def _deploy(home: Path, config: Path, import_path: str, timeout_s: float, console: Console) -> None:
    running = state.load(home)
    if running is None:
        raise NotRunningError(f"no livecart runs with the data in {home}. Start one with `livecart up`.")
    edited = read_yaml(config)
    require_loadable(plan(read_yaml(home / state.DEPLOYED_FILE), edited), edited)
    schema = read_schema(config, port=urlsplit(running.url).port or 80, import_path=import_path)
    ray.init(address=running.gcs_address, namespace="serve", _node_ip_address=LOOPBACK, log_to_driver=False, logging_level=logging.ERROR)
    redeploy(schema)
    with Progress(console) as progress:
        wait_until_ready(running.url, progress.show, logs=Path(running.logs), timeout_s=timeout_s)
        took_s = progress.elapsed_s
    shutil.copyfile(config, home / state.DEPLOYED_FILE)
    console.print(f"[green]Deployed[/green] {config} after {took_s:.1f} s: {running.url}", soft_wrap=True)


if __name__ == "__main__":
    main()
