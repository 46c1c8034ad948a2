"""What is refused before vLLM sees it."""

import pytest

from models.language.openai_asks import MOST_GRAMMAR_BYTES, MOST_GRAMMAR_DEPTH, check_ask
from models.language.openai_types import OpenAIRefusal

MESSAGES = [{"role": "user", "content": "hi"}]


def asked(schema: object) -> dict[str, object]:
    return {"messages": MESSAGES, "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}


def nested(depth: int, width: int = 1) -> object:
    if not depth:
        return {"type": "string"}
    return {"type": "object", "properties": {f"part{i}": nested(depth - 1, width) for i in range(width)}}


def deep_array(depth: int) -> object:
    schema: object = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


def test_an_ordinary_schema_passes() -> None:
    check_ask("chat", asked(nested(4, 2)))
    tree = {"$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}}, "$ref": "#/$defs/node"}
    check_ask("chat", asked(tree))


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (nested(8, 3), str(MOST_GRAMMAR_BYTES)),
        (deep_array(400), str(MOST_GRAMMAR_DEPTH)),
        ({"enum": ["x" * (MOST_GRAMMAR_BYTES + 1)]}, str(MOST_GRAMMAR_BYTES)),
        ({"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "string"}]}}, "$ref": "#/$defs/a"}, "refers to itself"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, "refers to itself"),
        ({"$ref": "#"}, "refers to itself"),
        ({"type": "no such type"}, "no JSON schema"),
    ],
    ids=["wide", "deep", "long", "self", "circle", "root", "type"],
)
def test_a_schema_that_the_engine_would_choke_on_is_refused(schema: object, reason: str) -> None:
    with pytest.raises(OpenAIRefusal, match=reason) as refused:
        check_ask("chat", asked(schema))
    assert (refused.value.status, refused.value.param) == (400, "response_format")


@pytest.mark.parametrize("name", ["grammar", "regex"])
def test_grammars_and_patterns_are_bounded_too(name: str) -> None:
    with pytest.raises(OpenAIRefusal, match=str(MOST_GRAMMAR_BYTES)):
        check_ask("completion", {"prompt": "hi", "structured_outputs": {name: "a" * (MOST_GRAMMAR_BYTES + 1)}})
