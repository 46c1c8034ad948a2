"""What the graph engine costs per node, against the same functions called by hand.

python -m benchmarks.engine [--json] [--runs 2000]
"""

import argparse
import asyncio
import json
import platform
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from graphs.flow import Graph, GraphBuilder

SIZES = (1, 3, 10)
REPEATS = 7  # the best of these counts: the others measure the machine's other work too

Call = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Cost:
    shape: str  # chain or fan-out
    kind: str  # of the nodes: async or plain
    nodes: int
    engine_us: float  # CPU microseconds per node, best repeat
    engine_median_us: float
    bare_us: float  # the same functions awaited (chain) or gathered (fan-out)


async def step(number: int) -> int:
    return number + 1


def plain_step(number: int) -> int:
    return number + 1


def first(*numbers: int) -> int:
    return numbers[0]


def chain(size: int, kind: str) -> Graph[int, int]:
    b = GraphBuilder("chain", int)
    slot = b.request
    for index in range(size):
        name = f"step_{index}"
        slot = b.add(step, slot, timeout_s=1, name=name) if kind == "async" else b.apply(plain_step, slot, name=name)
    return b.build(slot)


def fan_out(size: int, kind: str) -> Graph[int, int]:
    """`size` nodes of the request, and the plain function that joins them."""
    b = GraphBuilder("fan_out", int)
    names = [f"step_{index}" for index in range(size)]
    slots = [b.add(step, b.request, timeout_s=1, name=n) if kind == "async" else b.apply(plain_step, b.request, name=n) for n in names]
    return b.build(b.apply(first, *slots))


def bare(shape: str, size: int, kind: str) -> Call:
    async def awaited() -> int:
        number = 0
        for _ in range(size):
            number = await step(number) if kind == "async" else plain_step(number)
        return number

    async def gathered() -> int:
        if kind == "plain":
            return first(*(plain_step(0) for _ in range(size)))
        return first(*await asyncio.gather(*(step(0) for _ in range(size))))

    return awaited if shape == "chain" else gathered


async def microseconds(call: Call, runs: int) -> list[float]:
    """CPU time of one call, for each repeat: all of it is this process's own work, and waiting for a core is no cost of the engine."""
    took: list[float] = []
    for _ in range(REPEATS):
        started = time.process_time()
        for _ in range(runs):
            await call()
        took.append((time.process_time() - started) / runs * 1e6)
    return took


async def measure(runs: int) -> list[Cost]:
    costs: list[Cost] = []
    for shape, make in (("chain", chain), ("fan-out", fan_out)):
        for kind in ("async", "plain"):
            for size in SIZES:
                graph = make(size, kind)
                engine = await microseconds(lambda graph=graph: graph.run(0, budget_s=1), runs)  # type: ignore[misc]  # bound per round
                by_hand = await microseconds(bare(shape, size, kind), runs)
                nodes = len(graph.describe().nodes)
                costs.append(Cost(shape, kind, nodes, min(engine) / nodes, statistics.median(engine) / nodes, min(by_hand) / nodes))
    return costs


def table(costs: list[Cost]) -> str:
    lines = ["| shape | nodes | kind | engine, CPU us/node (best) | (median) | by hand |", "|---|---|---|---|---|---|"]
    lines += [f"| {c.shape} | {c.nodes} | {c.kind} | {c.engine_us:.1f} | {c.engine_median_us:.1f} | {c.bare_us:.2f} |" for c in costs]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000, help="runs per repeat")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    arguments = parser.parse_args()
    costs = asyncio.run(measure(arguments.runs))
    if arguments.json:
        machine = {"python": platform.python_version(), "machine": platform.processor() or platform.machine()}
        print(json.dumps({"benchmark": "engine", **machine, "runs": arguments.runs, "costs": [asdict(cost) for cost in costs]}))
    else:
        print(table(costs))


if __name__ == "__main__":
    main()
