"""Live versions of an artifact: a link names the one that serves; when it points elsewhere, that one is loaded and takes its place.

Pointing the link back is the way back. A version that cannot be loaded is reported, and the one that serves goes on serving.
"""

import asyncio
import logging
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from models.types import ArtifactError

_log = logging.getLogger("livecart.versions")
POLL_S = 1.0

Swap = Callable[[str], Awaitable[None]]


def resolved(location: str) -> str:
    """The folder that a link points to now; anything else as it is. Load this, and tell the follower that it is what serves."""
    path = Path(location)
    try:
        return str(path.resolve(strict=True)) if path.is_symlink() else location
    except (OSError, RuntimeError):
        return location  # points nowhere: loading it says so


def _destination(location: str) -> str:
    """What a link that points nowhere says; anything else as it is."""
    try:
        return str(Path(location).readlink())
    except OSError:
        return location  # no link, or none any more


class VersionFollower:
    """`location`: an artifact's folder, a link to one, or a URL; only links are followed. `served`: what `resolved` said before the load.

    `swap` loads a folder and puts it in place.
    """

    def __init__(self, location: str, swap: Swap, *, served: str, poll_s: float = POLL_S) -> None:
        self._location = location
        self._swap = swap
        self._poll_s = poll_s
        self._served = served
        self._refused: str | None = None  # not tried again while the link names it

    @property
    def served(self) -> str:
        """What serves now."""
        return self._served

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._poll_s)
            target = await asyncio.to_thread(resolved, self._location)
            if target == self._served:
                self._refused = None
            elif target != self._refused:
                await self._take(target)

    async def _take(self, target: str) -> None:
        try:
            await self._swap(target)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with a folder, the next one has to be followed
            self._refused = target
            told = str(error) if isinstance(error, ArtifactError) else f"{type(error).__name__}: {error}"
            named = _destination(target)
            _log.error("%s names %s, which cannot be served: %s; %s goes on serving", self._location, named, told, self._served)
        else:
            self._served, self._refused = target, None
            _log.info("%s serves now, as %s says", target, self._location)


@contextmanager
def new_version(out: Path) -> Iterator[Path]:
    """A folder beside `out` to write a version into, which is `out` from the end of the block on; what fails leaves nothing behind.

    Raises ArtifactError when something else has taken the name meanwhile; what was written is kept then, and the error says where.
    """
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    draft.mkdir(parents=True)
    try:
        yield draft
    except BaseException:
        shutil.rmtree(draft)
        raise
    try:
        draft.rename(out)  # takes an empty folder's place, and no other
    except OSError as error:
        raise ArtifactError(f"{out} is there by now, so it was left as it is; this version stands in {draft}: rename it") from error


def point(link: Path, version: Path) -> None:
    """Make `link` point to the folder `version`, in one step: a reader sees the old one or the new one.

    Raises ArtifactError when something that is no link stands in its place.
    """
    if link.exists() and not link.is_symlink():
        raise ArtifactError(f"{link} is no link; move it away, so that a link to the serving version can stand there")
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_name(f"{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(version.resolve(), target_is_directory=True)
    fresh.replace(link)
