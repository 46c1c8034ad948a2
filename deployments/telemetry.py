"""Metrics, live percentiles and logs of one ingress process. Nothing is registered globally: a `Telemetry` is made and handed around."""

import logging
import os
import sys
import time
import traceback
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Literal, Protocol

import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from deployments.variables import LOGS_VARIABLE
from graphs.errors import LivecartError, Overloaded

request_id_var: ContextVar[str | None] = ContextVar("livecart_request_id", default=None)  # of the request being served, for log lines
# what became of the writer's texts in the request being served; only where a trace is asked for
writer_tally_var: ContextVar[Tally[str] | None] = ContextVar("livecart_writer_tally", default=None)

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
RESERVOIR = 512  # latest spans of a node that its live percentiles are taken over


FAILURE_EVERY_S = 10.0  # of one kind at one node: a line, and then none before this
_ERROR_CHARACTERS = 500  # of an error's text that a log line holds

_failure_log = logging.getLogger("livecart.graphs")


class NodeSpan(Protocol):
    """What is read of `graphs.flow.Span`."""

    @property
    def node(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def took_s(self) -> float: ...
    @property
    def used_fallback(self) -> bool: ...
    @property
    def error(self) -> str | None: ...


class Telemetry:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures = FailureLog(clock)
        self.registry = CollectorRegistry()
        self._requests = Counter("livecart_requests", "Requests by route and status", ("method", "route", "status"), registry=self.registry)
        self._latency = Histogram(
            "livecart_request_seconds", "Time to the whole answer", ("route",), buckets=BUCKETS_S, registry=self.registry
        )
        self._nodes = Histogram(
            "livecart_node_seconds", "Time of a graph's node", ("graph", "node", "outcome"), buckets=BUCKETS_S, registry=self.registry
        )
        self._fallbacks = Counter("livecart_node_fallbacks", "Answers given by a fallback", ("graph", "node"), registry=self.registry)
        self._waited = Histogram("livecart_admission_wait_seconds", "Waiting for a place", buckets=BUCKETS_S, registry=self.registry)
        self._frames = Counter("livecart_session_frames", "Frames of room sessions", ("outcome",), registry=self.registry)
        self._shared = Counter(
            "livecart_generated_answers", "Answers of the writer by how they came about", ("how",), registry=self.registry
        )
        self._writer = Counter(
            "livecart_writer_events", "What the writer was asked for and what became of it", ("graph", "event"), registry=self.registry
        )
        self._took_s: dict[tuple[str, str], deque[float]] = {}

    def request(self, method: str, route: str, status: int, took_s: float) -> None:
        known = method if method in METHODS else "other"  # the caller's choice must not make new time series
        self._requests.labels(known, route, str(status)).inc()
        self._latency.labels(route).observe(took_s)

    def admitted(self, waited_s: float) -> None:
        self._waited.observe(waited_s)

    def session_frame(self, outcome: Literal["seen", "dropped", "failed"]) -> None:
        self._frames.labels(outcome).inc()

    def shared(self, how: Literal["generated", "joined", "repeated"]) -> None:
        """Count an answer of the writer: generated for its caller, heard along with another, or given again."""
        self._shared.labels(how).inc()

    def wrote(self, graph: str, event: str) -> None:
        """Count what became of what a graph asked the writer for (`graphs.checking.verdicts`), for all requests and for the one traced."""
        self._writer.labels(graph, event).inc()
        tally = writer_tally_var.get()
        if tally is not None:
            tally[event] += 1

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Publish a number that is read when metrics are asked for."""
        Gauge(name, text, registry=self.registry).set_function(read)

    def models(self, read: Callable[[], Mapping[str, str]]) -> None:
        """Publish which version of each part serves, read when metrics are asked for: `livecart_model_info{part, version} 1`."""
        self.registry.register(_Models(read))

    def spans(self, graph: str, spans: Sequence[NodeSpan]) -> None:
        """Count one run of a graph, and log why nodes failed: the hook that graphs are built with."""
        for span in spans:
            if span.outcome == "skipped":
                continue
            self._nodes.labels(graph, span.node, str(span.outcome)).observe(span.took_s)
            if span.used_fallback:
                self._fallbacks.labels(graph, span.node).inc()
            self._reservoir(graph, span.node).append(span.took_s)
            if span.error is not None:
                self._failures.note(graph, span)

    def _reservoir(self, graph: str, node: str) -> deque[float]:
        found = self._took_s.get((graph, node))
        if found is None:
            found = self._took_s[graph, node] = deque(maxlen=RESERVOIR)
        return found

    def percentiles_ms(self, graph: str, node: str) -> dict[str, float] | None:
        """`{"p50_ms", "p99_ms", "runs"}` over the node's latest runs; None before the first one."""
        took_s = sorted(self._took_s.get((graph, node), ()))
        if not took_s:
            return None
        return {"p50_ms": _nearest_rank_ms(took_s, 0.5), "p99_ms": _nearest_rank_ms(took_s, 0.99), "runs": float(len(took_s))}

    def render(self) -> str:
        """Prometheus text, version 0.0.4."""
        return generate_latest(self.registry).decode("utf-8")


class _Models(Collector):
    def __init__(self, read: Callable[[], Mapping[str, str]]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("livecart_model_info", "Artifacts that serve in this process", labels=("part", "version"))
        for part, version in self._read().items():
            family.add_metric((part, version), 1.0)
        yield family


def _nearest_rank_ms(ascending_s: Sequence[float], quantile: float) -> float:
    """The smallest value that at least this share of all values does not exceed.

    >>> _nearest_rank_ms([0.001, 0.002, 0.003], 0.5)
    2.0
    """
    rank = max(1, -(-len(ascending_s) * int(quantile * 100) // 100))
    return round(ascending_s[rank - 1] * 1_000, 3)


@dataclass(slots=True)
class FailureLog:
    """Why nodes failed, one line a failure. Failures like the last one are only counted for `FAILURE_EVERY_S`, which the next line tells.

    What is the caller's fault is not told: the answer says it.
    """

    clock: Callable[[], float]
    _quiet: dict[tuple[str, str, str], tuple[float, int]] = field(default_factory=dict)  # graph, node, kind -> until, untold so far

    def note(self, graph: str, span: NodeSpan) -> None:
        text = " ".join((span.error or "").split())[:_ERROR_CHARACTERS]
        kind = text.split(":", 1)[0]
        if kind in _callers_faults():
            return
        key, now_s = (graph, span.node, kind), self.clock()
        until_s, untold = self._quiet.get(key, (now_s, 0))
        if now_s < until_s:
            self._quiet[key] = until_s, untold + 1
            return
        self._quiet[key] = now_s + FAILURE_EVERY_S, 0
        more = f" ({untold} more since the last line)" if untold else ""
        answered = "; its fallback answered" if span.used_fallback else ""
        fields = {"graph": graph, "node": span.node, "error": text, "used_fallback": span.used_fallback, "untold": untold}
        _failure_log.warning("node %s of graph %s: %s%s%s", span.node, graph, text, answered, more, extra={"fields": fields})


def _callers_faults() -> frozenset[str]:
    """Names of the errors that the same request would meet again."""
    kinds, found = list[type[LivecartError]]([LivecartError]), set[str]()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if kind.http_status < 500 and kind is not Overloaded:
            found.add(kind.__name__)
    return frozenset(found)


# --- logs --------------------------------------------------------------------------------------------------------------


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, request id, and what the call passed as `extra={"fields": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        request_id = request_id_var.get()
        if request_id is not None:
            line["request_id"] = request_id
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["exception"] = _traceback(record)
        return orjson.dumps(_clean(line), default=str).decode("utf-8")


class Console(logging.Formatter):
    """A line for people: time, level, request id, message."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        text = f"{at} {record.levelname:<7} {request_id_var.get() or '-':<8.8} {record.name}: {record.getMessage()}"
        return f"{text}\n{_traceback(record)}" if record.exc_info else text


def _traceback(record: logging.LogRecord) -> str:
    """Not `Formatter.formatException`: it prints, and in a replica Ray Serve has put a `print` of its own in the place of Python's."""
    error = record.exc_info[1] if record.exc_info else None
    return "".join(traceback.format_exception(error)).rstrip("\n") if error is not None else ""


def _clean(line: dict[str, object]) -> dict[str, object]:
    return {name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value for name, value in line.items()}


STYLE_VARIABLE = "LIVECART_LOG_STYLE"  # json or console
LOGGERS = ("livecart", "deployments")
_LOG_BYTES = 20 * 2**20


def configure_logging(component: str, *, level: str = "INFO") -> None:
    """Send our loggers to `<logs>/<component>-<pid>.log`, called once by each process that serves. Other loggers stay as they are.

    Not to standard error where a folder is named: Serve collects what replicas print in batches of a thousand lines.
    """
    folder = os.environ.get(LOGS_VARIABLE)
    path = Path(folder or ".") / f"{component}-{os.getpid()}.log"
    handler = (
        RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8") if folder else logging.StreamHandler(sys.stderr)
    )
    handler.setFormatter(JsonLines() if os.environ.get(STYLE_VARIABLE) == "json" else Console())
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
