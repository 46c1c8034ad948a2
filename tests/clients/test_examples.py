"""The examples are short, say how they are called, and are named in the docs; tests/integration/test_examples.py runs them."""

import ast
from pathlib import Path

import pytest

from tests.pages import ROOT

EXAMPLES = sorted((ROOT / "clients" / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_short_and_documented(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 30
    assert f"`python {example.name} " in (ast.get_docstring(ast.parse(text)) or "")
    assert f"clients/examples/{example.name}" in (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def test_there_is_one_for_each_protocol() -> None:
    assert [example.stem for example in EXAMPLES] == [
        "answer_events",
        "oip_http",
        "openai_chat",
        "recognize",
        "room_session",
        "triton_recognize",
    ]
