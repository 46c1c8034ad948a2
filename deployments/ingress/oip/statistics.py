"""What `/stats` tells: cumulative counts and times of this ingress process, in the form that Triton's clients read."""

import time
from collections import defaultdict
from dataclasses import dataclass, field

from deployments.ingress.oip.table import VERSION

_DURATIONS = ("success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss")
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Times:
    """Of one successful request, in seconds."""

    total_s: float
    input_s: float  # reading its tensors
    queue_s: float  # waiting for a place
    infer_s: float
    output_s: float  # writing the answer


@dataclass(slots=True)
class _Counts:
    inferences: int = 0
    requests: int = 0
    last_ms: int = 0  # since 1970
    count: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_DURATIONS, 0))
    ns: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_DURATIONS, 0))

    def add(self, duration: str, seconds: float) -> None:
        self.count[duration] += 1
        self.ns[duration] += int(max(seconds, 0.0) * _NS)


class Statistics:
    def __init__(self) -> None:
        self._models: defaultdict[str, _Counts] = defaultdict(_Counts)

    def succeeded(self, model: str, rows: int, times: Times) -> None:
        counts = self._models[model]
        counts.inferences += rows
        counts.requests += 1
        counts.last_ms = time.time_ns() // 1_000_000
        durations = (times.total_s, times.queue_s, times.input_s, times.infer_s, times.output_s)
        for duration, seconds in zip(("success", "queue", "compute_input", "compute_infer", "compute_output"), durations, strict=True):
            counts.add(duration, seconds)

    def failed(self, model: str, total_s: float) -> None:
        self._models[model].add("fail", total_s)

    def of(self, model: str) -> dict[str, object]:
        counts = self._models[model]
        return {
            "name": model,
            "version": VERSION,
            "last_inference": counts.last_ms,
            "inference_count": counts.inferences,
            "execution_count": counts.requests,
            "inference_stats": {name: {"count": counts.count[name], "ns": counts.ns[name]} for name in _DURATIONS},
            "batch_stats": [],
        }
