"""Frames a second and latency of the eye, bare and through the ingress, in one run.

    python -m benchmarks.vision [--quick] [--config serve_config.yaml] [--fused] [--size 720x1280] [--rounds 2] [--seconds 4]

Bare: as many processes as the configuration has detector replicas, each with the replicas' settings, the same encoded frames in, detections
with embeddings out, no server. Ingress: the platform as configured; callers in one process, keep-alive, raw bodies, a room's shelf.
The two take turns while the other stands idle; everything shares this machine. Results also go to benchmarks/results/vision.json.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from benchmarks.served import Platform, machine, platform
from benchmarks.vision.measured import Bare, Cell, Job, Turn, conclude, table, together, verdict
from benchmarks.vision.servers import Detectors, Worker, fused
from models.demo.catalog import demo_products, demo_rooms
from models.demo.pictures import demo_frame
from models.types import ProductId

BATCHES = (1, 2, 4, 8)
CALLERS = (1, 2, 4, 8, 16, 32)
TURNS = 30
TURN_S = 0.8
PAUSE_S = 0.008  # about what the platform and its caller do between two frames
FRAMES = 16
SEED = 7
RESULTS = Path(__file__).resolve().parent.parent / "results" / "vision.json"
WARM_UP = Job(8, 2.0)


def main() -> None:
    arguments = _arguments()
    room = next(room for room in demo_rooms() if room.live)
    facts = {
        **machine("ray", "torch", "openvino"),
        "size": arguments.size,
        "seconds": arguments.seconds,
        "config": arguments.config.name,
        "fused": arguments.fused,
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="eye-")))
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="home-")))
        _draw(folder, room.shelf, arguments.size)
        config = fused(arguments.config, home) if arguments.fused else arguments.config
        detectors = Detectors.of(config)
        _say("the platform starts")
        served = stack.enter_context(platform(config, home))
        bare = [_worker(stack, "bare", folder, detectors.config.model_dump_json(), detectors.embedder) for _ in range(detectors.replicas)]
        asking = _worker(stack, "asking", folder, served.port, room.room_id)
        _result(asking, WARM_UP)
        idle = served.idle_cores()
        cells = [cell for number in range(arguments.rounds) for cell in _round(bare, asking, served, number, arguments.seconds)]
        _say("one caller and the bare model in turn")
        turns = [_turn(bare[0], asking) for _ in range(TURNS // 4 if arguments.quick else TURNS)]
    findings = conclude(cells, turns)
    facts |= {"runtimes": bare[0].hello["runtimes"], "replicas": detectors.replicas, "idle_platform_cores": round(idle, 2)}
    RESULTS.parent.mkdir(exist_ok=True)
    measured = {"turns": [asdict(turn) for turn in turns], "cells": [asdict(cell) for cell in cells]}
    RESULTS.write_text(json.dumps({**facts, **asdict(findings), **measured}, indent=1) + "\n", encoding="utf-8")
    print(f"{facts}\n\n{table(cells)}\n\n{verdict(findings)}\n\nWritten to {RESULTS}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.vision", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one round of 2 s")
    parser.add_argument("--config", type=Path, default=Path("serve_config.yaml"))
    parser.add_argument("--fused", action="store_true", help="the detector inside the ingress instead of in replicas of its own")
    parser.add_argument("--size", type=lambda text: tuple(map(int, text.split("x"))), default=(720, 1280), help="width x height of a frame")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=4.0, help="of a cell")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds = 1, 2.0
    return arguments


def _draw(folder: Path, shelf: Sequence[ProductId], size: tuple[int, int]) -> None:
    """Frames of the demo room with one to three products of its shelf."""
    categories = {product.product_id: product.category for product in demo_products()}
    for number in range(FRAMES):
        shown = [shelf[(number + place) % len(shelf)] for place in range(1 + number % 3)]
        picture = demo_frame({product_id: categories[product_id] for product_id in shown}, seed=SEED + number, size=size)
        (folder / f"{number:02}.jpg").write_bytes(picture)


def _worker(stack: ExitStack, module: str, *arguments: object) -> Worker:
    worker = Worker(module, *map(str, arguments))
    stack.callback(worker.close)
    return worker


def _round(bare: Sequence[Worker], asking: Worker, served: Platform, number: int, seconds: float) -> list[Cell]:
    """Every size of both ways, the ways in turn."""
    cells: list[Cell] = []
    for place, callers in enumerate(CALLERS):
        if place < len(BATCHES):
            cells.append(_bare(bare, Job(BATCHES[place], seconds), number))
        cells.append(_ingress(asking, served, Job(callers, seconds), number))
        _say(f"round {number + 1}: {cells[-1]}")
    return cells


def _bare(workers: Sequence[Worker], job: Job, number: int) -> Cell:
    for worker in workers:
        worker.start(job)
    return together([Bare(**worker.result()) for worker in workers], size=job.size, number=number)


def _ingress(asking: Worker, served: Platform, job: Job, number: int) -> Cell:
    cpu_before, started = served.cpu_s(), time.perf_counter()
    seen = _result(asking, job)
    share = job.seconds / (time.perf_counter() - started)  # the callers' warm-up was work too
    cpu_ms = (served.cpu_s() - cpu_before) * share / max(1, seen["requests"]) * 1_000
    return Cell("ingress", job.size, number, seen["per_s"], seen["p50_ms"], seen["p99_ms"], cpu_ms, int(seen["errors"]))


def _turn(bare: Worker, asking: Worker) -> Turn:
    """Short, so that what else the machine does falls on all three alike."""
    jobs = ((asking, Job(1, TURN_S)), (bare, Job(1, TURN_S)), (bare, Job(1, TURN_S, PAUSE_S)))
    return Turn(*(_result(worker, job)["p50_ms"] for worker, job in jobs))


def _result(worker: Worker, job: Job) -> dict[str, float]:
    worker.start(job)
    return worker.result()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
