"""Editing the keys file: comments stay, the file is replaced at once and readable by its owner only, and two editors take turns."""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from deployments.ingress.auth import Key, NewKey, Role, key_line, new_key, parse_key, parse_keys

T = TypeVar("T")


def read_lines(path: Path) -> list[str]:
    """The file's lines; none when there is no file yet."""
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def add(path: Path, role: Role, name: str, *, expires_at: datetime | None = None) -> NewKey:
    """A new key on a new line. Raises ValueError when the name is taken."""

    def edit(lines: list[str]) -> tuple[list[str], NewKey]:
        if name in {key.name for key in parse_keys(lines)}:
            raise ValueError(f"{path} has a key named {name}; `livecart keys rotate` gives it another one")
        made = new_key(role, name, expires_at=expires_at)
        return [*lines, made.line], made

    return _edit(path, edit)


def revoke(path: Path, name: str) -> int:
    """Remove all keys of a name; returns how many. Raises ValueError when there is none, and when no other key would be left."""

    def edit(lines: list[str]) -> tuple[list[str], int]:
        _require_known(path, name, lines)
        kept = [line for line in lines if (key := _key_of(line)) is None or key.name != name]
        if not parse_keys(kept):
            raise ValueError(f"{name} has the last key of {path}, and servers refuse a file without keys: add another one first")
        return kept, len(lines) - len(kept)

    return _edit(path, edit)


def rotate(path: Path, name: str, *, until: datetime) -> NewKey:
    """A new lasting key for a name; those it has end at `until`, or at their own time if that is sooner. Raises ValueError."""

    def edit(lines: list[str]) -> tuple[list[str], NewKey]:
        made = new_key(_require_known(path, name, lines), name)
        return [*(_ending(line, name, until) for line in lines), made.line], made

    return _edit(path, edit)


def _require_known(path: Path, name: str, lines: list[str]) -> Role:
    """The role of the name's keys. Raises ValueError."""
    roles = {key.name: key.role for key in parse_keys(lines)}
    if name not in roles:
        raise ValueError(f"{path} has no key named {name}; there are {', '.join(sorted(roles)) or 'none'}")
    return roles[name]


def _key_of(line: str) -> Key | None:
    text = line.partition("#")[0]
    return parse_key(text) if text.strip() else None


def _ending(line: str, name: str, until: datetime) -> str:
    key = _key_of(line)
    if key is None or key.name != name or (key.expires_at is not None and key.expires_at <= until):
        return line
    _, mark, comment = line.partition("#")
    return key_line(replace(key, expires_at=until)) + (f"  {mark}{comment}" if mark else "")


def _edit(path: Path, edit: Callable[[list[str]], tuple[list[str], T]]) -> T:
    """Read, change and replace the file. Raises ValueError for a file that is malformed, before or after; it is left alone then."""
    path = path.resolve()  # a link stays one
    with _alone_in(path.parent):
        lines, result = edit(read_lines(path))
        parse_keys(lines)
        _replace(path, "".join(f"{line}\n" for line in lines))
    return result


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(path: Path, text: str) -> None:
    """Never half a file for whoever reads it, nor after a crash. The new one is of mode 0600."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
