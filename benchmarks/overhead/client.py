"""A load generator that costs little: keep-alive connections over raw sockets, each asking again when answered.

`python -m benchmarks.overhead.client PORT PATH CALLERS SECONDS BODY_BYTES` prints one JSON object.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from typing import cast

import numpy as np
import uvloop

WARM_UP_S = 1.0


@dataclass(frozen=True, slots=True)
class Load:
    """What the callers saw; times in milliseconds."""

    callers: int
    requests: int  # answered 200 while it counted
    errors: int
    per_s: float
    p50_ms: float
    p99_ms: float


@dataclass(slots=True)
class Tally:
    counts_from: float
    ends: float
    took_s: list[float] = field(default_factory=list)
    errors: int = 0


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, requests: Iterator[bytes], tally: Tally) -> None:
        self._requests = requests
        self._tally = tally
        self._answer = b""
        self._asked_at = 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by class
        self._ask()

    def _ask(self) -> None:
        self._asked_at = time.perf_counter()
        if self._asked_at >= self._tally.ends:
            self._transport.close()
        else:
            self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, separator, body = self._answer.partition(b"\r\n\r\n")
        if not separator or len(body) < _content_length(head):
            return
        self._count(head)
        self._answer = b""
        self._ask()

    def _count(self, head: bytes) -> None:
        now = time.perf_counter()
        if not self._tally.counts_from <= now <= self._tally.ends:
            return
        if head[9:12] == b"200":
            self._tally.took_s.append(now - self._asked_at)
        else:
            self._tally.errors += 1

    def connection_lost(self, error: Exception | None) -> None:
        if time.perf_counter() < self._tally.ends:
            self._tally.errors += 1
        if not self.ended.done():
            self.ended.set_result(None)


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    raise ValueError(f"an answer without a length: {head[:200]!r}")


async def load(port: int, path: str, *, callers: int, seconds: float, body_bytes: int) -> Load:
    """Keep `callers` requests under way for that long, after a warm-up."""
    return await load_in_turn(port, [post(path, bytes(range(256)) * (body_bytes // 256))], callers=callers, seconds=seconds)


def post(path: str, body: bytes, *, content_type: str = "application/octet-stream") -> bytes:
    """A request, ready to be sent."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def load_in_turn(port: int, requests: Sequence[bytes], *, callers: int, seconds: float) -> Load:
    """As `load`, with these requests in turn."""
    started = time.perf_counter()
    tally = Tally(started + WARM_UP_S, started + WARM_UP_S + seconds)
    turns = cycle(requests)
    await asyncio.gather(*(_calls(port, turns, tally) for _ in range(callers)))
    p50, p99 = np.percentile(tally.took_s, [50, 99]) * 1_000 if tally.took_s else (float("nan"), float("nan"))
    return Load(callers, len(tally.took_s), tally.errors, len(tally.took_s) / seconds, float(p50), float(p99))


async def _calls(port: int, requests: Iterator[bytes], tally: Tally) -> None:
    """One caller; connects again when the server hangs up."""
    while time.perf_counter() < tally.ends:
        try:
            _, caller = await asyncio.get_running_loop().create_connection(lambda: Caller(requests, tally), "127.0.0.1", port)
        except OSError:
            tally.errors += 1
            await asyncio.sleep(0.05)
        else:
            await caller.ended


def main() -> None:
    port, path, callers, seconds, body_bytes = sys.argv[1:]
    print(json.dumps(asdict(uvloop.run(load(int(port), path, callers=int(callers), seconds=float(seconds), body_bytes=int(body_bytes))))))


if __name__ == "__main__":
    main()
