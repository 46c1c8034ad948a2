"""Room sessions at once, as live rooms have them, on a running server: comments, products, memory.

    python -m benchmarks.sessions [--url http://127.0.0.1:8000] [--home .livecart] [--rooms 200] [--seconds 120] [--comments-per-s 20]

Each room sends a frame a second, drawn by the demo world, with another product every `--change-s`. `products` is timed from the sending of
the first frame that shows the new product. A comment is lost when neither a reply nor an error names it. `--home` is that of the
server: the memory of its processes is read there. The rooms are made before and deleted after; the events of the run
stay. Results also go to `--out`.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil

from benchmarks.served import machine
from benchmarks.sessions.played import Heard, RoomPlayer, chatter
from benchmarks.sessions.world import VIEWERS, Chat, Film, films
from deployments.launch.control import read_status

RESULTS = Path(__file__).resolve().parent.parent / "results" / "sessions.json"
WATCHED = ("Ingress", "Detector", "Writer")
RAMP_S = 10.0  # in which the sessions are opened, evenly
PATIENCE_S = 30.0  # for what is not answered when the frames end
SAMPLE_S = 5.0
WARM_S = 30.0  # after the ramp; memory is compared from then on
FLAT = 0.05


@dataclass(frozen=True, slots=True)
class Memory:
    """Of all replicas of a deployment: what is resident, and the CPU seconds so far."""

    at_s: float
    mib: dict[str, float]
    cpu_s: dict[str, float]


def main() -> None:
    asked = _arguments()
    found = asyncio.run(measure(asked))
    asked.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps({name: value for name, value in found.items() if name != "memory"}, indent=1, ensure_ascii=False))
    print(f"Written to {asked.out}", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sessions", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--home", type=Path, default=Path(".livecart"))
    parser.add_argument("--rooms", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--comments-per-s", type=float, default=20.0, help="in all rooms together")
    parser.add_argument("--change-s", type=float, default=10.0, help="how long a room shows a product")
    parser.add_argument("--api-key", default="", help="of an editor, where the server has keys")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


async def measure(asked: argparse.Namespace) -> dict[str, object]:
    facts = machine("livecart", "ray", "fastapi", "uvicorn", "websockets", "openvino")
    print("drawing ...", file=sys.stderr)
    drawn = films(asked.change_s)
    headers = {"Authorization": f"Bearer {asked.api_key}"} if asked.api_key else {}
    room_ids = [f"load-{number:04d}" for number in range(asked.rooms)]
    heard, memory = Heard(), list[Memory]()
    async with httpx.AsyncClient(base_url=asked.url, headers=headers, timeout=60) as http:
        await _make(http, room_ids, drawn)
        try:
            await _play(asked, [RoomPlayer(asked.url, room_id, heard, headers) for room_id in room_ids], drawn, memory)
        finally:
            for room_id in room_ids:
                await http.delete(f"/v1/rooms/{room_id}")
    options = {"rooms": asked.rooms, "seconds": asked.seconds, "comments_per_s": asked.comments_per_s, "change_s": asked.change_s}
    return {"benchmark": "sessions", **facts, **options, **report(heard, memory), "memory": [asdict(sample) for sample in memory]}


async def _make(http: httpx.AsyncClient, room_ids: Sequence[str], drawn: Sequence[Film]) -> None:
    """The rooms, and viewers who have entered."""
    for number, room_id in enumerate(room_ids):
        shelf = drawn[number % len(drawn)].shelf
        room = {"room_id": room_id, "title": f"Room {number}", "host": f"Host {number}", "live": True, "shelf": shelf}
        (await http.put(f"/v1/rooms/{room_id}", json=room)).raise_for_status()
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    came = [{"event_id": f"load-{viewer_id}", "viewer_id": viewer_id, "type": "enter", "at": now} for viewer_id in VIEWERS]
    (await http.post("/v1/events", json={"events": came})).raise_for_status()


async def _play(asked: argparse.Namespace, players: list[RoomPlayer], drawn: Sequence[Film], memory: list[Memory]) -> None:
    print(f"{len(players)} sessions, {asked.seconds:g} s after {RAMP_S:g} s of opening ...", file=sys.stderr)
    over, pids = asyncio.Event(), _replicas(asked.home)
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(_watch(pids, memory))
        async with asyncio.TaskGroup() as playing:
            for number, player in enumerate(players):
                delay_s = RAMP_S * number / len(players)
                start = number // len(drawn) % round(asked.change_s)
                film, seconds = drawn[number % len(drawn)], asked.seconds + RAMP_S - delay_s
                playing.create_task(player.play(film, start, seconds=seconds, over=over, patience_s=PATIENCE_S))
                await asyncio.sleep(RAMP_S / len(players))
            await chatter(players, Chat(), per_s=asked.comments_per_s, seconds=asked.seconds)
            over.set()
            memory.append(_sample(pids))
            watching.cancel()


async def _watch(pids: Mapping[str, Sequence[int]], memory: list[Memory]) -> None:
    while True:
        memory.append(_sample(pids))
        await asyncio.sleep(SAMPLE_S)


def _replicas(home: Path) -> dict[str, list[int]]:
    deployments = read_status(home).deployments
    pids = {name: [one.pid for one in deployments[name].replicas if one.pid] for name in WATCHED if name in deployments}
    return pids | {"this client": [os.getpid()]}


def _sample(pids: Mapping[str, Sequence[int]]) -> Memory:
    """Raises psutil.NoSuchProcess when a replica has died: its memory cannot be compared any more."""
    processes = {name: list(map(psutil.Process, found)) for name, found in pids.items()}
    mib = {name: sum(one.memory_info().rss for one in found) / 2**20 for name, found in processes.items()}
    cpu_s = {name: sum(sum(one.cpu_times()[:2]) for one in found) for name, found in processes.items()}
    return Memory(time.monotonic(), mib, cpu_s)


def report(heard: Heard, memory: Sequence[Memory]) -> dict[str, object]:
    """What counts, as it is printed."""
    told = sorted(change.told_ms for change in heard.changes if change.told_ms is not None)
    return {
        "frames": {"sent": heard.frames, "dropped": heard.dropped, "failed": heard.failed},
        "looked_at": heard.frames - heard.dropped - heard.failed,
        "changes": {"shown": len(heard.changes), "told": len(told), "p50_ms": _quantile(told, 0.5), "p99_ms": _quantile(told, 0.99)},
        "comments": {"sent": heard.comments, "lost": len(heard.asked), "twice": heard.twice, "outcomes": dict(heard.replies)},
        "replies": {"p50_ms": _quantile(heard.reply_ms, 0.5), "p99_ms": _quantile(heard.reply_ms, 0.99)},
        "recommendations": heard.recommendations,
        "ended_by_server": dict(heard.closed),
        "processes": growth(memory),
    }


def growth(memory: Sequence[Memory]) -> dict[str, dict[str, object]]:
    """Of each deployment, from the first sample after the warm-up to the last one; `cores`: CPU seconds a second."""
    if not memory:
        return {}
    samples = [sample for sample in memory if sample.at_s >= memory[0].at_s + RAMP_S + WARM_S]
    found: dict[str, dict[str, object]] = {}
    for name in samples[0].mib if len(samples) > 1 else ():
        values = [sample.mib[name] for sample in samples]
        share = values[-1] / values[0] - 1
        found[name] = {
            "from_mib": round(values[0], 1),
            "to_mib": round(values[-1], 1),
            "most_mib": round(max(values), 1),
            "cores": round((samples[-1].cpu_s[name] - samples[0].cpu_s[name]) / (samples[-1].at_s - samples[0].at_s), 2),
            "grown": round(share, 4),
            "flat": share <= FLAT,
        }
    return found


def _quantile(values: Sequence[float], quantile: float) -> float | None:
    """Nearest rank, in whole milliseconds."""
    if not values:
        return None
    return (
        round(statistics.quantiles(values, n=100, method="inclusive")[round(quantile * 100) - 1]) if len(values) > 1 else round(values[0])
    )


if __name__ == "__main__":
    main()
