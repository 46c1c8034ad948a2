"""Sentences that people labelled: JSONL {"sentence", "label"} or CSV with these columns."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.evaluation.datasets.labelled import DatasetError, read_text

_LINES = (".jsonl", ".ndjson", ".json")
_NEEDED = ("sentence", "label")
_DESCRIPTION = "label_des"


@dataclass(frozen=True, slots=True)
class LabelledSentence:
    line: int
    sentence: str
    label: str
    description: str = ""  # the label in words, where the data has them (`label_des`)


def read_sentences(file: Path) -> list[LabelledSentence]:
    """The rows of a `.jsonl`, `.ndjson` or `.json` file with an object a line, or of a `.csv`. Other columns are ignored.

    Raises DatasetError naming file and line.
    """
    if not file.is_file():
        raise DatasetError(f"{file} is no file; JSONL or CSV with sentence and label is needed")
    suffix = file.suffix.lower()
    if suffix not in (*_LINES, ".csv"):
        raise DatasetError(f"{file} ends in {suffix or 'nothing'}; {', '.join(_LINES)} and .csv are read")
    rows = list(_of_csv(file) if suffix == ".csv" else _of_lines(file))
    if not rows:
        raise DatasetError(f"{file} holds no labelled sentence")
    return rows


def _of_lines(file: Path) -> Iterator[LabelledSentence]:
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if line.strip():
            where = f"{file}, line {number}"
            try:
                values = json.loads(line)
            except ValueError as error:
                raise DatasetError(f"{where}: {error}") from error
            if not isinstance(values, dict):
                raise DatasetError(f"{where}: an object is needed, not {type(values).__name__}")
            yield _row(values, number, where)


def _of_csv(file: Path) -> Iterator[LabelledSentence]:
    reader = csv.DictReader(io.StringIO(read_text(file), newline=""), strict=True)
    try:
        if not set(_NEEDED).issubset(reader.fieldnames or ()):
            raise DatasetError(f"{file}, line 1: the header sentence,label is needed, not {','.join(reader.fieldnames or ())!r}")
        for values in reader:
            yield _row(values, reader.line_num, f"{file}, line {reader.line_num}")
    except csv.Error as error:
        raise DatasetError(f"{file}, line {reader.line_num}: {error}") from error


def _row(values: dict[str, object], line: int, where: str) -> LabelledSentence:
    sentence, label, description = (_text(values.get(name), name, where) for name in (*_NEEDED, _DESCRIPTION))
    for name, value in zip(_NEEDED, (sentence, label), strict=True):
        if not value:
            raise DatasetError(f"{where}: {name} is missing or empty")
    return LabelledSentence(line, sentence, label, description)


def _text(value: object, name: str, where: str) -> str:
    """Numbers are labels too, such as 0 and 1."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise DatasetError(f"{where}: {name} has to be a text, not {json.dumps(value, ensure_ascii=False)[:80]}")
    text = str(value).strip()
    if any(0xD800 <= ord(letter) < 0xE000 for letter in text):
        raise DatasetError(f"{where}: {name} holds half a character (a lone surrogate)")
    return text
