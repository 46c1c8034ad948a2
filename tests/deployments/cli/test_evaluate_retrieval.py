"""`livecart evaluate retrieval`: one JSON object, a table, and refusals that name the line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments.cli.root import app

RUNNER = CliRunner()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [
        {"question": "how heavy is it", "candidates": ["colour: red", "weight: 2 kg"], "relevant": [1]},
        {"question": "谁设计的", "candidates": ["颜色: 红"], "relevant": []},
    ]
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def test_the_report_holds_every_method_and_counts_what_nothing_answers(data: Path) -> None:
    shown = RUNNER.invoke(app, ["evaluate", "retrieval", "--data", str(data), "--json"])
    assert shown.exit_code == 0, shown.output
    report = json.loads(shown.stdout)
    assert (report["questions"], report["without_relevant"], report["candidates"]) == (1, 1, 3)
    rows = {row["method"]: row for row in report["rows"]}
    assert set(rows) == {"bm25", "dense", "fused", "reranked"}
    assert rows["reranked"]["p_at_1"] == rows["reranked"]["mrr"] == rows["reranked"]["ndcg"] == 1.0


def test_the_table_names_the_methods(data: Path) -> None:
    shown = RUNNER.invoke(app, ["evaluate", "retrieval", "--data", str(data)], env={"COLUMNS": "200"})
    assert shown.exit_code == 0, shown.output
    assert all(word in shown.output for word in ("bm25", "dense", "fused", "reranked", "without relevant 1"))


def test_a_bad_line_and_a_folder_without_weights_are_named(data: Path, tmp_path: Path) -> None:
    data.write_text('{"question": "q", "candidates": ["a"], "relevant": [3]}\n', encoding="utf-8")
    refused = RUNNER.invoke(app, ["evaluate", "retrieval", "--data", str(data)])
    assert refused.exit_code == 1
    assert "questions.jsonl:1" in refused.output
    data.write_text('{"question": "q", "candidates": ["a"], "relevant": [0]}\n', encoding="utf-8")
    refused = RUNNER.invoke(app, ["evaluate", "retrieval", "--data", str(data), "--reranker", str(tmp_path)])
    assert refused.exit_code == 1
    assert "cross-encoder" in refused.output
