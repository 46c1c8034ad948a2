"""Bearer keys with roles. Only SHA-256 digests of keys are configured and held; they come from the environment.

A key has at least 256 bits of randomness (`new_key`), so an unsalted digest gives nothing away that could be searched for.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from graphs.errors import Forbidden, Unauthenticated

Role = Literal["caller", "editor", "operator"]
ROLES: tuple[Role, ...] = get_args(Role)  # each may do all that those before it may
KEYS_VARIABLE = "LIVECART_KEYS"
KEYS_FILE_VARIABLE = "LIVECART_KEYS_FILE"
_LINE = re.compile(r"(?P<role>caller|editor|operator):(?P<name>[A-Za-z0-9._-]{1,64}):(?P<sha256>[0-9a-fA-F]{64})")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Key:
    role: Role
    name: str  # for logs and the audit trail
    sha256: bytes


@dataclass(frozen=True, slots=True)
class NewKey:
    secret: str  # what the caller sends; shown once, stored nowhere
    line: str  # what goes into LIVECART_KEYS or the keys file


@dataclass(frozen=True, slots=True)
class Identity:
    name: str
    role: Role


ANYONE = Identity("anonymous", "operator")


class Auth:
    """Who may do what. Without keys everybody may do everything: the launcher then serves this machine only."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._keys = tuple(keys)

    @property
    def is_open(self) -> bool:
        return not self._keys

    def require(self, headers: Headers, role: Role) -> Identity:
        """Who is asking. Raises Unauthenticated without a known key, Forbidden when its role is too low."""
        if self.is_open:
            _refuse_foreign_pages(headers)
            _refuse_foreign_names(headers)
            return ANYONE
        identity = self._identify(headers.get("authorization"))
        if ROLES.index(identity.role) < ROLES.index(role):
            raise Forbidden(f"key `{identity.name}` is a {identity.role} key; this route needs {role}")
        return identity

    def _identify(self, authorization: str | None) -> Identity:
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise Unauthenticated("send `Authorization: Bearer KEY`")
        digest = hashlib.sha256(secret.strip().encode("utf-8", "surrogateescape")).digest()
        found: Key | None = None
        for key in self._keys:  # every key is compared, whatever was found before: the time says nothing
            if hmac.compare_digest(key.sha256, digest):
                found = key
        if found is None:
            raise Unauthenticated("this key is not known here")
        return Identity(found.name, found.role)


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


def new_key(role: Role, name: str) -> NewKey:
    """Make a key. Raises ValueError for a role or name that a keys line could not hold."""
    secret = f"lck_{secrets.token_urlsafe(32)}"
    line = f"{role}:{name}:{hashlib.sha256(secret.encode()).hexdigest()}"
    parse_key(line)
    return NewKey(secret, line)


def parse_key(line: str) -> Key:
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise ValueError("a key is written `role:name:sha256hex`, role one of caller, editor, operator; `livecart key new` makes one")
    role: Role = next(known for known in ROLES if known == match["role"])
    return Key(role, match["name"], bytes.fromhex(match["sha256"]))


def auth_from_environment(environment: Mapping[str, str]) -> Auth:
    """Keys of LIVECART_KEYS (comma separated) and of the file named by LIVECART_KEYS_FILE (one a line, `#` starts a comment).

    Raises ValueError for a malformed key or a name given twice, OSError for a file that cannot be read.
    """
    lines = environment.get(KEYS_VARIABLE, "").split(",")
    location = environment.get(KEYS_FILE_VARIABLE)
    if location:
        lines += [line.partition("#")[0] for line in Path(location).read_text(encoding="utf-8").splitlines()]
    keys = [parse_key(line) for line in lines if line.strip()]
    if location and not keys:
        raise ValueError(f"{KEYS_FILE_VARIABLE} names {location}, which holds no key; unset it to serve this machine only")
    names = [key.name for key in keys]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"two keys are named {', '.join(repeated)}; names tell callers apart in the audit log")
    return Auth(keys)
