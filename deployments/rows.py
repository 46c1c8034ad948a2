"""CSV and JSONL rows as the objects of the HTTP API.

A JSONL line is the object itself. In CSV, `price` and `currency` make the price (CNY when the column is missing), columns named
`attributes.colour` make attributes, `tags` are separated by `|`, empty cells are left out. Files are UTF-8, or in the encoding that their
bytes are likeliest in: spreadsheets of Chinese offices write GB18030.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from deployments.knowledge.encodings import file_encoding
from deployments.knowledge.limits import FileRefusedError
from models.json_text import json_value

Row = dict[str, object]
CURRENCY = "CNY"
ATTRIBUTE = "attributes."
READ = frozenset({".csv", ".jsonl", ".ndjson"})
CHINESE_COLUMNS = {
    "编号": "document_id",
    "类型": "kind",
    "商品编号": "product_id",
    "问题": "question",
    "答案": "answer",
    "回答": "answer",
    "内容": "text",
    "语言": "language",
}
PARSED = frozenset({"price", "currency", "tags", "stock"})


class RowError(Exception):
    """A line that cannot be read; its text names file and line."""


def read_rows(path: Path, convert: Callable[[dict[str, str]], Row], *, encoding: str | None = None) -> Iterator[Row]:
    """The rows of a `.csv` or `.jsonl` file; CSV cells go through `convert`. Raises `RowError`."""
    suffix = path.suffix.lower()
    if suffix not in READ:
        raise RowError(f"{path} ends in {suffix or 'nothing'}; {', '.join(sorted(READ))} are read.")
    try:
        with path.open(encoding=encoding or file_encoding(path), newline="") as lines:
            yield from _read_csv(path, lines, convert) if suffix == ".csv" else _read_jsonl(path, lines)
    except (LookupError, UnicodeDecodeError, csv.Error, FileRefusedError) as error:
        raise RowError(f"{path} cannot be read: {error}") from error


def _read_csv(path: Path, lines: Iterable[str], convert: Callable[[dict[str, str]], Row]) -> Iterator[Row]:
    reader = csv.DictReader(lines)
    for cells in reader:
        if None in cells or None in cells.values():
            raise RowError(f"{path}, line {reader.line_num}: it has not as many cells as the header.")
        try:
            yield convert({name.strip(): cell.strip() for name, cell in cells.items() if cell.strip()})
        except ValueError as error:
            raise RowError(f"{path}, line {reader.line_num}: {error}") from error


def _read_jsonl(path: Path, lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json_value(line)
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
        row["stock"] = _whole(cells["stock"], "stock")
    return row


def _whole(cell: str, column: str) -> int:
    try:
        return int(cell)
    except ValueError:
        raise ValueError(f"column {column}: a whole number is needed, not {cell[:40]!r}") from None


def to_document(cells: dict[str, str]) -> Row:
    """One document of `POST /v1/knowledge`; columns may have their usual Chinese names.

    >>> to_document({"问题": "能机洗吗？", "答案": "可以。"})
    {'question': '能机洗吗？', 'answer': '可以。'}
    """
    return {CHINESE_COLUMNS.get(name, name): cell for name, cell in cells.items()}


def to_event(cells: dict[str, str]) -> Row:
    """One event of `POST /v1/events`.

    >>> to_event({"event_id": "e1", "type": "watch", "value": "12.5"})
    {'event_id': 'e1', 'type': 'watch', 'value': 12.5}
    """
    row: Row = dict(cells)
    if "value" in cells:
        row["value"] = float(cells["value"])
    return row
