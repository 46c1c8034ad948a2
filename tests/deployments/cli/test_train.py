"""`livecart train` with data or weights that cannot be used: said in a line, without a traceback."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments.cli.root import app


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["train", *arguments])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    return result.output


def test_labels_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "Annotations" / "frame.xml").write_text("<annotation><object>", encoding="utf-8")
    assert "frame.xml" in refused("detector", "--out", str(tmp_path / "out"), "--data", str(tmp_path))


@pytest.mark.parametrize("command", ["detector", "embedder"])
def test_a_start_that_is_no_artifact_is_named(tmp_path: Path, command: str) -> None:
    start = tmp_path / "nothing"
    start.mkdir()
    assert "nothing" in refused(command, "--out", str(tmp_path / "out"), "--run", str(tmp_path / "run"), "--start", str(start))


@pytest.mark.parametrize("command", ["intent", "sentiment"])
def test_a_label_that_is_missing_is_named_with_its_line(tmp_path: Path, command: str) -> None:
    data = tmp_path / "labelled.jsonl"
    data.write_text('{"sentence": "hi", "label": "greeting"}\n{"sentence": "hello"}\n', encoding="utf-8")
    assert "line 2: label is missing" in refused(command, "--out", str(tmp_path / "out"), "--data", str(data))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["intent", "sentiment"])
def test_options_of_labelled_comments_need_them(tmp_path: Path, command: str) -> None:
    result = CliRunner().invoke(app, ["train", command, "--out", str(tmp_path / "out"), "--generated"])
    assert result.exit_code == 2
    assert "--data" in result.output
