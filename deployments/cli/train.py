"""`livecart train`: makes the shipped models again, or better ones. An interrupted run of the same folder is resumed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from deployments.cli.common import AsJson, print_json

app = typer.Typer(help="Train the models. Long runs show progress and resume.", no_args_is_help=True)
Out = Annotated[Path, typer.Option(help="Folder for the finished artifact and its manifest.")]
State = Annotated[Path, typer.Option("--run", help="Folder for checkpoints; the same folder resumes.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, or auto.")]
Seed = Annotated[int, typer.Option(help="Same seed, same data and weights.")]
Threads = Annotated[int, typer.Option(help="CPU threads.", min=1)]


def _finish(out: Path, scores: Mapping[str, float], *, as_json: bool) -> None:
    if as_json:
        print_json({"out": str(out), "scores": dict(scores)})
        return
    typer.echo(f"wrote {out}")
    for name, score in scores.items():
        typer.echo(f"  {name} {score:.4g}")


@app.command()
def detector(  # noqa: PLR0913  # a command's options
    out: Out,
    run: State = Path("runs/detector"),
    steps: Annotated[int, typer.Option(min=1)] = 3_000,
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = 1,
    *,
    as_json: AsJson = False,
) -> None:
    """Train the product detector on generated scenes.

    Example: `livecart train detector --out runs/my-detector --steps 3000`
    """
    from models.training.detector import train

    _finish(out, train(out, run=run, steps=steps, seed=seed, device=device, threads=threads), as_json=as_json)


@app.command()
def embedder(  # noqa: PLR0913  # a command's options
    out: Out,
    run: State = Path("runs/embedder"),
    steps: Annotated[int, typer.Option(min=1)] = 1_500,
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = 1,
    *,
    as_json: AsJson = False,
) -> None:
    """Train the picture embedder that tells products apart.

    Example: `livecart train embedder --out runs/my-embedder`
    """
    from models.training.embedder import train

    _finish(out, train(out, run=run, steps=steps, seed=seed, device=device, threads=threads), as_json=as_json)


@app.command()
def writer(
    out: Out,
    run: State = Path("runs/writer"),
    steps: Annotated[int, typer.Option(min=1)] = 2_400,
    seed: Seed = 20261121,
    *,
    as_json: AsJson = False,
) -> None:
    """Train the language model that answers and writes scripts, on generated conversations.

    Example: `livecart train writer --out runs/my-writer`
    """
    from models.training.writer import Plan, train

    _finish(out, train(out, state_folder=run, plan=Plan(steps=steps, seed=seed)), as_json=as_json)
