"""`livecart graphs draw`: the graphs as a running server serves them."""

from pathlib import Path
from typing import Annotated

import typer

from deployments.cli.common import AsJson, Key, Url, print_json, server_url
from livecart_client.cli import calling, plain

app = typer.Typer(help="The inference graphs.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The inference graphs of a running server."""


@app.command()
def draw(
    name: Annotated[str, typer.Argument(help="One graph; without it, all.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for one .mmd file a graph, instead of standard output.")] = None,
    *,
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Draw graphs as Mermaid, or print their nodes with timeouts, fallbacks and latencies with --json.

    Examples: `livecart graphs draw recognize`; `livecart graphs draw --out docs/graphs`
    """
    with calling(server_url(url), key) as client:
        found = client.graphs.page().items
        names = [name] if name else [graph.name for graph in found]
        if as_json:
            print_json([plain(graph) for graph in found if graph.name in names])
            return
        drawings = {one: client.graphs.mermaid(one) for one in names}
    for one, drawing in drawings.items():
        if out is None:
            typer.echo(drawing)
        else:
            out.mkdir(parents=True, exist_ok=True)
            (out / f"{one}.mmd").write_text(drawing.rstrip() + "\n", encoding="utf-8")
            typer.echo(str(out / f"{one}.mmd"))
