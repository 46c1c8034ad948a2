"""Bearer keys with roles. Only SHA-256 digests of keys are configured and held; they come from the environment.

A key has at least 256 bits of randomness (`new_key`), so an unsalted digest gives nothing away that could be searched for.
"""

import hashlib
import hmac
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from graphs.errors import Forbidden, Unauthenticated

Role = Literal["caller", "editor", "operator"]
ROLES: tuple[Role, ...] = get_args(Role)  # each may do all that those before it may
_LINE = re.compile(
    r"(?P<role>caller|editor|operator):(?P<name>[A-Za-z0-9._-]{1,64}):(?P<sha256>[0-9a-fA-F]{64})(?::(?P<expires>[0-9T:.Z+-]{10,40}))?"
)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Key:
    role: Role
    name: str  # of the caller, for limits, logs and the audit trail; two keys have one while the caller changes from one to the other
    sha256: bytes
    expires_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class NewKey:
    secret: str  # what the caller sends; shown once, stored nowhere
    line: str  # what goes into LIVECART_KEYS or the keys file


@dataclass(frozen=True, slots=True)
class Identity:
    name: str
    role: Role
    sha256: bytes | None = None  # of the key that was shown; None where there are no keys


ANYONE = Identity("anonymous", "operator")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Auth:
    """Who may do what. Without keys everybody may do everything: the launcher then serves this machine only."""

    def __init__(self, keys: Iterable[Key] = (), *, now: Callable[[], datetime] = utc_now) -> None:
        self._keys = tuple(keys)
        self._now = now
        self._held: dict[Callable[[], None], bytes] = {}  # how to end what outlasts a request -> the key that opened it

    @property
    def is_open(self) -> bool:
        return not self._keys

    @property
    def keys(self) -> tuple[Key, ...]:
        return self._keys

    @property
    def good_keys(self) -> int:
        """How many keys let somebody in now."""
        return sum(key.is_good(self._now()) for key in self._keys)

    def replace(self, keys: Iterable[Key]) -> None:
        """Let in these keys from now on. Raises ValueError for none at all, and where there were none: that is decided at the start."""
        replacement = tuple(keys)
        if self.is_open or not replacement:
            raise ValueError("keys can be replaced by other keys only: a server is open, or closed, from its start to its end")
        self._keys = replacement
        self.end_revoked()

    def require(self, headers: Headers, role: Role) -> Identity:
        """Who is asking. Raises Unauthenticated without a known key, Forbidden when its role is too low."""
        identity = self.identify(headers)
        require_role(identity, role)
        return identity

    def identify(self, headers: Headers) -> Identity:
        """Who is asking, whatever for. Raises Unauthenticated without a known key; without keys Forbidden for pages of other sites."""
        if self.is_open:
            _refuse_foreign_pages(headers)
            _refuse_foreign_names(headers)
            return ANYONE
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise Unauthenticated("send `Authorization: Bearer KEY`")
        found = self._find(hashlib.sha256(secret.strip().encode("utf-8", "surrogateescape")).digest())
        if found is None:
            raise Unauthenticated("this key is not known here")
        if not found.is_good(self._now()):
            raise Unauthenticated(f"this key of `{found.name}` has expired")
        return Identity(found.name, found.role, found.sha256)

    @contextmanager
    def holding(self, identity: Identity, end: Callable[[], None]) -> Iterator[None]:
        """Call `end` if the key of `identity` is revoked or expires meanwhile."""
        if identity.sha256 is None:
            yield
            return
        self._held[end] = identity.sha256
        try:
            yield
        finally:
            del self._held[end]

    def end_revoked(self) -> None:
        """End what is held by keys that let nobody in any more."""
        now = self._now()
        good = {key.sha256 for key in self._keys if key.is_good(now)}
        for end, sha256 in tuple(self._held.items()):
            if sha256 not in good:
                end()

    def _find(self, sha256: bytes) -> Key | None:
        found: Key | None = None
        for key in self._keys:  # every key is compared, whatever was found before: the time says nothing
            if hmac.compare_digest(key.sha256, sha256):
                found = key
        return found


def require_role(identity: Identity, role: Role) -> None:
    if ROLES.index(identity.role) < ROLES.index(role):
        raise Forbidden(f"key `{identity.name}` is a {identity.role} key; this route needs {role}")


def _refuse_foreign_pages(headers: Headers) -> None:
    """Without keys, a page of another site open in a browser on this machine must not reach the server through that browser."""
    origin = headers.get("origin")
    if origin is not None and not _is_loopback(origin):
        raise Forbidden("this server has no keys and serves pages of this machine only; configure LIVECART_KEYS to call it from elsewhere")


def _refuse_foreign_names(headers: Headers) -> None:
    """Without keys, a page whose site's name was made to lead to this machine (DNS rebinding) must not reach the server as its own."""
    host = headers.get("host")
    if host is not None and not _is_loopback(f"//{host}"):
        raise Forbidden("this server has no keys and is called localhost only; configure LIVECART_KEYS to call it by another name")


def _is_loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in _LOOPBACK
    except ValueError:
        return False


# --- as text ------------------------------------------------------------------------------------------------------------


def new_key(role: Role, name: str, *, expires_at: datetime | None = None) -> NewKey:
    """Make a key. Raises ValueError for a role, name or time that a keys line could not hold."""
    secret = f"lck_{secrets.token_urlsafe(32)}"
    key = parse_key(f"{role}:{name}:{hashlib.sha256(secret.encode()).hexdigest()}")
    return NewKey(secret, key_line(Key(role, name, key.sha256, expires_at)))


def key_line(key: Key) -> str:
    """What `parse_key` reads.

    >>> key_line(parse_key("caller:shop-1:" + "0" * 64 + ":2026-12-01T00:00:00Z"))[-21:]
    ':2026-12-01T00:00:00Z'
    """
    line = f"{key.role}:{key.name}:{key.sha256.hex()}"
    if key.expires_at is None:
        return line
    return f"{line}:{key.expires_at.astimezone(UTC).isoformat(timespec='seconds').replace('+00:00', 'Z')}"


def parse_key(line: str) -> Key:
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise ValueError(
            "a key is written `role:name:sha256hex` or `role:name:sha256hex:2026-12-31T00:00:00Z`, role one of caller, editor, operator; "
            "`livecart keys new` makes one"
        )
    role: Role = next(known for known in ROLES if known == match["role"])
    expires = match["expires"]
    return Key(role, match["name"], bytes.fromhex(match["sha256"]), None if expires is None else _time(expires))


def _time(text: str) -> datetime:
    expires_at = datetime.fromisoformat(text)
    if expires_at.tzinfo is None:
        raise ValueError(f"the key's expiry `{text}` has no zone; write it as 2026-12-31T00:00:00Z")
    return expires_at


def parse_keys(lines: Iterable[str]) -> tuple[Key, ...]:
    """The keys of all lines that hold one; `#` starts a comment.

    Raises ValueError for a malformed line, a key given twice, and for keys of one name unless they are of one role and all but one expire.
    """
    keys = tuple(parse_key(text) for line in lines if (text := line.partition("#")[0]).strip())
    digests = Counter(key.sha256 for key in keys)
    if twice := sorted({key.name for key in keys if digests[key.sha256] > 1}):
        raise ValueError(f"the same key stands there twice, as {', '.join(twice)}")
    roles = {(key.name, key.role) for key in keys}
    lasting = Counter(key.name for key in keys if key.expires_at is None)
    mixed = {name for name, count in Counter(name for name, _ in roles).items() if count > 1}
    if repeated := sorted(mixed | {name for name, count in lasting.items() if count > 1}):
        raise ValueError(
            f"two keys are named {', '.join(repeated)}; names tell callers apart. One caller may have several keys of one role while they "
            "are changed: then all but one need an expiry (`livecart keys rotate`)"
        )
    return keys
