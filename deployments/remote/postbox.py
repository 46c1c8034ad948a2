"""Where a replica leaves what it makes piece by piece: a socket beside Ray's calls, for callers on the same machine.

An item of a streaming call over a handle costs about a millisecond of CPU on each side, whatever it carries, and a stream has one
for every token. So the call itself is a plain one, by which Ray routes, counts and cancels, and the pieces come over a socket: all
that one step of the engine made for all callers of a process travels in one write. The socket has no file, and both ends ask the
kernel whether the other belongs to the same user.
"""

import asyncio
import os
import secrets
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self, cast

from graphs.errors import Unavailable

_FRAME = struct.Struct("!QI")  # which box, and how many bytes follow
_END = 0xFFFFFFFF  # instead of a length: nothing more comes into this box
_PEER = struct.Struct("3i")  # pid, uid, gid
_LATE_S = 2.0  # how much later than the end of the call its last piece may come


@dataclass(frozen=True, slots=True)
class Address:
    """Of one box; travels with the call."""

    socket: str
    box: int


class UnreachableBox(Exception):  # noqa: N818 - the caller is told nothing: it asks in the other way
    """The box is on another machine, or its process is gone."""


class Box:
    """What has come for one call, in order. Iterating gives all that is there, joined, and ends when the sender says so."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []
        self._is_complete = False
        self._failure: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None

    def put(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._wake()

    def complete(self) -> None:
        self._is_complete = True
        self._wake()

    def call_ended(self, call: "asyncio.Task[object]") -> None:
        """The call that fills the box has ended: if it failed, so does the reading, after what had come by then."""
        if call.cancelled():
            self._fail(asyncio.CancelledError())
        elif (error := call.exception()) is not None:
            self._fail(error)
        elif not self._is_complete:
            self._loop.call_later(_LATE_S, self._fail, Unavailable("the end of the text did not arrive"))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self._is_complete:
                raise StopAsyncIteration
            if self._failure is not None:
                raise self._failure
            self._waiter = self._loop.create_future()
            await self._waiter
        joined = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        return joined

    def _fail(self, error: BaseException) -> None:
        self._failure = error
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Postbox:
    """The boxes of one process. Belongs to one event loop."""

    def __init__(self) -> None:
        self._name = f"livecart-{os.getpid()}-{secrets.token_hex(16)}"
        self._boxes: dict[int, Box] = {}
        self._next = 0
        self._server: asyncio.Server | None = None

    async def open(self) -> Self:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(_abstract(self._name))
        self._server = await asyncio.get_running_loop().create_unix_server(lambda: _Incoming(self._boxes), sock=listening)
        return self

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()

    @contextmanager
    def box(self) -> Iterator[Box]:
        """A box for one call; what comes for it afterwards is dropped."""
        self._next += 1
        box = self._boxes[self._next] = Box(Address(self._name, self._next))
        try:
            yield box
        finally:
            del self._boxes[box.address.box]


class _Incoming(asyncio.Protocol):
    """One sender's connection: cuts what comes into frames."""

    def __init__(self, boxes: dict[int, Box]) -> None:
        self._boxes = boxes
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not _is_ours(transport.get_extra_info("socket")):
            transport.close()
            self._boxes = {}

    def data_received(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        at, size = 0, len(data)
        while size - at >= _FRAME.size:
            number, length = _FRAME.unpack_from(data, at)
            begin = at + _FRAME.size
            end = begin if length == _END else begin + length
            if end > size:
                break
            box = self._boxes.get(number)
            if box is not None:
                box.complete() if length == _END else box.put(data[begin:end])
            at = end
        self._rest = data[at:]


class Courier:
    """The connections of one process to the postboxes of others. Belongs to one event loop."""

    def __init__(self) -> None:
        self._links: dict[str, _Link] = {}
        self._lock = asyncio.Lock()

    async def to(self, address: Address) -> "Delivery":
        """Raises UnreachableBox when no postbox of that name is on this machine."""
        link = self._links.get(address.socket)
        if link is None or link.is_closed:
            async with self._lock:
                link = self._links.get(address.socket)
                if link is None or link.is_closed:
                    link = self._links[address.socket] = await self._connect(address.socket)
        return Delivery(link, address.box)

    def close(self) -> None:
        for link in self._links.values():
            link.close()

    async def _connect(self, name: str) -> "_Link":
        self._links = {known: link for known, link in self._links.items() if not link.is_closed}
        connecting = socket.socket(socket.AF_UNIX)
        try:
            connecting.connect(_abstract(name))  # at once: the other end is this machine's kernel
            if not _is_ours(connecting):
                raise UnreachableBox(f"the postbox {name} belongs to another user")  # noqa: TRY301 - the socket has to be closed
        except (OSError, UnreachableBox) as error:
            connecting.close()
            raise UnreachableBox(f"no postbox {name} of ours is on this machine") from error
        _, link = await asyncio.get_running_loop().create_unix_connection(_Link, sock=connecting)
        return link


@dataclass(frozen=True, slots=True)
class Delivery:
    """To one box."""

    _link: "_Link"
    _box: int

    def post(self, piece: bytes) -> None:
        """Leaves with everything else that is posted in this turn of the event loop."""
        self._link.post(_FRAME.pack(self._box, len(piece)), piece)

    def complete(self) -> None:
        self._link.post(_FRAME.pack(self._box, _END))


class _Link(asyncio.Protocol):
    """One connection; writes once a turn of the event loop."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._pending: list[bytes] = []

    @property
    def is_closed(self) -> bool:
        return self._transport is None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def post(self, *frames: bytes) -> None:
        if not self._pending:
            self._loop.call_soon(self._flush)
        self._pending.extend(frames)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        if self._transport is not None:  # else the caller is gone, and its calls are being cancelled
            self._transport.write(b"".join(pending))


def _abstract(name: str) -> str:
    """A name of Linux's abstract sockets: it ends with the process and leaves no file."""
    return f"\0{name}"


def _is_ours(connection: socket.socket) -> bool:
    _, user, _ = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return bool(user == os.getuid())
