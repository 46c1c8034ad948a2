"""The most memory that a stretch of work held."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_PROC = Path("/proc/self")
_RESET_PEAK = "5"  # proc(5): clear_refs


@dataclass(slots=True)
class Peak:
    mib: float | None = None  # None where the system does not tell


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Tells, when the block has ended, how much more this process held at its peak than before (Linux only)."""
    peak = Peak()
    try:
        (_PROC / "clear_refs").write_text(_RESET_PEAK)
        before = psutil.Process().memory_info().rss
    except OSError:
        before = None
    yield peak
    if before is not None:
        with suppress(OSError, StopIteration, ValueError):
            line = next(line for line in (_PROC / "status").read_text().splitlines() if line.startswith("VmHWM"))
            peak.mib = max(0.0, int(line.split()[1]) / 1024 - before / 2**20)
