"""Cells of text files as values, with errors that name file, line, column and what was found."""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models.interactions.log import InteractionsError
from models.json_text import json_value

LONGEST_ID = 256  # code points
LARGEST = 1e15  # of a number: beyond it are neither times in milliseconds nor money
MILLISECONDS_FROM = 1e11  # unix seconds reach this in the year 5138, milliseconds did in 1973


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file: the cells by column."""

    where: str  # file and line
    cells: Mapping[str, str]

    def identifier(self, column: str) -> str:
        """The cell as an id. Raises InteractionsError when it is empty, too long, or holds control characters."""
        return check_identifier(self.cells[column].strip(), self.where, column)

    def number(self, column: str) -> float:
        """The cell as a finite number. Raises InteractionsError."""
        text = self.cells[column].strip()
        try:
            return check_number(float(text), self.where, column)
        except ValueError as error:
            if isinstance(error, InteractionsError):
                raise
            raise InteractionsError(f"{self.where}, column {column}: a number is needed, not {shown(text)}") from error


def shown(found: object) -> str:
    """What was found, short enough for an error.

    >>> shown("x" * 100).endswith("xxx'…")
    True
    """
    text = repr(found)
    return text if len(text) <= 60 else f"{text[:58]}'…"


def check_identifier(text: str, where: str, column: str) -> str:
    if not text:
        raise InteractionsError(f"{where}, column {column}: an id is needed, the cell is empty")
    if len(text) > LONGEST_ID or not text.isprintable():
        raise InteractionsError(f"{where}, column {column}: an id of up to {LONGEST_ID} printable characters is needed, not {shown(text)}")
    return text


def check_number(value: float, where: str, column: str) -> float:
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise InteractionsError(f"{where}, column {column}: a number within ±{LARGEST:.0e} is needed, not {value}")
    return value


def unix_seconds(stated: float) -> float:
    """Seconds of a time stated in seconds or in milliseconds.

    >>> unix_seconds(1746374400819.0) == 1746374400.819
    True
    """
    return stated / 1000.0 if abs(stated) >= MILLISECONDS_FROM else stated


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line of a UTF-8 file, line ends removed. Raises InteractionsError."""
    with _readable(path), path.open("rb") as stream:
        for number, raw in enumerate(stream, start=1):
            try:
                yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise InteractionsError(
                    f"{path}, line {number}: UTF-8 is needed; byte {error.start + 1} is {raw[error.start]:#04x}"
                ) from error


def tabbed_rows(path: Path, separator: str = "\t") -> Iterator[tuple[int, Sequence[str]]]:
    """Number and cells of each line that is not blank; no quotes. Every line has as many cells as the first. Raises InteractionsError."""
    width = 0
    for number, line in lines_of(path):
        if not line.strip():
            continue
        cells = line.split(separator)
        width = width or len(cells)
        if len(cells) != width:
            raise InteractionsError(f"{path}, line {number}: {width} cells are needed as in the header, not {len(cells)}")
        yield number, cells


def csv_rows(path: Path, needed: Sequence[str]) -> Iterator[Row]:
    """The rows of a CSV file with a header that has at least the columns `needed`. Raises InteractionsError."""
    reader = csv.reader((line + "\n" for _, line in lines_of(path)), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        check_columns(header, needed, f"{path}, line 1")
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                found = f"{path}, line {reader.line_num}: {len(header)} cells are needed as in the header, not {len(cells)}"
                raise InteractionsError(found)
            yield Row(f"{path}, line {reader.line_num}", dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise InteractionsError(f"{path}, line {reader.line_num}: {error}") from error


def check_columns(header: Sequence[str], needed: Sequence[str], where: str) -> None:
    missing = [name for name in needed if name not in header]
    if missing:
        raise InteractionsError(
            f"{where}: the columns {', '.join(needed)} are needed; {', '.join(missing)} missing in {shown(','.join(header))}"
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InteractionsError(f"{where}: the column {twice[0]} is there {header.count(twice[0])} times")


def json_of(path: Path) -> object:
    """The value of a JSON file. Raises InteractionsError."""
    text = "\n".join(line for _, line in lines_of(path))
    try:
        return json_value(text)
    except ValueError as error:
        raise InteractionsError(f"{path} is not JSON: {error}") from error


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InteractionsError(f"{path} cannot be read: {error.strerror or error}") from error


def only_file(location: Path, pattern: str, what: str) -> Path:
    """A file itself, or the only one of a folder that fits the pattern. Raises InteractionsError."""
    if not location.is_dir():
        return location
    found = sorted(location.glob(pattern))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise InteractionsError(f"{location} should hold {what}, found {names}; name the file itself to choose one")
    return found[0]
