"""The recommend graph and its index by the size of the catalogue.

    python -m benchmarks.recommend [--quick] [--sizes 10000 100000 1000000] [--seed 7]
    python -m benchmarks.recommend --training [--sizes 1000000 10000000]: see benchmarks/recommend/training.py

For each size: a synthetic shop (benchmarks/recommend/world.py), how long its models and indexes take and what memory they take, how many
of the exact 100 nearest products the index finds, and how fast against FAISS's exact search; then the whole recommend graph, histories
from SQLite, one caller in one process and 16 callers in two, as the platform has two ingress replicas. No HTTP, no Ray: those are measured
by `benchmarks.overhead`. Each of 400 viewers asks from a history of their own, five times, and nothing changes meanwhile: what is near to
the products of a history is looked up for the first of them and kept for the others, so the median tells of a steady catalogue and the
first request of a viewer, or the one after a product has changed, is among the slow ones.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import faiss
import numpy as np
import psutil
import torch
from threadpoolctl import threadpool_limits

from benchmarks.recommend import training
from benchmarks.recommend.served import Asked, asked, fill
from benchmarks.recommend.world import Costs, World, world
from benchmarks.served import machine
from models.types import ProductId

SIZES = (10_000, 100_000, 1_000_000)
VIEWERS = 400
QUERIES = 100
NEAREST = 100
RESULTS = Path(__file__).resolve().parent.parent / "results" / "recommend.json"


@dataclass(frozen=True, slots=True)
class Found:
    """The index of texts against exact search: share of the exact nearest that it finds, and milliseconds of one query."""

    recall: float
    index_ms: float
    exact_ms: float


@dataclass(frozen=True, slots=True)
class Size:
    items: int
    memory_gib: float
    costs: Costs
    found: Found
    one: Asked
    sixteen: Asked


def main() -> None:
    arguments = _arguments()
    if arguments.training:
        training.measure(arguments.sizes or training.SIZES, arguments.seed)
        return
    torch.set_num_threads(1)  # as in a replica
    threadpool_limits(1)
    sizes: list[Size] = []
    for items in arguments.sizes or SIZES:
        print(f"{items} products", file=sys.stderr, flush=True)
        sizes.append(_measured(items, arguments.seed, arguments.requests))
    facts = {**machine("faiss-cpu", "torch", "numpy"), "seed": arguments.seed}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**facts, "sizes": [asdict(size) for size in sizes]}, indent=1) + "\n", encoding="utf-8")
    print(f"{facts}\n\n{table(sizes)}\n\nWritten to {RESULTS}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.recommend", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="10,000 and 30,000 products, few requests")
    parser.add_argument(
        "--training", action="store_true", help="training by the size of the log instead of serving by the size of the shop"
    )
    parser.add_argument("--sizes", type=int, nargs="+", help="products, or with --training events")
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.sizes, arguments.requests = [100_000] if arguments.training else [10_000, 30_000], 200
    return arguments


def _measured(items: int, seed: int, requests: int) -> Size:
    before = _memory_gib()
    made = world(items, viewers=VIEWERS, seed=seed)
    memory = _memory_gib() - before
    with tempfile.TemporaryDirectory(prefix="recommend-") as name:
        folder = Path(name)
        asyncio.run(fill(f"sqlite:///{folder / 'store.db'}", made))
        one = asked(made, folder, callers=1, requests=requests, processes=1)
        sixteen = asked(made, folder, callers=16, requests=requests, processes=2)
    return Size(items, memory, made.costs, _found(made), one, sixteen)


def _memory_gib() -> float:
    return float(psutil.Process(os.getpid()).memory_info().rss) / 2**30


def _found(made: World) -> Found:
    ids = list(made.products)
    everything = made.shop.text_vectors(ids)
    exact = faiss.IndexFlatIP(everything.shape[1])
    exact.add(everything)
    queries = everything[np.random.default_rng(1).choice(len(ids), size=QUERIES, replace=False)]
    shares, index_s, exact_s = list[float](), list[float](), list[float]()
    for query in queries:
        started = time.perf_counter()
        scores, _ = exact.search(query[None], NEAREST)
        turned = time.perf_counter()
        nearest = made.shop.nearest_texts(query[None], NEAREST)
        ended = time.perf_counter()
        shares.append(_share(nearest, float(scores[0, -1])))
        exact_s.append(turned - started)
        index_s.append(ended - turned)
    return Found(float(np.mean(shares)), float(np.median(index_s)) * 1_000, float(np.median(exact_s)) * 1_000)


def _share(nearest: list[tuple[ProductId, float]], worst: float) -> float:
    """Of what was found, that which is no farther than the last of the exact ones: equal distances count as found."""
    return sum(score >= worst - 1e-5 for _, score in nearest) / NEAREST


def table(sizes: list[Size]) -> str:
    lines = [
        "| products | fit s | index s | GiB | recall@100 | index ms | exact ms | p50 ms | p99 ms | CPU ms | 16: per s | 16: p99 ms |",
        "|---" * 12 + "|",
    ]
    for size in sizes:
        cells = (
            f"{size.items:,}",
            f"{size.costs.fit_s:.1f}",
            f"{size.costs.index_s:.1f}",
            f"{size.memory_gib:.2f}",
            f"{size.found.recall:.3f}",
            f"{size.found.index_ms:.2f}",
            f"{size.found.exact_ms:.2f}",
            f"{size.one.p50_ms:.1f}",
            f"{size.one.p99_ms:.1f}",
            f"{size.one.cpu_ms:.1f}",
            f"{size.sixteen.per_s:.0f}",
            f"{size.sixteen.p99_ms:.1f}",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
