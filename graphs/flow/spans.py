"""What one run of a graph leaves behind: its answer and a span per node."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

O_co = TypeVar("O_co", covariant=True)


class Outcome(StrEnum):
    OK = "ok"
    TIMEOUT = "timeout"  # the node's own time or the request's deadline was spent
    ERROR = "error"
    SKIPPED = "skipped"  # on a branch that was not taken
    CANCELLED = "cancelled"  # the caller left, a sibling failed, or a shadow outlived its request


@dataclass(frozen=True, slots=True)
class Span:
    """How one node fared; every node of a graph has exactly one span per run."""

    node: str  # nodes of a nested graph are `outer/inner`
    outcome: Outcome
    start_s: float  # seconds after the run began
    took_s: float
    used_fallback: bool = False
    error: str | None = None  # for operators: type and message of what the node raised


@dataclass(frozen=True, slots=True)
class Run(Generic[O_co]):
    """A finished run."""

    output: O_co
    graph: str
    spans: tuple[Span, ...]
    took_s: float
    degraded: bool  # some node answered with its fallback
    variants: Mapping[str, str] = field(default_factory=dict)  # split -> the variant that this request got


SpansHook = Callable[[str, tuple[Span, ...]], None]  # (graph, spans); called once per run, failed runs included
