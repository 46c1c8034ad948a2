"""Where keys come from, and how a running server follows the keys file: rotation and revocation without a restart."""

import asyncio
import logging
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from deployments.ingress.auth import Auth, Key, parse_keys

KEYS_VARIABLE = "LIVECART_KEYS"
KEYS_FILE_VARIABLE = "LIVECART_KEYS_FILE"
LOOK_S = 0.5
READ_S = 1.0  # and expired keys are looked for, though a disk hangs
MAX_FILE_BYTES = 1024 * 1024

log = logging.getLogger("livecart.keys")


def auth_from_environment(environment: Mapping[str, str]) -> Auth:
    """Keys of LIVECART_KEYS (comma separated) and of the file named by LIVECART_KEYS_FILE (one a line, `#` starts a comment).

    Raises ValueError for keys that are none (see `parse_keys`), OSError for a file that cannot be read.
    """
    location = environment.get(KEYS_FILE_VARIABLE)
    return Auth(_keys(environment, read_keys(Path(location)) if location else None))


def _keys(environment: Mapping[str, str], content: bytes | None) -> tuple[Key, ...]:
    """The keys of the variable and of the file's content; either must hold one if it is there, or the server would be open."""
    lines = environment.get(KEYS_VARIABLE, "").split(",")
    if environment.get(KEYS_VARIABLE) and not parse_keys(lines):
        raise ValueError(f"{KEYS_VARIABLE} is set and holds no key; unset it to serve this machine only")
    if content is None:
        return parse_keys(lines)
    in_file = content.decode("utf-8").splitlines()
    if not parse_keys(in_file):
        raise ValueError(f"{environment[KEYS_FILE_VARIABLE]}, which {KEYS_FILE_VARIABLE} names, holds no key")
    return parse_keys([*lines, *in_file])


def read_keys(path: Path) -> bytes:
    """Content of a keys file. Raises OSError, and ValueError for what is no regular file or too large."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(f"{path} is no regular file")
    with open(path, "rb", opener=_without_waiting) as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"{path} is larger than {MAX_FILE_BYTES} bytes: it is no file of keys")
    return content


def _without_waiting(path: str, flags: int) -> int:
    """A pipe that has come in the file's place since is not waited for."""
    return os.open(path, flags | os.O_NONBLOCK)


class KeyWatch:
    """Keeps an Auth at what the keys file says, and ends the sessions of keys that are revoked or expire.

    A file that cannot be read, is malformed, no regular file or holds no key changes nothing: the keys before it go on. A new content
    counts when it was seen twice, half a second apart, so that a file that is just being written is not taken for a shorter one.
    """

    def __init__(
        self,
        auth: Auth,
        environment: Mapping[str, str],
        *,
        on_change: Callable[[str], None] = lambda _: None,
        read: Callable[[Path], bytes] = read_keys,
    ) -> None:
        """`on_change` hears which names were added, revoked and changed; `read` may block, fail with OSError or ValueError, or hang."""
        self._auth = auth
        self._environment = dict(environment)
        self._on_change = on_change
        self._read = read
        self._seen: bytes | str | None = None  # at the last look: the content, or why there is none
        self._reading: asyncio.Task[bytes | str] | None = None  # in a thread that a hanging disk holds
        self._judged: bytes | str | None = None  # the last one that was seen twice
        self.is_refused = False  # what the file says is not what is served

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("looking for new keys failed; those before go on")
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """End what expired keys hold, whatever becomes of the file, and take the file as it is now."""
        self._auth.end_revoked()
        location = self._environment.get(KEYS_FILE_VARIABLE)
        if location:
            self._take(await self._found(Path(location)))

    async def _found(self, path: Path) -> bytes | str:
        """The content, or why there is none. While a read hangs there is no other one."""
        if self._reading is None:
            self._reading = asyncio.create_task(asyncio.to_thread(_content, path, self._read), name="read the keys file")
        done, _ = await asyncio.wait({self._reading}, timeout=READ_S)
        if not done:
            return f"{path} could not be read within {READ_S:g} s"
        found, self._reading = self._reading.result(), None
        return found

    def _take(self, found: bytes | str) -> None:
        is_settled, self._seen = found == self._seen, found
        if is_settled and found != self._judged:
            self._judged = found
            self._apply(found)

    def _apply(self, found: bytes | str) -> None:
        if isinstance(found, str):
            self._refuse(found)
            return
        before = self._auth.keys
        try:
            after = _keys(self._environment, found)
        except ValueError as error:
            self._refuse(str(error))
            return
        self.is_refused = False
        if set(before) != set(after):
            self._auth.replace(after)
            self._tell(before, after)

    def _refuse(self, why: str) -> None:
        self.is_refused = True
        log.error("the keys file is refused, the keys before it go on: %s", why)

    def _tell(self, before: Iterable[Key], after: Iterable[Key]) -> None:
        text = changed_names(set(before), set(after))
        log.warning("the keys file has changed: %s", text)
        self._on_change(text)


def _content(path: Path, read: Callable[[Path], bytes]) -> bytes | str:
    try:
        return read(path)
    except (OSError, ValueError) as error:
        return str(error)


def changed_names(before: set[Key], after: set[Key]) -> str:
    """Which callers got or lost a key.

    >>> old, new = parse_keys(["caller:a:" + "0" * 64])[0], parse_keys(["caller:b:" + "1" * 64])[0]
    >>> changed_names({old}, {new})
    'added b; revoked a'
    """
    had, has = {key.name for key in before}, {key.name for key in after}
    changed = {key.name for key in before ^ after} & had & has
    parts = {"added": has - had, "revoked": had - has, "changed": changed}
    return "; ".join(f"{what} {', '.join(sorted(names))}" for what, names in parts.items() if names)
