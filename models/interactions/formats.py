"""A log by the name of its format, or by what the folder holds."""

from collections.abc import Callable, Mapping
from pathlib import Path

from models.interactions.events import READ, interactions_of, read_events
from models.interactions.kuailive import read_kuailive
from models.interactions.log import Interactions, InteractionsError
from models.interactions.recbole import read_recbole
from models.interactions.sequences import read_sequences


def _read_own(location: Path) -> Interactions:
    return interactions_of(read_events(location), str(location))


READERS: Mapping[str, Callable[[Path], Interactions]] = {
    "recbole": read_recbole,
    "sequences": read_sequences,
    "kuailive": read_kuailive,
    "events": _read_own,
}


def read_interactions(location: Path, form: str | None = None) -> tuple[str, Interactions]:
    """The name of the format and the log. `form` None: what the folder or file looks like. Raises InteractionsError."""
    if not location.exists():
        raise InteractionsError(f"{location} is neither a file nor a folder")
    name = form or guess_format(location)
    if name not in READERS:
        raise InteractionsError(f"there is no format {name!r}; {', '.join(READERS)} are read")
    return name, READERS[name](location)


def guess_format(location: Path) -> str:
    """The format that the names of files tell. Raises InteractionsError when they tell none."""
    names = [path.name for path in location.iterdir()] if location.is_dir() else [location.name]
    suffixes = {Path(name).suffix.lower() for name in names}
    if ".inter" in suffixes:
        return "recbole"
    if "click.csv" in names and location.is_dir():
        return "kuailive"
    if suffixes & set(READ):
        return "events"
    if ".txt" in suffixes:
        return "sequences"
    raise InteractionsError(
        f"{location} is in no format that is known: .inter (recbole), .txt (sequences), click.csv (kuailive), {', '.join(READ)} (events)"
    )
