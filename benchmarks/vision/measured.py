"""What is measured, and what is concluded from it."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np

MOST_ADDED_MS = 6.0  # goals of the two numbers below
LEAST_SHARE = 0.85


@dataclass(frozen=True, slots=True)
class Job:
    """`size`: frames a batch for the bare model, callers at the ingress."""

    size: int
    seconds: float
    pause_s: float = 0.0  # of the bare model after each batch


@dataclass(frozen=True, slots=True)
class Turn:
    """Medians in milliseconds of one caller, of the bare model without a pause, and of the bare model at the caller's pace."""

    ingress_ms: float
    bare_ms: float
    paced_ms: float


@dataclass(frozen=True, slots=True)
class Bare:
    """What one process did alone; times of whole batches in milliseconds."""

    frames: int
    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float  # a frame

    @classmethod
    def of(cls, job: Job, took_s: Sequence[float], *, cpu_s: float) -> Self:
        frames = job.size * len(took_s)
        p50, p99 = np.percentile(took_s, [50, 99]) * 1_000
        return cls(frames, frames / sum(took_s), float(p50), float(p99), cpu_s / frames * 1_000)

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Cell:
    """One way, one size, one round. `p50_ms` and `p99_ms`: of a batch for the bare model, of a request at the ingress."""

    way: str  # "bare" or "ingress"
    size: int
    round: int
    per_s: float  # frames, of all processes together
    p50_ms: float
    p99_ms: float
    cpu_ms: float  # a frame, of all processes on that side without the callers
    errors: int = 0


def together(workers: Sequence[Bare], *, size: int, number: int) -> Cell:
    """Several bare processes at once as one cell: throughputs add up, latencies are the slower process's."""
    frames = sum(one.frames for one in workers)
    return Cell(
        "bare",
        size,
        number,
        per_s=sum(one.per_s for one in workers),
        p50_ms=max(one.p50_ms for one in workers),
        p99_ms=max(one.p99_ms for one in workers),
        cpu_ms=sum(one.cpu_ms * one.frames for one in workers) / frames,
    )


@dataclass(frozen=True, slots=True)
class Findings:
    """`share`: the ingress's frames per second at its best number of callers over the bare model's at its best batch, median of the
    rounds; `cpu_share`: the same from CPU time, which other work on the machine disturbs least. `added_ms`: a request of one caller
    minus a frame of the bare model, median of the differences of turns; `added_paced_ms`: the same where the bare model also pauses after
    each frame, as it does behind one caller: what a core forgets in a pause is no work of the platform's."""

    share: float
    cpu_share: float
    added_ms: float
    added_paced_ms: float

    @property
    def are_goals_met(self) -> bool:
        return self.share >= LEAST_SHARE and self.added_ms <= MOST_ADDED_MS


def conclude(cells: Sequence[Cell], turns: Sequence[Turn]) -> Findings:
    rounds = sorted({cell.round for cell in cells})
    shares = [_best(cells, "ingress", number).per_s / _best(cells, "bare", number).per_s for number in rounds]
    cpu_shares = [_best(cells, "bare", number).cpu_ms / _best(cells, "ingress", number).cpu_ms for number in rounds]
    return Findings(
        statistics.median(shares),
        statistics.median(cpu_shares),
        statistics.median(turn.ingress_ms - turn.bare_ms for turn in turns),
        statistics.median(turn.ingress_ms - turn.paced_ms for turn in turns),
    )


def _best(cells: Sequence[Cell], way: str, number: int) -> Cell:
    return max((cell for cell in cells if (cell.way, cell.round) == (way, number)), key=lambda cell: cell.per_s)


def table(cells: Sequence[Cell]) -> str:
    """Markdown: the median of the rounds for each way and size."""
    lines = ["| | frames/s | p50 ms | p99 ms | CPU ms a frame |", "|---|---|---|---|---|"]
    for way, named in (("bare", "bare model, batch {}"), ("ingress", "through the ingress, callers {}")):
        for size in sorted({cell.size for cell in cells if cell.way == way}):
            same = [cell for cell in cells if (cell.way, cell.size) == (way, size)]
            errors = sum(cell.errors for cell in same)
            row = [_median(same, lambda cell: cell.per_s), _median(same, lambda cell: cell.p50_ms), _median(same, lambda cell: cell.p99_ms)]
            shown = " | ".join(f"{value:.1f}" for value in (*row, _median(same, lambda cell: cell.cpu_ms)))
            lines.append(f"| {named.format(size)}{f', {errors} errors' if errors else ''} | {shown} |")
    return "\n".join(lines)


def _median(cells: Sequence[Cell], value: Callable[[Cell], float]) -> float:
    return statistics.median(map(value, cells))


def verdict(findings: Findings) -> str:
    return (
        f"Through the ingress at saturation: {findings.share:.2f} of the bare model's frames/s (goal: at least {LEAST_SHARE}); "
        f"by CPU time {findings.cpu_share:.2f}.\n"
        f"One caller: {findings.added_ms:+.1f} ms on the bare model (goal: at most {MOST_ADDED_MS:g}), "
        f"{findings.added_paced_ms:+.1f} ms on the bare model at the caller's pace."
    )
