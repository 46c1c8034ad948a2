"""KuaiLive's CSV files: clicks, likes, comments and gifts in live rooms, with the rooms' categories.

The item is the streamer, since a room (`live_id`) is gone when its stream ends. Columns that are read:

| file | columns |
|---|---|
| `click.csv` | `user_id`, `streamer_id`, `timestamp` (ms), and `watch_live_time` (ms) where it is there, kept in seconds |
| `like.csv`, `comment.csv` | `user_id`, `streamer_id`, `timestamp` |
| `gift.csv` | `user_id`, `streamer_id`, `timestamp`, and `gift_price` where it is there; counts as a purchase |
| `room.csv` | `streamer_id`, `live_content_category`, `live_type`: attributes of the streamer |
| `streamer.csv` | `streamer_id`, `live_operation_tag`: attribute of the streamer |
| `user.csv` | `user_id`, `age`, `gender`: attributes of the user |

`negative.csv` (shown, not clicked) and title embeddings are passed over. Only `click.csv` has to be there.
"""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from models.interactions.cells import csv_rows, unix_seconds
from models.interactions.log import Collector, Interactions, InteractionsError
from models.types import EventType

_NEEDED = ("user_id", "streamer_id", "timestamp")
# file -> what it counts as, the column of its value, and how much of the value makes one unit
_LOGS: tuple[tuple[str, EventType, str, float], ...] = (
    ("click.csv", "click", "watch_live_time", 1000.0),
    ("like.csv", "like", "", 1.0),
    ("comment.csv", "comment", "", 1.0),
    ("gift.csv", "purchase", "gift_price", 1.0),
)


def read_kuailive(folder: Path) -> Interactions:
    """The log of a folder with at least `click.csv`. Raises InteractionsError."""
    if not (folder / "click.csv").is_file():
        raise InteractionsError(f"{folder} holds no click.csv, which KuaiLive has")
    collector = Collector()
    for name, kind, valued, unit in _LOGS:
        if (folder / name).exists():
            _collect(folder / name, kind, collector, valued, unit)
    log = collector.finish(str(folder))
    streamers = _merged(_described(folder / "room.csv", "streamer_id", ("live_content_category", "live_type")))
    tags = _described(folder / "streamer.csv", "streamer_id", ("live_operation_tag",))
    users = _described(folder / "user.csv", "user_id", ("age", "gender"))
    return replace(log, attributes=_merged(streamers, tags), user_attributes=_merged(users))


def _collect(path: Path, kind: EventType, collector: Collector, valued: str, unit: float) -> None:
    for row in csv_rows(path, _NEEDED):
        value = row.number(valued) / unit if row.cells.get(valued) else None
        at_s = unix_seconds(row.number("timestamp"))
        collector.add(row.identifier("user_id"), row.identifier("streamer_id"), at_s, kind, value)


_Attributes = dict[str, tuple[str, ...]]


def _described(path: Path, key: str, columns: tuple[str, ...]) -> _Attributes:
    """Attributes `column=value`; a streamer has those of all their rooms."""
    found = defaultdict[str, dict[str, None]](dict)
    if path.exists():
        for row in csv_rows(path, (key, *columns)):
            stated = {f"{column}={row.cells[column].strip()}": None for column in columns if row.cells[column].strip()}
            found[row.identifier(key)].update(stated)
    return {owner: tuple(stated) for owner, stated in found.items()}


def _merged(*several: _Attributes) -> _Attributes:
    merged = defaultdict[str, tuple[str, ...]](tuple)
    for each in several:
        for owner, stated in each.items():
            merged[owner] += stated
    return dict(merged)
