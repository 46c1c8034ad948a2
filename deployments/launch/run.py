"""The process that lives as long as the platform: `python -m deployments.launch.run ORDER`, exec'd by `up.py`."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
import ray
from ray.exceptions import RayError
from ray.serve._private.client import ServeControllerClient
from rich.console import Console

from deployments.launch import guardian, state
from deployments.launch.cluster import LeanNode, dead_process, start_ray
from deployments.launch.demo import start_demo, wait_for_demo
from deployments.launch.deploy import DeploymentState, deploy, snapshot, wait_until_ready
from deployments.launch.errors import LaunchError, StartFailedError
from deployments.launch.order import Order
from deployments.launch.ports import require_free
from deployments.launch.progress import Progress
from deployments.launch.schema import read_schema
from deployments.launch.signals import StopSignals, adopt_orphans
from deployments.launch.sweep import processes_of, reap_children, sweep

DRAIN_S = 5.0  # what requests that are being answered get before the replicas are stopped
WATCH_S = 2.0


def main() -> None:
    order = Order.from_json(sys.argv[1])
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    sys.exit(run(order, Console(highlight=False)))


def run(order: Order, console: Console) -> int:
    """Starts, waits for a signal, stops. The exit status: 0 when asked to stop, 1 when something failed."""
    adopt_orphans()
    signals = StopSignals()
    signals.install()
    try:
        with state.lock(order.run.home):
            _end_leftovers(order.run.home, console)
            require_free(order.port)
            with _everything_ends(order, signals, console):
                _serve(order, signals, console)
    except KeyboardInterrupt:
        return 0
    except LaunchError as error:
        console.print(f"[red]livecart stopped[/red] ({type(error).__name__})")
        console.print(str(error), markup=False, soft_wrap=True)
        return 1
    finally:
        shutil.rmtree(order.run.folder, ignore_errors=True)
    return 0


def _serve(order: Order, signals: StopSignals, console: Console) -> None:
    schema = read_schema(order.config, port=order.port, import_path=order.import_path)
    started = time.monotonic()
    console.print(f"Starting Ray and {order.config} ...")
    node = start_ray(order.run.folder, num_cpus=order.num_cpus)
    signals.install()  # ray.init() takes SIGTERM
    signals.check()
    _remember(order, gcs_address=node.gcs_address)
    loader = start_demo(schema, order.run.logs)
    client = deploy(schema)
    shutil.copyfile(order.config, order.run.home / state.DEPLOYED_FILE)
    with Progress(console) as progress:

        def show(rows: list[DeploymentState]) -> None:
            signals.check()
            progress.show(rows)
            _publish(order.run.home, client)

        wait_until_ready(order.url, show, logs=order.run.logs, timeout_s=order.timeout_s)
        wait_for_demo(loader, order.run.logs, lambda: show([]))
    _announce(order, console, took_s=time.monotonic() - started)
    _watch(order, node, client, signals)


def _announce(order: Order, console: Console, *, took_s: float) -> None:
    question = '{"question": "Is shipping free?"}'
    console.print(f"[green]Ready[/green] after {took_s:.1f} s: [bold]{order.url}[/bold]  (console at /, reference at /docs)")
    console.print(
        f"  try   curl -s {order.url}/v1/answer -H 'Content-Type: application/json' -d '{question}'", markup=False, soft_wrap=True
    )
    console.print(f"  logs  {order.run.logs}", soft_wrap=True)
    console.print("  stop  Ctrl-C, or `livecart down` from another shell")


def _watch(order: Order, node: LeanNode, client: ServeControllerClient, signals: StopSignals) -> None:
    """Keeps status.json fresh until a signal comes. Raises `StartFailedError` when a process of Ray's own is gone."""
    while True:
        if dead := dead_process(node):
            raise StartFailedError(f"Ray's {dead} ended by itself; everything is stopped. Look into {order.run.logs}.")
        _publish(order.run.home, client)
        reap_children()
        signals.check()
        time.sleep(WATCH_S)


def _publish(home: Path, client: ServeControllerClient) -> None:
    """For `livecart status` in another shell."""
    with suppress(RayError, TimeoutError):  # a controller that restarts: the next look finds it
        state.write_json(home / state.STATUS_FILE, {"at": _now(), "deployments": snapshot(client)})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _remember(order: Order, *, gcs_address: str) -> None:
    run = order.run
    state.save(
        run.home,
        state.RunState(
            run_id=run.run_id,
            launcher_pid=os.getpid(),
            url=order.url,
            config=str(order.config),
            folder=str(run.folder),
            logs=str(run.logs),
            started_at=_now(),
            gcs_address=gcs_address,
        ),
    )


def _end_leftovers(home: Path, console: Console) -> None:
    """What a launcher that was killed left, if its guardian was killed too."""
    last = state.load(home)
    if last is None:
        return
    if processes_of(last.run_id):
        console.print("Ending what the last run left behind ...")
        sweep(last.run_id)
    shutil.rmtree(last.folder, ignore_errors=True)
    state.forget(home)


@contextmanager
def _everything_ends(order: Order, signals: StopSignals, console: Console) -> Iterator[None]:
    """Whatever happens inside, no process, port or file of the run is left."""
    run = order.run
    command = [sys.executable, "-m", guardian.__name__, run.run_id, str(run.folder)]
    watcher = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)  # noqa: S603  # our own module
    _remember(order, gcs_address="")
    try:
        yield
    finally:
        signals.stopping()
        started = time.monotonic()
        console.print("Stopping ... (Ctrl-C again: without waiting for requests)")
        run.stopping.touch()
        _drain(run.run_id, signals)
        _disconnect()
        left = sweep(run.run_id, spare=[watcher.pid], grace_s=2.0)
        watcher.communicate(guardian.DONE)
        state.forget(run.home)
        if left:
            console.print(f"[red]could not end[/red] {', '.join(left)}")
        console.print(f"Stopped after {time.monotonic() - started:.1f} s. Logs: {run.logs}", soft_wrap=True)


def _drain(run_id: str, signals: StopSignals) -> None:
    """HAProxy stops listening and ends when its last request is answered, after `DRAIN_S` at the latest."""
    fronts = [process for process in processes_of(run_id) if process.name() == "haproxy"]
    for process in fronts:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGUSR1)
    ends = time.monotonic() + DRAIN_S
    while time.monotonic() < ends and not signals.hurry.is_set():
        if not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in fronts):
            return
        signals.hurry.wait(0.05)


def _disconnect() -> None:
    """Leaves Ray; a driver whose cluster is gone would wait for it. In a thread, because a sick cluster can hold the call."""
    leaving = threading.Thread(target=ray.shutdown, daemon=True)
    leaving.start()
    leaving.join(timeout=3.0)


if __name__ == "__main__":
    main()
