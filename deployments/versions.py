"""Live versions of an artifact: a link names the one that serves; when it points elsewhere, that one is loaded and takes its place.

Pointing the link back is the way back. A version that cannot be loaded is reported, and the one that serves goes on serving.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from models.types import ArtifactError

_log = logging.getLogger("livecart.versions")
POLL_S = 1.0

Swap = Callable[[str], Awaitable[None]]


class VersionFollower:
    """`location`: an artifact's folder, a link to one, or a URL; only links are followed. `swap` loads a folder and puts it in place."""

    def __init__(self, location: str, swap: Swap, *, poll_s: float = POLL_S) -> None:
        self._location = Path(location)
        self._swap = swap
        self._poll_s = poll_s
        self._served = self._target()
        self._refused: Path | None = None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._poll_s)
            target = await asyncio.to_thread(self._target)
            if target is not None and target not in {self._served, self._refused}:
                await self._take(target)

    async def _take(self, target: Path) -> None:
        try:
            await self._swap(str(target))
        except (ArtifactError, OSError, ValueError) as error:
            self._refused = target
            _log.error("%s points to %s, which cannot be served: %s; %s goes on serving", self._location, target, error, self._served)
        else:
            self._served, self._refused = target, None
            _log.info("%s serves now, as %s says", target, self._location)

    def _target(self) -> Path | None:
        """Where the link points; None for what is no link, or points nowhere now."""
        try:
            return self._location.resolve(strict=True) if self._location.is_symlink() else None
        except (OSError, RuntimeError):
            return None


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
