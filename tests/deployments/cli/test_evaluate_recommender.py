"""`livecart evaluate recommender`: one JSON object, one table of 80 columns, and refusals that name the cell."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments.cli.root import app
from models.demo.catalog import demo_products, demo_rooms
from models.demo.simulator import simulate
from models.evaluation.ranking_metrics import NAMES

RUNNER = CliRunner()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Users who each go through one of ten groups of six items, beginning anywhere."""
    lines = [" ".join([f"u{user}", *(f"{user % 10}-{(user // 10 + step) % 6}" for step in range(3 + user % 4))]) for user in range(120)]
    (tmp_path / "shop.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_every_model_is_in_one_object_with_every_metric_in_range(data: Path) -> None:
    shown = RUNNER.invoke(app, ["evaluate", "recommender", "--data", str(data), "--models", "popular,itemknn,ease,ials,blend", "--json"])
    assert shown.exit_code == 0, shown.output
    report = json.loads(shown.stdout)
    assert (report["format"], report["protocol"], report["users"], report["items"], report["asked"]) == (
        "sequences",
        "leave-one-out",
        120,
        60,
        120,
    )
    rows = {row["model"]: row for row in report["rows"]}
    assert list(rows) == ["popular", "itemknn", "ease", "ials", "blend"]
    for row in rows.values():
        assert all(0 <= row[name] <= 1 for name in (*NAMES, "coverage", "popularity_percentile"))
        assert row["hr"] == row["recall"]  # of one target
        assert row["cold"]["users"] == 120
        assert row["fit_s"] >= 0
    assert rows["itemknn"]["ndcg"] > 2 * rows["popular"]["ndcg"]


def test_the_table_fits_into_80_columns(data: Path) -> None:
    command = ["evaluate", "recommender", "--data", str(data), "--models", "popular,attributes", "--protocol", "ratio-75", "--k", "5"]
    shown = RUNNER.invoke(app, command, env={"COLUMNS": "80"})
    assert shown.exit_code == 0, shown.output
    assert "ratio-75 at 5" in shown.output
    assert "…" not in shown.stdout
    assert all(word in shown.stdout for word in ("popular", "attributes", "nDCG", "MiB"))


def test_own_events_with_products_are_ranked_by_the_pipeline_that_serves(tmp_path: Path) -> None:
    events = simulate(demo_products(), demo_rooms(), viewers=30, days=3.0, seed=3, until=datetime(2026, 3, 1, tzinfo=UTC))
    lines = [
        {"event_id": e.event_id, "viewer_id": e.viewer_id, "type": e.type, "at": e.at.isoformat(), "product_id": e.product_id}
        for e in events
    ]
    (tmp_path / "events.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    products = "\n".join(f'{p.product_id},"{p.title}",{p.category},{p.price.amount}' for p in demo_products())
    (tmp_path / "products.csv").write_text(f"product_id,title,category,price\n{products}\n", encoding="utf-8")
    command = ["evaluate", "recommender", "--data", str(tmp_path), "--models", "popular,ranked", "--protocol", "time-75", "--json"]
    shown = RUNNER.invoke(app, command)
    assert shown.exit_code == 0, shown.output
    report = json.loads(shown.stdout)
    assert report["format"] == "events"
    assert report["passed_over"] > 0
    assert report["ranked_is"]["ranked_by"] == "Wide & Deep"
    assert report["ranked_is"]["candidates"][0] == "ease"
    rows = {row["model"]: row for row in report["rows"]}
    assert rows["ranked"]["ndcg"] > rows["popular"]["ndcg"]
    (tmp_path / "products.csv").write_text("product_id,title,category,price\np1,T,C,cheap\n", encoding="utf-8")
    refused = RUNNER.invoke(app, command)
    assert refused.exit_code == 1
    assert "products.csv" in refused.output


@pytest.mark.parametrize(
    ("name", "text", "extra", "said"),
    [
        ("a.inter", "user_id:token\titem_id:token\ttimestamp:float\nu\ti\tnan\n", (), "line 2, column timestamp: a number within"),
        ("events.csv", "", (), "line 1: the columns event_id"),
        ("a.txt", "1 5 6\n", ("--protocol", "time-75"), "time-75 needs times"),
        ("a.txt", "1 5 6\n", ("--models", "oracle"), "there is no model 'oracle'"),
        ("a.bin", "", (), "in no format that is known"),
        ("a.txt", "1 5\n", (), "nothing to foresee"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, name: str, text: str, extra: tuple[str, ...], said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    refused = RUNNER.invoke(app, ["evaluate", "recommender", "--data", str(tmp_path), *extra])
    assert refused.exit_code == 1
    assert said in " ".join(refused.output.split())
    assert "Traceback" not in refused.output
