"""Training by the size of the log: how long `livecart train recommender` takes, and how much memory, on a synthetic log in Parquet.

    python -m benchmarks.recommend --training [--sizes 1000000 10000000] [--seed 7]

A hundred events a viewer in thirty days, 10,000 products in groups of taste, twenty rooms with displays. Memory is the peak of the
training process: `resident` with the pages of files that it has mapped (the columns of the log), which the system takes back when it
needs them, and `own`, which it cannot. The learned sources are left out (`--sources none`): they learn from at most so many viewers, by
a clock. What is sampled at any size: 10,000 requests that the ranker learns from, and 5,000 viewers who are tested on.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import psutil

from benchmarks.served import machine

SIZES = (1_000_000, 10_000_000)
PRODUCTS, GROUP, ROOMS = 10_000, 50, 20
RESULTS = Path(__file__).resolve().parent.parent / "results" / "recommend-training.json"
_LOOK_S = 0.1
_THINGS = ("lamp", "kettle", "mug", "shirt", "dress", "serum", "cream", "towel", "pan", "knife", "bag", "shoes", "watch", "pillow", "brush")
# Type by a number below 100, display times apart; `u` is a hash, uniform over 64 bits
_EVENTS = """
COPY (
    WITH drawn AS (
        SELECT i, i % {viewers} AS viewer, hash(i, {seed}) AS u, hash(i % {viewers}, hash(i, {seed}) % 3, {seed}) AS taste
        FROM range({events}) t(i)
    )
    SELECT 'e' || i AS event_id, 'viewer-' || viewer AS viewer_id,
        CASE WHEN u % 100 < 55 THEN 'impression' WHEN u % 100 < 80 THEN 'click' WHEN u % 100 < 86 THEN 'cart' WHEN u % 100 < 90 THEN
            'purchase' WHEN u % 100 < 95 THEN 'enter' ELSE 'watch' END AS type,
        TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_microseconds((u // 128 % 2592000000000)::BIGINT) AS at,
        'room-' || (viewer + i // {viewers} // 10) % {rooms} AS room_id,
        CASE WHEN u % 100 < 90 THEN 'p' ||
            ((({groups} * pow((taste % 10000) / 10000.0, 2))::BIGINT * {group} + u // 8192 % {group}) % {products}) END AS product_id,
        CASE WHEN u % 100 >= 95 THEN 300.0 WHEN u % 100 BETWEEN 86 AND 89 THEN 10.0 END AS value
    FROM drawn
    UNION ALL
    SELECT 'd' || i, 'host-room-' || i % {rooms}, 'display', TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_seconds(600 * (i // {rooms})),
        'room-' || i % {rooms}, 'p' || (hash(i, {seed}) % {products}), 600.0 FROM range({rooms} * 4320) t(i)
) TO '{path}' (FORMAT parquet)
"""  # numbers of ours


@dataclass(frozen=True, slots=True)
class Trained:
    events: int
    seconds: float
    cpu_s: float
    resident_gib: float
    own_gib: float
    scores: dict[str, float]


def measure(sizes: Sequence[int], seed: int) -> None:
    found = []
    for events in sizes:
        print(f"{events:,} events", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="training-") as name:
            found.append(_trained(Path(name), events, seed))
    facts = {**machine("duckdb", "torch", "numpy", "scipy"), "seed": seed}
    RESULTS.write_text(json.dumps({**facts, "sizes": [asdict(one) for one in found]}, indent=1) + "\n", encoding="utf-8")
    print(f"{facts}\n\n{table(found)}\n\nWritten to {RESULTS}")


def shop(folder: Path, events: int, seed: int) -> None:
    """The synthetic log with its products and rooms, in the files that `livecart train recommender --data` takes."""
    groups = PRODUCTS // GROUP
    sizes = {"viewers": max(1, events // 100), "rooms": ROOMS, "groups": groups, "group": GROUP, "products": PRODUCTS}
    duckdb.execute(_EVENTS.format(events=events, seed=seed, path=folder / "events.parquet", **sizes))
    price = {"amount": "10.00", "currency": "CNY"}
    with (folder / "products.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(PRODUCTS):
            thing = _THINGS[number // GROUP % len(_THINGS)]
            title = f"{thing} {number // GROUP} {number % GROUP}"
            stream.write(json.dumps({"product_id": f"p{number}", "title": title, "category": thing, "price": price}) + "\n")
    with (folder / "rooms.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(ROOMS):
            shelf = [f"p{(number * 20 + place) % PRODUCTS}" for place in range(20)]
            room = {"room_id": f"room-{number}", "title": f"Room {number}", "host": "host", "tags": [], "live": True, "shelf": shelf}
            stream.write(json.dumps(room) + "\n")


def _trained(folder: Path, events: int, seed: int) -> Trained:
    shop(folder, events, seed)
    command = [sys.executable, "-c", "from deployments.cli.root import main; main()", "train", "recommender", "--json"]
    options = ["--data", str(folder), "--out", str(folder / "out"), "--sources", "none", "--seed", str(seed)]
    began = time.perf_counter()
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(folder)}
    ) as process:  # our own command
        peaks = _Peaks(process.pid)
        watch = threading.Thread(target=peaks.run)
        watch.start()
        told = process.stdout.read() if process.stdout else ""
    watch.join()
    seconds = time.perf_counter() - began
    if process.returncode:
        sys.exit(f"training ended with {process.returncode}")
    scores = json.loads(told[told.index("{\n") :])["scores"]
    return Trained(events, seconds, peaks.cpu_s, peaks.resident / 2**30, peaks.own / 2**30, scores)


class _Peaks:
    """The most memory of a process while it runs, in bytes, and its CPU seconds."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.resident, self.own, self.cpu_s = 0, 0, 0.0

    def run(self) -> None:
        while True:
            try:
                memory, times = self._process.memory_info(), self._process.cpu_times()
            except psutil.NoSuchProcess:
                return
            if not memory.rss:  # it has ended and was not waited for yet
                return
            self.resident, self.own = max(self.resident, memory.rss), max(self.own, memory.rss - memory.shared)
            self.cpu_s = times.user + times.system
            time.sleep(_LOOK_S)


def table(found: list[Trained]) -> str:
    lines = ["| events | s | CPU s | resident GiB | own GiB | nDCG@10 | of popularity |", "|---" * 7 + "|"]
    for one in found:
        quality = f"{one.scores['ndcg_at_10_pipeline']:.3f} | {one.scores['ndcg_at_10_popularity']:.3f}"
        lines.append(f"| {one.events:,} | {one.seconds:.0f} | {one.cpu_s:.0f} | {one.resident_gib:.2f} | {one.own_gib:.2f} | {quality} |")
    return "\n".join(lines)
