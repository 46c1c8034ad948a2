"""What is measured, and what is concluded from it."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

MOST_ADDED_MS = 5.0  # goals of the two numbers below
LEAST_SHARE = 0.9
Way = Literal["raw", "ingress"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One way, one number of callers, one round, as `vllm bench serve` reports it; medians over the requests."""

    way: Way
    callers: int
    round: int
    requests: int  # answered
    failed: int
    requests_per_s: float
    tokens_per_s: float  # written
    ttft_ms: float  # until the first token
    tpot_ms: float  # for each token after it
    ttft_p99_ms: float

    @classmethod
    def of(cls, report: Mapping[str, float], *, way: Way, callers: int, number: int) -> Self:
        return cls(
            way,
            callers,
            number,
            requests=int(report["completed"]),
            failed=int(report["failed"]),
            requests_per_s=report["request_throughput"],
            tokens_per_s=report["output_throughput"],
            ttft_ms=report["median_ttft_ms"],
            tpot_ms=report["median_tpot_ms"],
            ttft_p99_ms=report["p99_ttft_ms"],
        )


@dataclass(frozen=True, slots=True)
class Findings:
    """`added_ms`: to the time to the first token of one caller, median of the rounds' differences; `share`: requests a second at the most
    callers through the ingress over raw, median of the rounds."""

    added_ms: float
    share: float

    @property
    def are_goals_met(self) -> bool:
        return self.added_ms <= MOST_ADDED_MS and self.share >= LEAST_SHARE


def conclude(cells: Sequence[Cell]) -> Findings:
    """Raises ValueError without a round in which both ways were asked by one caller and by the most."""
    most = max(cell.callers for cell in cells)
    added = _pairs(cells, 1, lambda raw, ingress: ingress.ttft_ms - raw.ttft_ms)
    shares = _pairs(cells, most, lambda raw, ingress: ingress.requests_per_s / raw.requests_per_s)
    if not added or not shares:
        raise ValueError("no round has both ways with one caller and with the most")
    return Findings(statistics.median(added), statistics.median(shares))


def _pairs(cells: Sequence[Cell], callers: int, compare: Callable[[Cell, Cell], float]) -> list[float]:
    """One number for each round that has both."""
    by_key = {(cell.way, cell.round): cell for cell in cells if cell.callers == callers}
    rounds = sorted({number for _, number in by_key})
    return [compare(by_key["raw", r], by_key["ingress", r]) for r in rounds if ("raw", r) in by_key and ("ingress", r) in by_key]


def table(cells: Sequence[Cell]) -> str:
    """Markdown: the median of the rounds for each way and number of callers."""
    lines = ["| | callers | requests/s | tokens/s | TTFT ms | TTFT p99 ms | TPOT ms |", "|---|---|---|---|---|---|---|"]
    for callers in sorted({cell.callers for cell in cells}):
        for way, named in (("raw", "`vllm serve`"), ("ingress", "through the ingress")):
            same = [cell for cell in cells if (cell.way, cell.callers) == (way, callers)]
            if same:
                lines.append(f"| {named}{_failed(same)} | {callers} | {' | '.join(_row(same))} |")
    return "\n".join(lines)


def _failed(same: Sequence[Cell]) -> str:
    failed = sum(cell.failed for cell in same)
    return f", {failed} failed" if failed else ""


def _row(same: Sequence[Cell]) -> list[str]:
    columns = ("requests_per_s", "tokens_per_s", "ttft_ms", "ttft_p99_ms", "tpot_ms")
    return [f"{statistics.median(getattr(cell, column) for cell in same):.1f}" for column in columns]


def verdict(findings: Findings) -> str:
    return (
        f"One caller: first token {findings.added_ms:+.1f} ms on `vllm serve` (goal: at most {MOST_ADDED_MS:g}).\n"
        f"Most callers: {findings.share:.2f} of its requests/s (goal: at least {LEAST_SHARE})."
    )
