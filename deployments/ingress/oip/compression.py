"""Answers in gzip or deflate, for callers who ask for it."""

import asyncio
import gzip
import zlib
from collections.abc import Callable, Mapping

_LEVEL = 1  # vectors shrink little whatever is spent on them
_ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, _LEVEL, mtime=0),
    "deflate": lambda body: zlib.compress(body, _LEVEL),
}


def asked_encoding(accepted: str | None) -> str | None:
    """The encoding that a caller chose: the only one it names. A list is what its HTTP library can read, and costs time for nothing.

    >>> asked_encoding("gzip"), asked_encoding("deflate"), asked_encoding("gzip, deflate"), asked_encoding("br")
    ('gzip', 'deflate', None, None)
    """
    named = (accepted or "").strip().lower()
    return named if named in _ENCODERS else None


async def encoded(body: bytes, encoding: str) -> bytes:
    return await asyncio.to_thread(_ENCODERS[encoding], body)
