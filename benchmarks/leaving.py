"""How soon the engine stops when a caller leaves: the tokens it counts before and after, read from `/metrics` of a running server.

python -m benchmarks.leaving [--url http://127.0.0.1:8000] [--times 20] [--json]

Each time a stream of the writer is opened and closed after a few pieces. The time is from the close to the first reading that shows the
last count, so it holds one reading of `/metrics` too; `reading_ms` says how long these take. Nobody else may use the writer meanwhile.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import httpx

COUNTER = "vllm:generation_tokens_total"
PIECES = 5  # heard before the caller leaves
WATCHED_S = 1.5  # after that
MOST_TOKENS = 900
ASK = {
    "messages": [{"role": "user", "content": "Tell me about the lamp."}],
    "max_tokens": MOST_TOKENS,
    "ignore_eos": True,
    "stream": True,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A count of the engine's tokens, at the time when the answer was there."""

    at_s: float
    tokens: float


@dataclass(frozen=True, slots=True)
class Left:
    """What one caller who left cost."""

    stopped_ms: float  # from the close to the first reading of the last count; 0 where nothing was counted after the close
    tokens_after: float  # counted after the last reading before the close
    reading_ms: float  # median time between readings


def left(readings: Sequence[Reading], closed_s: float) -> Left:
    """Raises ValueError without a reading on both sides of the close."""
    before = [reading for reading in readings if reading.at_s <= closed_s]
    after = [reading for reading in readings if reading.at_s > closed_s]
    if not before or not after:
        raise ValueError(f"{len(before)} readings before the close, {len(after)} after it; both are needed")
    last = after[-1].tokens
    tokens_after = last - before[-1].tokens
    shown = next(reading.at_s for reading in after if reading.tokens == last)
    gaps = [late.at_s - early.at_s for early, late in pairwise(readings)]
    return Left(1e3 * (shown - closed_s) if tokens_after else 0.0, tokens_after, 1e3 * statistics.median(gaps))


def tokens_in(metrics: str) -> float:
    """The engine's count, summed over labels.

    >>> tokens_in('vllm:generation_tokens_total{engine="0"} 3.0\\nvllm:generation_tokens_total{engine="1"} 4.0\\nother 9')
    7.0
    """
    return sum(float(line.rsplit(" ", 1)[1]) for line in metrics.splitlines() if line.startswith(COUNTER))


async def leave(url: str, model: str, headers: dict[str, str]) -> Left:
    """Open a stream, hear a few pieces, close it, and watch."""
    readings: list[Reading] = []
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http, asyncio.TaskGroup() as group:
        watching = group.create_task(_watch(http, readings))
        async with (
            httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as caller,
            caller.stream("POST", "/v1/chat/completions", json=ASK | {"model": model}) as answer,
        ):
            answer.raise_for_status()
            heard = 0
            async for line in answer.aiter_lines():
                heard += line.startswith("data: ")
                if heard == PIECES:
                    break
        closed_s = time.monotonic()
        await asyncio.sleep(WATCHED_S)
        watching.cancel()
    return left(readings, closed_s)


async def _watch(http: httpx.AsyncClient, readings: list[Reading]) -> None:
    while True:
        metrics = (await http.get("/metrics")).raise_for_status().text
        readings.append(Reading(time.monotonic(), tokens_in(metrics)))


async def measure(url: str, times: int, key: str) -> list[Left]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
        model = str((await http.get("/v1/models")).raise_for_status().json()["data"][0]["id"])
    await leave(url, model, headers)  # the first one warms up
    return [await leave(url, model, headers) for _ in range(times)]


def table(found: Sequence[Left]) -> str:
    lines = ["| | median | worst |", "|---|---|---|"]
    for name, values in (
        ("ms from leaving until the count stands", [one.stopped_ms for one in found]),
        ("tokens counted after leaving", [one.tokens_after for one in found]),
        ("ms between readings", [one.reading_ms for one in found]),
    ):
        lines.append(f"| {name} | {statistics.median(values):.0f} | {max(values):.0f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--api-key", default="")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    asked = parser.parse_args()
    found = asyncio.run(measure(asked.url, asked.times, asked.api_key))
    print(json.dumps({"benchmark": "leaving", "left": [asdict(one) for one in found]}) if asked.json else table(found))


if __name__ == "__main__":
    main()
