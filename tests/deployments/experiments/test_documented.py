"""The example of docs/experiments.md: `python -m tests.deployments.experiments.test_documented` writes its results, the test compares."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import yaml

from deployments.experiments.arms import Arms
from deployments.experiments.results import configured_weights, result
from deployments.experiments.service import draw
from deployments.gateway import build_graphs
from deployments.ingress.fakes import fake_ports
from deployments.settings import ExperimentConfig, IngressConfig
from deployments.store import VariantSums
from graphs.fakes import FakeShop
from livecart_client import wire
from models.evaluation.experiments import MEASURES, Floats, products_of
from models.types import ViewerId

PAGE = Path(__file__).resolve().parents[3] / "docs" / "experiments.md"
EXAMPLE = re.compile(
    r"<!-- example: settings -->\n```yaml\n(?P<settings>.*?)```.*?<!-- example: results -->\n```json\n(?P<made>.*?)```", re.DOTALL
)
NAME, VIEWERS = "ranker-off", 8_000


def config(settings: str) -> ExperimentConfig:
    return IngressConfig.model_validate(yaml.safe_load(settings)).experiments[NAME]


def simulated(count: int, spending: float, rng: np.random.Generator) -> Floats:
    """Viewers with habits: those who bought much before go on doing so, at `spending` times the rate."""
    habit = rng.gamma(2.0, 10.0, count)
    rows = np.zeros((count, len(MEASURES)))
    rows[:, 0] = 1.0
    for first, rate in ((1, spending), (5, 1.0)):
        rows[:, first] = rng.poisson(habit)
        rows[:, first + 1] = rng.binomial(rows[:, first].astype(int), 0.2)
        rows[:, first + 2] = rng.binomial(rows[:, first + 1].astype(int), 0.3 * rate)
        rows[:, first + 3] = rows[:, first + 2] * 100.0
    return products_of(rows)


def made(settings: str) -> str:
    one, rng = config(settings), np.random.default_rng(11)
    weights = configured_weights(one)
    drawn = [draw(NAME, weights, ViewerId(f"viewer-{number}")) for number in range(VIEWERS)]
    sums = [VariantSums(label, simulated(drawn.count(label), rate, rng)) for label, rate in (("control", 1.0), ("sources", 0.875))]
    found = result(NAME, one, weights, sums, datetime(2026, 11, 11, 20, 0, tzinfo=UTC))
    return printed(wire.Experiment.model_validate(found).model_dump(mode="json"))


def printed(value: dict[str, object]) -> str:
    """A line for each name, variants and their lifts spread out; numbers to three places."""
    text = json.dumps(json.loads(json.dumps(value), parse_float=lambda digits: round(float(digits), 3)), indent=2)
    return re.sub(r"\{[^{}\[\]]*?\}|\{[^{}\[\]]*?\"unadjusted\": \{[^{}]*\}[^{}]*\}", lambda m: re.sub(r"\s*\n\s*", " ", m[0]), text) + "\n"


def test_the_documented_settings_make_the_documented_results() -> None:
    shown = EXAMPLE.search(PAGE.read_text(encoding="utf-8"))
    assert shown is not None
    assert shown["made"] == made(shown["settings"])
    experiment = wire.Experiment.model_validate_json(shown["made"])
    decided = experiment.variants[1].lift["revenue_per_viewer"]
    assert decided.high is not None
    assert decided.high < 0
    assert experiment.sample_ratio is not None
    assert experiment.sample_ratio.ok


def test_the_documented_settings_fit_the_graph() -> None:
    shown = EXAMPLE.search(PAGE.read_text(encoding="utf-8"))
    assert shown is not None
    build_graphs(fake_ports(FakeShop()), IngressConfig(), arms=Arms({NAME: config(shown["settings"])}))


def write() -> None:
    text = PAGE.read_text(encoding="utf-8")
    shown = EXAMPLE.search(text)
    if shown is None:
        raise ValueError(f"{PAGE} has no example")
    PAGE.write_text(text[: shown.start("made")] + made(shown["settings"]) + text[shown.end("made") :], encoding="utf-8")


if __name__ == "__main__":
    write()
