"""The example of docs/knowledge.md: `python -m tests.deployments.knowledge.test_documented` writes what it makes, the test compares."""

import json
import re
import tempfile
from pathlib import Path

from deployments.knowledge.reading import ReadOptions, read_documents
from models.prompts import FACT_BYTES

PAGE = Path(__file__).resolve().parents[3] / "docs" / "knowledge.md"
EXAMPLE = re.compile(
    r"<!-- example: file -->\n```markdown\n(?P<file>.*?)```.*?<!-- example: documents -->\n```json\n(?P<made>.*?)\n```", re.DOTALL
)


def made(file: str) -> str:
    """The documents, a line each."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "care.md"
        path.write_text(file, encoding="utf-8")
        documents = read_documents(path, ReadOptions(FACT_BYTES, path.name, "sku-1054"))
    return "[\n" + ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in documents) + "\n]"


def test_the_documented_file_makes_the_documented_documents() -> None:
    shown = EXAMPLE.search(PAGE.read_text(encoding="utf-8"))
    assert shown is not None
    assert shown["made"] == made(shown["file"])


def write() -> None:
    text = PAGE.read_text(encoding="utf-8")
    shown = EXAMPLE.search(text)
    if shown is None:
        raise ValueError(f"{PAGE} has no example")
    PAGE.write_text(text[: shown.start("made")] + made(shown["file"]) + text[shown.end("made") :], encoding="utf-8")


if __name__ == "__main__":
    write()
