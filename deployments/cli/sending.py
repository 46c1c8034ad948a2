"""Rows of a file into a running server, a batch at a time, with progress."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.cli.common import fail, print_json, refusal, server
from deployments.rows import Row, RowError

if TYPE_CHECKING:
    import httpx
    from rich.progress import Progress

Batch = Annotated[int, typer.Option(help="Rows a request; the server takes 1,000.", min=1, max=1_000)]


def send(rows: Iterator[Row], route: str, name: str, *, url: str, key: str, batch: int) -> dict[str, int]:
    """Sends all rows; returns the row count and the sums of the numbers that the server answered."""
    totals = {"rows": 0}
    with server(url, key) as http, progress_bar() as progress:
        try:
            everything = list(rows)
        except RowError as error:
            fail(str(error))
        task = progress.add_task(f"importing {name}", total=len(everything))
        for chunk in _batches(everything, batch):
            for field, number in _post(http, route, {name: chunk}, after=totals["rows"], count=len(chunk)).items():
                totals[field] = totals.get(field, 0) + number
            totals["rows"] += len(chunk)
            progress.update(task, completed=totals["rows"])
    return totals


def progress_bar() -> "Progress":
    """On standard error: description, bar, how many of how many, time."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _post(http: "httpx.Client", route: str, body: object, *, after: int, count: int) -> dict[str, int]:
    response = http.post(route, json=body)
    if response.is_error:
        stored = f"rows 1 to {after} are stored" if after else "nothing was stored"
        fail(f"rows {after + 1} to {after + count} were refused; {stored}.\n{refusal(response)}")
    answer = response.json()
    return {field: number for field, number in answer.items() if isinstance(number, int)} if isinstance(answer, dict) else {}


def finish(result: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(result)
    else:
        typer.echo(", ".join(f"{name} {value}" for name, value in result.items()))
