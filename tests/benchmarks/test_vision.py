"""The vision benchmark concludes what its cells say."""

from pathlib import Path

import pytest

from benchmarks.vision.measured import Bare, Cell, Job, Turn, conclude, table, together, verdict
from benchmarks.vision.servers import Detectors, fused
from deployments.launch.check import problems

ROOT = Path(__file__).parents[2]


def cell(way: str, size: int, per_s: float, *, number: int = 0, cpu_ms: float = 10.0, errors: int = 0) -> Cell:
    return Cell(way, size, number, per_s, 10.0, 20.0, cpu_ms, errors)


def test_processes_at_once_add_up_their_frames_and_show_the_slower_latency() -> None:
    slow, fast = Bare.of(Job(4, 1.0), [0.5, 0.5], cpu_s=0.8), Bare.of(Job(4, 1.0), [0.2] * 5, cpu_s=1.0)
    assert (slow.frames, slow.per_s, slow.p50_ms) == (8, 8.0, 500.0)
    both = together([slow, fast], size=4, number=0)
    assert both.per_s == pytest.approx(28.0)
    assert both.p50_ms == 500.0
    assert both.cpu_ms == pytest.approx(1.8 / 28 * 1_000)


def test_the_share_compares_the_best_of_each_round_and_takes_the_median() -> None:
    cells = [
        *(cell("bare", 1, 90), cell("bare", 8, 100), cell("ingress", 1, 40), cell("ingress", 32, 80, cpu_ms=12.5)),
        *(cell("bare", 1, 200, number=1), cell("ingress", 16, 180, number=1, cpu_ms=12.5)),
        *(cell("bare", 1, 100, number=2), cell("ingress", 16, 90, number=2, cpu_ms=12.5)),
    ]
    found = conclude(cells, [Turn(20.0, 14.0, 16.0), Turn(50.0, 44.0, 46.0), Turn(21.0, 14.0, 15.0)])
    assert found.share == pytest.approx(0.9)
    assert found.cpu_share == pytest.approx(0.8)
    assert found.added_ms == pytest.approx(6.0)
    assert found.are_goals_met
    assert found.added_paced_ms == pytest.approx(4.0)
    assert not conclude(cells, [Turn(22.0, 15.0, 18.0)]).are_goals_met
    assert "0.90" in verdict(found)
    assert "+6.0 ms" in verdict(found)


def test_the_table_has_a_row_for_each_size_and_shows_errors() -> None:
    lines = table([cell("ingress", 2, 10, errors=3), cell("bare", 1, 30), cell("bare", 1, 50, number=1)]).splitlines()
    assert lines[2] == "| bare model, batch 1 | 40.0 | 10.0 | 20.0 | 10.0 |"
    assert lines[3] == "| through the ingress, callers 2, 3 errors | 10.0 | 10.0 | 20.0 | 10.0 |"
    assert len({line.count("|") for line in lines}) == 1


@pytest.mark.parametrize("name", ["serve_config.yaml", "serve_config.gpu.yaml"])
def test_the_bare_model_is_the_one_that_the_configuration_serves(name: str) -> None:
    found = Detectors.of(ROOT / name)
    assert found.replicas >= 1
    assert (found.config.device == "cuda") == ("gpu" in name)


def test_a_fused_detector_is_configured_as_the_replicas_were(tmp_path: Path) -> None:
    config = fused(ROOT / "serve_config.yaml", tmp_path)
    assert problems(config) == []
    apart, together_ = Detectors.of(ROOT / "serve_config.yaml"), Detectors.of(config)
    assert (apart.config, apart.embedder) == (together_.config, together_.embedder)
