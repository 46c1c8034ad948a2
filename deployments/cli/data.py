"""`livecart catalog import` and `livecart events import`: files into a running server."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.cli.common import AsJson, Key, Url, fail, print_json, refusal, server
from deployments.cli.rows import Row, RowError, read_rows, to_event, to_product

if TYPE_CHECKING:
    import httpx

catalog = typer.Typer(help="Products of the shop.", no_args_is_help=True)
events = typer.Typer(help="What viewers did.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="CSV with a header line, or JSONL with one object a line.", exists=True, dir_okay=False)]
Batch = Annotated[int, typer.Option(help="Rows a request; the server takes 1,000.", min=1, max=1_000)]


@catalog.command("import")
def import_catalog(file: File, *, url: Url = "", key: Key = "", batch: Batch = 500, as_json: AsJson = False) -> None:
    """Insert or update products; the same file may be imported again.

    CSV columns: product_id, title, category, price, and if wanted brand, currency, description, tags (a|b), stock, attributes.NAME.

    Examples: `livecart catalog import products.csv`; `livecart catalog import products.jsonl --key $KEY`
    """
    sent = _send(read_rows(file, to_product), "/v1/products", "products", url=url, key=key, batch=batch)
    _finish({"file": str(file), "products": sent["rows"]}, as_json=as_json)


@events.command("import")
def import_events(file: File, *, url: Url = "", key: Key = "", batch: Batch = 500, as_json: AsJson = False) -> None:
    """Append events. Events that the server already has are counted as duplicates, so an interrupted import is simply run again.

    CSV columns: event_id, viewer_id, type, at (ISO 8601 with a zone), and if wanted room_id, product_id, value, text.

    Example: `livecart events import events.jsonl`
    """
    sent = _send(read_rows(file, to_event), "/v1/events", "events", url=url, key=key, batch=batch)
    _finish({"file": str(file), "accepted": sent.get("accepted", 0), "duplicates": sent.get("duplicates", 0)}, as_json=as_json)


def _send(rows: Iterator[Row], route: str, name: str, *, url: str, key: str, batch: int) -> dict[str, int]:
    """Sends all rows; returns the row count and the sums of the numbers that the server answered."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    totals = {"rows": 0}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with server(url, key) as http, Progress(*columns, console=Console(stderr=True)) as progress:
        try:
            everything = list(rows)
        except RowError as error:
            fail(str(error))
        task = progress.add_task(f"importing {name}", total=len(everything))
        for chunk in _batches(everything, batch):
            for field, number in _post(http, route, {name: chunk}, after=totals["rows"]).items():
                totals[field] = totals.get(field, 0) + number
            totals["rows"] += len(chunk)
            progress.update(task, completed=totals["rows"])
    return totals


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _post(http: "httpx.Client", route: str, body: object, *, after: int) -> dict[str, int]:
    response = http.post(route, json=body)
    if response.is_error:
        fail(f"rows after number {after} were refused (those before are stored).\n{refusal(response)}")
    answer = response.json()
    return {field: number for field, number in answer.items() if isinstance(number, int)} if isinstance(answer, dict) else {}


def _finish(result: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(result)
    else:
        typer.echo(", ".join(f"{name} {value}" for name, value in result.items()))
