"""`livecart catalog import` and `livecart events import`: files into a running server."""

from pathlib import Path
from typing import Annotated

import typer

from deployments.cli.common import AsJson, Key, Url
from deployments.cli.sending import Batch, finish, send
from deployments.rows import read_rows, to_event, to_product

catalog = typer.Typer(help="Products of the shop.", no_args_is_help=True)
events = typer.Typer(help="What viewers did.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="CSV with a header line, or JSONL with one object a line.", exists=True, dir_okay=False)]


@catalog.command("import")
def import_catalog(file: File, *, url: Url = "", key: Key = "", batch: Batch = 500, as_json: AsJson = False) -> None:
    """Insert or update products; the same file may be imported again.

    CSV columns: product_id, title, category, price, and if wanted brand, currency, description, tags (a|b), stock, attributes.NAME.

    Examples: `livecart catalog import products.csv`; `livecart catalog import products.jsonl --key $KEY`
    """
    sent = send(read_rows(file, to_product), "/v1/products", "products", url=url, key=key, batch=batch)
    finish({"file": str(file), "products": sent["rows"]}, as_json=as_json)


@events.command("import")
def import_events(file: File, *, url: Url = "", key: Key = "", batch: Batch = 500, as_json: AsJson = False) -> None:
    """Append events. Events that the server already has are counted as duplicates, so an interrupted import is simply run again.

    CSV columns: event_id, viewer_id, type, at (ISO 8601 with a zone), and if wanted room_id, product_id, value, text.

    Example: `livecart events import events.jsonl`
    """
    sent = send(read_rows(file, to_event), "/v1/events", "events", url=url, key=key, batch=batch)
    finish({"file": str(file), "accepted": sent.get("accepted", 0), "duplicates": sent.get("duplicates", 0)}, as_json=as_json)
