"""The voice benchmark concludes what its cells say."""

from pathlib import Path

import pytest

from benchmarks.voice.measured import Cell, Way, conclude, table, verdict
from benchmarks.voice.raw import writer_of

ROOT = Path(__file__).parents[2]


def cell(way: Way, callers: int, *, number: int = 0, ttft_ms: float = 20.0, per_s: float = 10.0, failed: int = 0) -> Cell:
    return Cell(way, callers, number, 40, failed, per_s, per_s * 64, ttft_ms, 5.0, 2 * ttft_ms)


def test_rounds_are_compared_one_by_one_and_their_median_counts() -> None:
    cells = [
        *(cell("raw", 1), cell("ingress", 1, ttft_ms=24.0), cell("raw", 32, per_s=100), cell("ingress", 32, per_s=95)),
        *(cell("ingress", 1, number=1, ttft_ms=90.0), cell("raw", 1, number=1, ttft_ms=40.0)),
        *(cell("raw", 1, number=2), cell("ingress", 1, number=2, ttft_ms=23.0), cell("ingress", 32, number=2)),
    ]
    found = conclude(cells)
    assert found.added_ms == pytest.approx(4.0)
    assert found.share == pytest.approx(0.95)
    assert found.are_goals_met
    assert "+4.0 ms" in verdict(found)
    assert "0.95" in verdict(found)


def test_one_way_alone_concludes_nothing() -> None:
    with pytest.raises(ValueError, match="both ways"):
        conclude([cell("raw", 1), cell("raw", 32)])


def test_the_table_says_what_failed() -> None:
    shown = table([cell("raw", 1), cell("ingress", 1, failed=2), cell("ingress", 1, number=1, failed=1)])
    assert "through the ingress, 3 failed | 1 |" in shown
    assert shown.count("\n") == 3


def test_the_report_of_vllm_is_read_by_its_own_names() -> None:
    names = ("completed", "failed", "request_throughput", "output_throughput", "median_ttft_ms", "median_tpot_ms", "p99_ttft_ms")
    read = Cell.of(dict(zip(names, range(1, 8), strict=True)), way="raw", callers=8, number=2)
    assert read == Cell("raw", 8, 2, 1, 2, 3, 4, 5, 6, 7)


def test_raw_and_ingress_serve_the_same_weights() -> None:
    assert Path(writer_of(ROOT / "serve_config.yaml").model).name == "writer"
