"""Metrics, live percentiles and log lines."""

import builtins
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.telemetry import (
    FAILURE_EVERY_S,
    LOGGERS,
    RESERVOIR,
    STYLE_VARIABLE,
    JsonLines,
    Telemetry,
    configure_logging,
    request_id_var,
)
from deployments.variables import LOGS_VARIABLE
from graphs.flow import GraphBuilder, Outcome, Span


def ran(took_s: float, outcome: Outcome = Outcome.OK, *, used_fallback: bool = False) -> Span:
    return Span("match", outcome, 0.0, took_s, used_fallback)


def test_percentiles_are_of_the_latest_runs() -> None:
    telemetry = Telemetry()
    assert telemetry.percentiles_ms("recognize", "match") is None
    telemetry.spans("recognize", [ran(9.0) for _ in range(RESERVOIR)])
    telemetry.spans("recognize", [ran(0.001 * i) for i in range(1, RESERVOIR + 1)])
    assert telemetry.percentiles_ms("recognize", "match") == {"p50_ms": 256.0, "p99_ms": 507.0, "runs": 512.0}


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50))
def test_percentiles_lie_among_what_was_seen(took_s: list[float]) -> None:
    telemetry = Telemetry()
    telemetry.spans("g", [ran(value) for value in took_s])
    found = telemetry.percentiles_ms("g", "match")
    assert found is not None
    assert round(min(took_s) * 1_000, 3) <= found["p50_ms"] <= found["p99_ms"] <= round(max(took_s) * 1_000, 3)


def test_skipped_nodes_are_not_counted() -> None:
    telemetry = Telemetry()
    telemetry.spans("g", [ran(0.0, Outcome.SKIPPED)])
    assert telemetry.percentiles_ms("g", "match") is None
    assert 'node="match"' not in telemetry.render()


def test_a_callers_method_makes_no_new_series() -> None:
    telemetry = Telemetry()
    for method in ("BREW", "WHEN", "GET"):
        telemetry.request(method, "unmatched", 405, 0.001)
    assert 'livecart_requests_total{method="other",route="unmatched",status="405"} 2.0' in telemetry.render()


def test_nodes_and_fallbacks_are_published() -> None:
    telemetry = Telemetry()
    telemetry.spans("g", [ran(0.02, Outcome.TIMEOUT, used_fallback=True)])
    telemetry.gauge("livecart_ongoing", "now", lambda: 3.0)
    text = telemetry.render()
    assert 'livecart_node_seconds_count{graph="g",node="match",outcome="timeout"} 1.0' in text
    assert 'livecart_node_fallbacks_total{graph="g",node="match"} 1.0' in text
    assert "livecart_ongoing 3.0" in text


def test_a_json_line_has_request_id_and_fields() -> None:
    record = logging.LogRecord("livecart.access", logging.INFO, __file__, 1, "served %s\ud800", ("x",), None)
    record.fields = {"status": 200}
    token = request_id_var.set("req-1")
    try:
        line = json.loads(JsonLines().format(record))
    finally:
        request_id_var.reset(token)
    assert line | {"message": "served x?", "request_id": "req-1", "status": 200, "level": "info"} == line


def failed(error: str, *, used_fallback: bool = False) -> Span:
    return Span("match", Outcome.ERROR, 0.0, 0.01, used_fallback, error)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "livecart.graphs"]


def test_why_a_node_failed_is_logged_with_the_request(caplog: pytest.LogCaptureFixture) -> None:
    telemetry = Telemetry()
    token = request_id_var.set("req-7")
    try:
        telemetry.spans("g", [failed("Unavailable: the writer\nis away", used_fallback=True), ran(0.01)])
        line = json.loads(JsonLines().format(caplog.records[0]))
    finally:
        request_id_var.reset(token)
    assert told(caplog) == ["node match of graph g: Unavailable: the writer is away; its fallback answered"]
    known = {"graph": "g", "node": "match", "request_id": "req-7", "level": "warning", "error": "Unavailable: the writer is away"}
    assert line | known == line


def test_failures_of_one_kind_at_a_node_are_told_once_in_a_while_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 0.0
    telemetry = Telemetry(clock=lambda: now_s)
    for number in range(100):
        telemetry.spans("g", [failed(f"Unavailable: {number}")])
    telemetry.spans("g", [failed("KeyError: 'a'")])
    telemetry.spans("other", [failed("Unavailable")])
    now_s = FAILURE_EVERY_S
    telemetry.spans("g", [failed("Unavailable: again")])
    assert told(caplog) == [
        "node match of graph g: Unavailable: 0",
        "node match of graph g: KeyError: 'a'",
        "node match of graph other: Unavailable",
        "node match of graph g: Unavailable: again (99 more since the last line)",
    ]


@pytest.mark.parametrize(("error", "lines"), [("NotFound: no room", 0), ("ContextLengthExceeded: long", 0), ("Overloaded: full", 1)])
def test_what_is_the_callers_fault_is_not_logged(caplog: pytest.LogCaptureFixture, error: str, lines: int) -> None:
    Telemetry().spans("g", [failed(error)])
    assert len(told(caplog)) == lines


def test_a_long_reason_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    Telemetry().spans("g", [failed("ValueError: " + "x" * 100_000)])
    assert len(told(caplog)[0]) < 1_000


async def test_a_failing_node_of_a_nested_graph_is_logged_by_its_path(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_: str) -> str:
        raise RuntimeError("no memory left")

    def instead(_: str) -> str:
        return ""

    inner = GraphBuilder("inner", str)
    nested = inner.build(inner.add(broken, inner.request, timeout_s=1, fallback=instead))
    outer = GraphBuilder("outer", str)
    graph = outer.build(outer.include(nested, outer.request, timeout_s=1)).observed_by(Telemetry().spans)
    await graph.run("x", budget_s=1)
    assert "node inner/broken of graph outer: RuntimeError: no memory left; its fallback answered" in told(caplog)


@pytest.fixture
def loggers() -> Iterator[None]:
    yield
    for name in LOGGERS:
        logger = logging.getLogger(name)
        for handler in logger.handlers:
            handler.close()
        logger.handlers, logger.propagate = [], True
        logger.setLevel(logging.NOTSET)


@pytest.mark.parametrize("style", ["json", "console"])
@pytest.mark.usefixtures("loggers")
def test_logging_goes_to_standard_error_once(style: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LOGS_VARIABLE, raising=False)
    monkeypatch.setenv(STYLE_VARIABLE, style)
    configure_logging("ingress")
    configure_logging("ingress")
    logging.getLogger("livecart.x").warning("hello")
    assert capsys.readouterr().err.count("hello") == 1


@pytest.mark.usefixtures("loggers")
def test_logging_goes_to_a_file_of_the_process_where_a_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOGS_VARIABLE, str(tmp_path))
    configure_logging("detector")
    logging.getLogger("deployments.remote.entries").warning("hello")
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("detector-")
    assert "hello" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("style", ["json", "console"])
@pytest.mark.usefixtures("loggers")
def test_a_traceback_reads_as_one_even_where_print_was_replaced(
    style: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(LOGS_VARIABLE, raising=False)
    monkeypatch.setenv(STYLE_VARIABLE, style)
    configure_logging("ingress")
    with monkeypatch.context() as replaced:
        replaced.setattr(builtins, "print", lambda *values, file=None, **_: (file or sys.stdout).write(str(values)))  # as Ray Serve does
        try:
            int("no shelf")
        except ValueError:
            logging.getLogger("livecart.x").exception("failed")
    said = capsys.readouterr().err
    assert "ValueError: invalid literal" in said
    assert "('" not in said


def test_the_version_that_serves_is_told_as_it_is_when_asked() -> None:
    telemetry, serving = Telemetry(), {"ranker": "versions/one"}
    telemetry.models(lambda: serving)
    assert 'livecart_model_info{part="ranker",version="versions/one"} 1.0' in telemetry.render()
    serving["ranker"] = "versions/two"
    assert 'version="versions/two"' in telemetry.render()
    assert "versions/one" not in telemetry.render()
