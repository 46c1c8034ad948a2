"""One user a line, oldest first: `user item item ...`, split by spaces, as S3-Rec publishes the Amazon sets.

Beside NAME.txt there may be NAME_item2attributes.json, one object: item -> list of attributes.
"""

from dataclasses import replace
from pathlib import Path

from models.interactions.cells import check_identifier, json_of, lines_of, only_file, shown
from models.interactions.log import Collector, Interactions, InteractionsError


def read_sequences(location: Path) -> Interactions:
    """The log of a `.txt` file, or of the folder that holds exactly one. An item that a line repeats counts at its first place.

    Raises InteractionsError.
    """
    path = only_file(location, "*.txt", "one .txt file of sequences")
    collector = Collector()
    for number, line in lines_of(path):
        where = f"{path}, line {number}"
        user, *items = line.split() or [""]
        if not user:
            continue
        if not items:
            raise InteractionsError(f"{where}: a user and at least one item are needed, not {shown(line)}")
        if collector.knows_user(check_identifier(user, where, "1")):
            raise InteractionsError(f"{where}, column 1: the user {shown(user)} had a line before; one user has one line")
        for place, item in enumerate(items):
            collector.add(user, check_identifier(item, where, str(place + 2)), float(place))
    log = collector.finish(str(path), has_times=False, unique_pairs=True)
    return replace(log, attributes=_attributes(path.with_name(f"{path.stem}_item2attributes.json")))


def _attributes(path: Path) -> dict[str, tuple[str, ...]]:
    if not path.exists():
        return {}
    stated = json_of(path)
    if not isinstance(stated, dict):
        raise InteractionsError(f"{path}: an object item -> list of attributes is needed, not {type(stated).__name__}")
    return {item: _texts(path, item, listed) for item, listed in stated.items()}


def _texts(path: Path, item: str, listed: object) -> tuple[str, ...]:
    if not isinstance(listed, list) or any(isinstance(each, bool) or not isinstance(each, str | int) for each in listed):
        raise InteractionsError(f"{path}, item {shown(item)}: a list of texts or whole numbers is needed, not {shown(listed)}")
    return tuple(map(str, listed))
