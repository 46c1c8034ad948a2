"""Labelled sentences: JSONL and CSV give the same rows, and what cannot be read is named with its line."""

from pathlib import Path

import pytest

from models.evaluation.datasets.labelled import DatasetError
from models.evaluation.datasets.sentences import LabelledSentence, read_sentences


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.ndjson", "rows.json"])
def test_an_object_a_line_is_read_whatever_else_it_holds(tmp_path: Path, name: str) -> None:
    file = written(
        tmp_path, name, '{"id": 1, "sentence": " 多少钱 ", "label": "3", "label_des": "问价"}\n\n{"sentence": "hi", "label": 0}\n'
    )
    assert read_sentences(file) == [LabelledSentence(1, "多少钱", "3", "问价"), LabelledSentence(3, "hi", "0")]


def test_csv_is_read_with_quotes_and_a_byte_order_mark(tmp_path: Path) -> None:
    file = written(tmp_path, "rows.CSV", '\ufefflabel,sentence,when\nprice,"how much, ""please""",1\n')
    assert read_sentences(file) == [LabelledSentence(2, 'how much, "please"', "price")]


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("rows.txt", "a", "ends in .txt"),
        ("rows.jsonl", "", "holds no labelled sentence"),
        ("rows.jsonl", '{"sentence": "a", "label": "b"}\n{"sentence": ', "line 2"),
        ("rows.jsonl", "[1]", "line 1: an object is needed, not list"),
        ("rows.jsonl", '{"sentence": "a"}', "line 1: label is missing or empty"),
        ("rows.jsonl", '{"sentence": " ", "label": "b"}', "line 1: sentence is missing or empty"),
        ("rows.jsonl", '{"sentence": "a", "label": true}', "line 1: label has to be a text, not true"),
        ("rows.jsonl", '{"sentence": ["a"], "label": "b"}', "line 1: sentence has to be a text"),
        ("rows.jsonl", '{"sentence": "\\ud800", "label": "b"}', "line 1: sentence holds half a character"),
        ("rows.csv", "text,label\na,b\n", "line 1: the header sentence,label is needed"),
        ("rows.csv", "sentence,label\na\n", "line 2: label is missing or empty"),
        ("rows.csv", 'sentence,label\na,"b\n', "line 1: unexpected end"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, text: str, found: str) -> None:
    with pytest.raises(DatasetError, match=found.replace("[", r"\[")):
        read_sentences(written(tmp_path, name, text))


def test_a_file_that_is_not_utf8_or_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b'{"sentence": "\xff"}')
    with pytest.raises(DatasetError, match="not UTF-8"):
        read_sentences(tmp_path / "rows.jsonl")
    with pytest.raises(DatasetError, match="is no file"):
        read_sentences(tmp_path / "none.jsonl")
