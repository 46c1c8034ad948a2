"""What serving costs: a graph of three nodes behind five servers, in one run.

    python -m benchmarks.overhead [--quick] [--json] [--servers replicas,fused,...] [--rounds 2] [--seconds 5]

The servers take turns, round after round, each alone on the machine; the best round of each counts, and all are in the JSON.
"""

import argparse
import json
import platform
import sys
import tempfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.overhead.nodes import KINDS
from benchmarks.overhead.run import Measured, measure, serving
from benchmarks.overhead.serve import SERVERS

CALLERS = (1, 8, 32)


def main() -> None:
    arguments = _arguments()
    found: list[Measured] = []
    starts: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="overhead-") as home:
        for number in range(arguments.rounds):
            for name in arguments.servers:
                _say(f"round {number + 1} of {arguments.rounds}: {SERVERS[name]}")
                with serving(name, Path(home)) as server:
                    starts.setdefault(name, []).append(server.start_s)
                    for kind in KINDS:
                        found += [measure(server, kind, callers=callers, seconds=arguments.seconds) for callers in CALLERS]
    if arguments.json:
        print(json.dumps({**machine(), "seconds": arguments.seconds, "start_s": starts, "measured": [asdict(one) for one in found]}))
    else:
        print(f"{machine()}, {arguments.seconds:g} s a cell, best of {arguments.rounds} rounds\n")
        print("\n\n".join(table(kind, arguments.servers, found) for kind in KINDS))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.overhead", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one round of 2 s")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the tables")
    parser.add_argument("--servers", type=lambda text: text.split(","), default=list(SERVERS), help=", ".join(SERVERS))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5.0)
    arguments = parser.parse_args()
    unknown = set(arguments.servers) - set(SERVERS)
    if unknown:
        parser.error(f"no server {', '.join(sorted(unknown))}; there are {', '.join(SERVERS)}")
    if arguments.quick:
        arguments.rounds, arguments.seconds = 1, 2.0
    return arguments


def table(kind: str, servers: list[str], found: list[Measured]) -> str:
    """Markdown: requests per second, p50 and p99 by callers, from each server's best round."""
    columns = [f"{callers} caller{'s' if callers > 1 else ''}" for callers in CALLERS]
    lines = [
        f"| {kind} nodes: req/s, p50 / p99 ms | " + " | ".join(columns) + " | CPU ms a request (8) |",
        "|---" * (len(CALLERS) + 2) + "|",
    ]
    for server in servers:
        cells = [best(found, server, kind, callers) for callers in CALLERS]
        shown = [f"{c.load.per_s:,.0f}, {c.load.p50_ms:.1f} / {c.load.p99_ms:.1f}{_errors(c)}" for c in cells]
        lines.append(f"| {SERVERS[server]} | " + " | ".join(shown) + f" | {cells[1].cpu_ms:.2f} |")
    return "\n".join(lines)


def best(found: list[Measured], server: str, kind: str, callers: int) -> Measured:
    rounds = [one for one in found if (one.server, one.kind, one.load.callers) == (server, kind, callers)]
    return max(rounds, key=lambda one: one.load.per_s)


def _errors(measured: Measured) -> str:
    return f", {measured.load.errors} errors" if measured.load.errors else ""


def machine() -> dict[str, object]:
    return {
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "load_before": round(psutil.getloadavg()[0], 1),
        "python": platform.python_version(),
        **{name: version(name) for name in ("ray", "fastapi", "uvicorn", "litserve")},
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
