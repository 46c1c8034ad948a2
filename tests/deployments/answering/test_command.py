"""`livecart evaluate answers` with the shipped weights: standard output is one JSON object, and each answer can be looked at."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments.cli.root import app

KETTLE = {"title": "Aro kettle", "price": {"amount": "39.00", "currency": "USD"}, "stock": 3, "attributes": {"Capacity": "1.7 L"}}
ROWS = [
    {"question": "how much is it", "product": KETTLE, "answer": "39", "accept": ["$39"], "kind": "price"},
    {"question": "how heavy is the lid", "product": KETTLE, "answer": None, "kind": "absent"},
    {"question": "能放洗碗机吗", "facts": ["不可以放进洗碗机。"], "answer": "不可以", "accept": ["不可以放进洗碗机"]},
]


def _run(data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "from deployments.cli import main; main()",
        "evaluate",
        "answers",
        "--data",
        str(data),
        "--json",
        *options,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)


@pytest.mark.slow
def test_a_file_is_answered_and_scored(tmp_path: Path) -> None:
    data, out = tmp_path / "rows.jsonl", tmp_path / "answers.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    done = _run(data, "--out", str(out))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["rows"], found["correct"], found["abstained_rightly"], found["wrong_figures"]) == (3, 1.0, 1.0, 0)
    assert set(found["by_kind"]) == {"absent", "price"}
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [(line["source"], line["right"]) for line in lines] == [("slot", True), ("none", True), ("bank", True)]


def test_a_bad_line_is_named_before_anything_is_loaded(tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text(json.dumps(ROWS[0]) + "\n{}\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["evaluate", "answers", "--data", str(data), "--json"])
    assert done.exit_code == 1
    assert "line 2" in done.stderr
    assert done.stdout == ""
