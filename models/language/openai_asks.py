"""Requests in OpenAI's protocol that are refused before vLLM sees them: what it would fetch, what it would never finish."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema import SchemaError  # type: ignore[import-untyped]  # its stubs are a package of their own
from jsonschema.validators import validator_for  # type: ignore[import-untyped]

from models.language.openai_types import Kind, OpenAIRefusal

MOST_SEQUENCES = 64  # prompts times `n` of one call
MOST_GRAMMAR_BYTES = 32 * 1024  # of what a text has to obey; compiling it takes the engine longer than in proportion
MOST_GRAMMAR_DEPTH = 32
_TEXT_PARTS = frozenset({"text", "refusal"})
_INTERNAL = ("kv_transfer_params", "ec_transfer_params", "vllm_xargs", "mm_processor_kwargs", "media_io_kwargs", "prompt_embeds")
_GUIDED = ("guided_json", "guided_choice", "guided_regex", "guided_grammar")


def check_ask(kind: Kind, content: object, *, knows_tools: bool = False) -> None:
    """Raises OpenAIRefusal. What is left unchecked here is checked by vLLM's own models.

    Args:
        kind: of the route.
        content: the body as JSON.
        knows_tools: the checkpoint is served with a parser for tool calls.
    """
    if not isinstance(content, dict):
        raise OpenAIRefusal(400, "the body must be a JSON object")
    for name in _INTERNAL:
        if content.pop(name, None) is not None:
            raise OpenAIRefusal(400, f"`{name}` is not served here", param=name)
    if content.get("tools") and content.get("tool_choice") != "none" and not knows_tools:
        raise OpenAIRefusal(400, "this model calls no tools: its chat template knows none", param="tools")
    if content.get("chat_template") is not None:
        raise OpenAIRefusal(
            400, "the chat template is the checkpoint's; `chat_template_kwargs` may set its variables", param="chat_template"
        )
    for name in _GUIDED:
        if name in content:
            raise OpenAIRefusal(400, f"`{name}` is no longer known to vLLM; write `structured_outputs` or `response_format`", param=name)
    prompts = _check_messages(content) if kind == "chat" else _prompt_count(content.get("prompt"))
    sequences = content.get("n") or 1
    if not isinstance(sequences, int) or prompts * sequences > MOST_SEQUENCES:
        raise OpenAIRefusal(400, f"one call may ask for {MOST_SEQUENCES} texts, prompts times `n`", param="n")
    _check_schemas(content)


def _check_messages(content: Mapping[str, Any]) -> int:
    messages = content.get("messages")
    if not isinstance(messages, list) or not messages:
        raise OpenAIRefusal(400, "`messages` must be a list with at least one message", param="messages")
    for message in messages:
        parts = message.get("content") if isinstance(message, dict) else None
        for part in parts if isinstance(parts, list) else ():
            kind = part.get("type") if isinstance(part, dict) else None
            if kind not in _TEXT_PARTS:
                raise OpenAIRefusal(400, f"content parts are text here, not `{str(kind)[:40]}`", param="messages")
    return 1


def _prompt_count(prompt: object) -> int:
    """A text, a list of texts, token ids, or a list of lists of token ids."""
    if not prompt:
        raise OpenAIRefusal(400, "`prompt` must be a text, token ids, or a list of either, and not empty", param="prompt")
    if isinstance(prompt, list) and not isinstance(prompt[0], int):
        return len(prompt)
    return 1


def _check_schemas(content: Mapping[str, Any]) -> None:
    """What is too large would hold the engine up for everybody; a JSON schema that is none would be found out only when it is compiled."""
    wanted = {
        "response_format": _mapping(content.get("response_format")),
        "structured_outputs": _mapping(content.get("structured_outputs")),
    }
    for param, constraint in wanted.items():
        _check_size(constraint, param)
    described = _mapping(wanted["response_format"].get("json_schema"))
    if "schema" in described:
        _check_schema(described["schema"], "response_format")
    if isinstance(wanted["structured_outputs"].get("json"), dict):
        _check_schema(wanted["structured_outputs"]["json"], "structured_outputs")


def _check_size(constraint: Mapping[str, Any], param: str) -> None:
    """Level by level, since a body may be nested deeper than the interpreter's stack."""
    level: list[object] = [constraint]
    size = 0
    for _ in range(MOST_GRAMMAR_DEPTH):
        size += sum(_size_of(value) for value in level)
        if size > MOST_GRAMMAR_BYTES:
            raise OpenAIRefusal(400, f"`{param}` may hold {MOST_GRAMMAR_BYTES} bytes", param=param)
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
    raise OpenAIRefusal(400, f"`{param}` may be nested {MOST_GRAMMAR_DEPTH} deep", param=param)


def _size_of(value: object) -> int:
    if isinstance(value, dict):
        return sum(len(name) + 4 for name in value)
    return len(value.encode(errors="surrogatepass")) if isinstance(value, str) else 4


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _check_schema(schema: object, param: str) -> None:
    try:
        validator_for(schema).check_schema(schema)
        _check_references(schema)
    except (SchemaError, TypeError, AttributeError, RecursionError) as error:
        reason = error.message if isinstance(error, SchemaError) else "it is no object"
        raise OpenAIRefusal(400, f"`{param}` holds no JSON schema: {reason}", param=param) from None


def _check_references(schema: object) -> None:
    """Raises SchemaError for a `$ref` that leads back to itself before any property or item: no text could ever obey it."""
    defined = {f"#/$defs/{name}": inner for name, inner in _mapping(_mapping(schema).get("$defs")).items()}
    defined |= {f"#/definitions/{name}": inner for name, inner in _mapping(_mapping(schema).get("definitions")).items()}
    defined["#"] = schema
    for start in defined:
        seen: set[str] = set()
        reached = [start]
        while reached:
            name = reached.pop()
            for target in _alternatives(defined.get(name)):
                if target == start:
                    raise SchemaError(f"`{start}` refers to itself without any property or item between")
                if target not in seen:
                    seen.add(target)
                    reached.append(target)


def _alternatives(schema: object) -> Iterator[str]:
    """The references that a schema stands for at once, not those of its parts."""
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("$ref"), str):
        yield schema["$ref"]
    for key in ("anyOf", "oneOf", "allOf"):
        for inner in schema[key] if isinstance(schema.get(key), list) else ():
            yield from _alternatives(inner)
