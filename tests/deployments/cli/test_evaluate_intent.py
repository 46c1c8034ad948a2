"""`livecart evaluate intent|sentiment`: the same numbers as JSON and as a table, and refusals that name the file."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments.cli.root import app
from models.training.comments import comments

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Generated comments, every other one to learn from; one test row has a label of its own."""
    folder = tmp_path_factory.mktemp("intent")
    rows = [{"sentence": each.text, "label": each.intent} for each in comments(per_template=2, seed=9)]
    parts = {"train.jsonl": rows[::2], "test.jsonl": [*rows[1::2], {"sentence": "多少钱", "label": "never learnt"}]}
    for name, part in parts.items():
        (folder / name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in part), encoding="utf-8")
    return folder / "train.jsonl", folder / "test.jsonl"


def report(*arguments: object) -> dict[str, float]:
    shown = RUNNER.invoke(app, ["evaluate", *map(str, arguments), "--json"])
    assert shown.exit_code == 0, shown.output
    found: dict[str, float] = json.loads(shown.stdout)
    return found


def test_a_classifier_is_trained_and_tested(halves: tuple[Path, Path]) -> None:
    found = report("intent", "--train", halves[0], "--test", halves[1])
    assert found["rows"] == len(halves[1].read_text(encoding="utf-8").splitlines())
    assert found["rows_of_unknown_labels"] == 1
    assert found["rows_also_in_train"] >= 0
    assert 0.4 < found["accuracy"] <= found["top3"] < 1
    assert 0.4 < found["macro_f1"] < 1
    assert found["seconds"] > 0
    assert {"calibration_error", "log_loss"} <= found.keys()


def test_the_classifier_that_ships_and_a_named_one_are_tested(halves: tuple[Path, Path], tmp_path: Path) -> None:
    shipped = report("intent", "--test", halves[1])
    assert shipped["accuracy"] > 0.8
    trained = RUNNER.invoke(app, ["train", "intent", "--out", str(tmp_path / "out"), "--data", str(halves[0]), "--json"])
    assert trained.exit_code == 0, trained.output
    named = report("intent", "--model", tmp_path / "out", "--test", halves[1])
    fresh = report("intent", "--train", halves[0], "--test", halves[1])
    assert named["accuracy"] == pytest.approx(fresh["accuracy"], abs=0.01)


def test_without_a_test_file_it_is_cross_validated_and_shown_as_a_table(halves: tuple[Path, Path]) -> None:
    shown = RUNNER.invoke(app, ["evaluate", "sentiment", "--train", str(halves[0])], env={"COLUMNS": "160"})
    assert shown.exit_code == 0, shown.output
    assert "5-fold cross-validation" in shown.stdout
    assert "macro f1" in shown.stdout


def test_a_file_that_is_too_small_is_told_what_is_needed(tmp_path: Path) -> None:
    (tmp_path / "tiny.csv").write_text("sentence,label\nhow much,price\nin stock?,stock\n", encoding="utf-8")
    shown = RUNNER.invoke(app, ["evaluate", "intent", "--train", str(tmp_path / "tiny.csv")])
    assert shown.exit_code == 1
    assert "two labels with at least 2 different sentences each" in shown.output
    assert "found 2 rows, of different sentences price: 1, stock: 1" in shown.output


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["intent"], "--test names"),
        (["intent", "--train", "a.jsonl", "--model", "b"], "give one of them"),
        (["intent", "--test", "none.jsonl"], "none.jsonl is no file"),
        (["intent", "--model", "nowhere", "--test", "{test}"], "nowhere is not a folder"),
    ],
)
def test_what_cannot_be_used_is_named(halves: tuple[Path, Path], arguments: list[str], found: str) -> None:
    shown = RUNNER.invoke(app, ["evaluate", *(each.format(test=halves[1]) for each in arguments)])
    assert shown.exit_code in {1, 2}
    assert found in shown.output
    assert "Traceback" not in shown.output
