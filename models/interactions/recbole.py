"""RecBole's atomic files: tab-separated, the header types every column, as in `user_id:token`.

Read are `user_id`, `item_id` and, where there is one, `timestamp` (seconds or milliseconds) and `rating` of NAME.inter; without a
timestamp the lines are in order of time. Every row is an interaction, whatever its rating. Of NAME.item and NAME.user, which may be
missing, every `token` and `token_seq` column becomes attributes `column=value`; columns of numbers are passed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from models.interactions.cells import Row, check_columns, only_file, shown, tabbed_rows, unix_seconds
from models.interactions.log import Collector, Interactions, InteractionsError

TYPES = ("token", "token_seq", "float", "float_seq")
_SEPARATORS = {"token": "\t", "token_seq": " "}  # of the tokens in a cell; a lone token may hold spaces
_NEEDED_TYPES = {"user_id": "token", "item_id": "token", "timestamp": "float", "rating": "float"}


def read_recbole(location: Path) -> Interactions:
    """The log of a `.inter` file, or of the folder that holds exactly one. Raises InteractionsError."""
    path = only_file(location, "*.inter", "one .inter file")
    collector = Collector()
    has_times = False
    for place, (types, row) in enumerate(_typed_rows(path, ("user_id", "item_id"))):
        has_times = "timestamp" in types
        at = unix_seconds(row.number("timestamp")) if has_times else float(place)
        value = row.number("rating") if "rating" in types else None
        collector.add(row.identifier("user_id"), row.identifier("item_id"), at, value=value)
    log = collector.finish(str(path), has_times=has_times, unique_pairs=not has_times)
    items, users = (_attributes(path.with_suffix(suffix), key) for suffix, key in ((".item", "item_id"), (".user", "user_id")))
    return replace(log, attributes=items, user_attributes=users)


def _typed_rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[Mapping[str, str], Row]]:
    """Each row with the types of its columns."""
    rows = tabbed_rows(path)
    line, header = next(rows, (0, ()))
    if not header:
        raise InteractionsError(f"{path} is empty; a header such as user_id:token is needed")
    where = f"{path}, line {line}"
    types = dict(_typed(cell, where) for cell in header)
    names = [cell.partition(":")[0].strip() for cell in header]
    check_columns(names, needed, where)
    for number, cells in rows:
        yield types, Row(f"{path}, line {number}", dict(zip(names, cells, strict=True)))


def _typed(cell: str, where: str) -> tuple[str, str]:
    name, _, kind = (part.strip() for part in cell.partition(":"))
    if not name or kind not in TYPES:
        raise InteractionsError(f"{where}: a column is headed name:type with a type of {', '.join(TYPES)}, not {shown(cell)}")
    if kind != _NEEDED_TYPES.get(name, kind):
        raise InteractionsError(f"{where}, column {name}: the type {_NEEDED_TYPES[name]} is needed, not {kind}")
    return name, kind


def _attributes(path: Path, key: str) -> dict[str, tuple[str, ...]]:
    if not path.exists():
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for types, row in _typed_rows(path, (key,)):
        owner = row.identifier(key)
        if owner in found:
            raise InteractionsError(f"{row.where}, column {key}: {shown(owner)} is there twice")
        found[owner] = tuple(
            f"{name}={token}"
            for name, kind in types.items()
            if name != key and kind in _SEPARATORS
            for token in row.cells[name].split(_SEPARATORS[kind])
            if token.strip()
        )
    return found
