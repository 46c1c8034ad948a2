"""CSV and JSONL rows as the objects of the HTTP API.

A JSONL line is the object itself. In CSV, `price` and `currency` make the price (CNY when the column is missing), columns named
`attributes.colour` make attributes, `tags` are separated by `|`, empty cells are left out.
"""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

Row = dict[str, object]
CURRENCY = "CNY"
ATTRIBUTE = "attributes."
PARSED = frozenset({"price", "currency", "tags", "stock"})


class RowError(Exception):
    """A line that cannot be read; its text names file and line."""


def read_rows(path: Path, convert: Callable[[dict[str, str]], Row]) -> Iterator[Row]:
    """The rows of a `.csv` or `.jsonl` file; CSV cells go through `convert`. Raises `RowError`."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        yield from _read_csv(path, convert)
    elif suffix in {".jsonl", ".ndjson"}:
        yield from _read_jsonl(path)
    else:
        raise RowError(f"{path} ends in {suffix or 'nothing'}; .csv, .jsonl and .ndjson are read.")


def _read_csv(path: Path, convert: Callable[[dict[str, str]], Row]) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        for cells in reader:
            if None in cells or None in cells.values():
                raise RowError(f"{path}, line {reader.line_num}: it has not as many cells as the header.")
            try:
                yield convert({name.strip(): cell.strip() for name, cell in cells.items() if cell.strip()})
            except ValueError as error:
                raise RowError(f"{path}, line {reader.line_num}: {error}") from error


def _read_jsonl(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise RowError(f"{path}, line {number}: {error}") from error
            if not isinstance(row, dict):
                raise RowError(f"{path}, line {number}: an object is needed, not {type(row).__name__}.")
            yield row


def to_product(cells: dict[str, str]) -> Row:
    """One product of `POST /v1/products`.

    >>> to_product({"product_id": "p1", "price": "9.90", "attributes.colour": "red", "tags": "home|new"})
    {'product_id': 'p1', 'price': {'amount': '9.90', 'currency': 'CNY'}, 'attributes': {'colour': 'red'}, 'tags': ['home', 'new']}
    """
    row: Row = {name: cell for name, cell in cells.items() if not name.startswith(ATTRIBUTE) and name not in PARSED}
    if "price" in cells:
        row["price"] = {"amount": cells["price"], "currency": cells.get("currency", CURRENCY)}
    attributes = {name.removeprefix(ATTRIBUTE): cell for name, cell in cells.items() if name.startswith(ATTRIBUTE)}
    if attributes:
        row["attributes"] = attributes
    if "tags" in cells:
        row["tags"] = [tag.strip() for tag in cells["tags"].split("|")]
    if "stock" in cells:
        row["stock"] = int(cells["stock"])
    return row


def to_event(cells: dict[str, str]) -> Row:
    """One event of `POST /v1/events`.

    >>> to_event({"event_id": "e1", "type": "watch", "value": "12.5"})
    {'event_id': 'e1', 'type': 'watch', 'value': 12.5}
    """
    row: Row = dict(cells)
    if "value" in cells:
        row["value"] = float(cells["value"])
    return row
