"""docs/reference.md, made from the OpenAPI document: each route with its fields, their limits, its answers and an example."""

import json
from collections.abc import Iterator
from typing import Any, cast

from deployments.ingress.reference_examples import example_of
from deployments.ingress.schema import JsonSchema

HEAD = """# API reference

Made from the OpenAPI document (`GET /openapi.json`) by `python -m deployments.ingress.reference`; a test compares. What holds for every
route, streams and room sessions stand in [the API](api.md), errors in [their catalogue](errors.md). Every route takes `X-Request-Id`
and `X-Deadline-Ms`. A field marked `*` is needed; an example has the needed ones.
"""
_EVERYWHERE = frozenset({"400", "401", "403", "500"})
_LIMITS = {
    ("minLength", "maxLength"): "characters",
    ("minimum", "maximum"): "",
    ("minItems", "maxItems"): "items",
    ("minProperties", "maxProperties"): "names",
}


def reference_page(document: dict[str, Any]) -> str:
    schemas = document["components"]["schemas"]
    used: set[str] = set()
    routes = [
        line
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for line in _route(f"{method.upper()} {path}", operation, schemas, used)
    ]
    return "\n".join([HEAD, "## Routes", *routes, "", "## Objects", *_objects(schemas, used), ""])


def _route(name: str, operation: JsonSchema, schemas: dict[str, JsonSchema], used: set[str]) -> Iterator[str]:
    role = next((scope for requirement in operation.get("security", []) for scope in requirement["key"]), "nobody's: it is open")
    yield from ("", f"### `{name}`", f"{operation['summary']}. Role: {role}.")
    if operation.get("description"):
        yield " ".join(operation["description"].split())
    parameters = [each for each in operation.get("parameters", []) if each["in"] != "path"]
    if parameters:
        yield from ("", "| parameter | in | type | |", "|---|---|---|---|")
        yield from (_parameter(each, used) for each in parameters)
    yield from _bodies(operation.get("requestBody", {}).get("content", {}), schemas, used)
    yield from ("", _answers(operation["responses"], used))


def _parameter(parameter: JsonSchema, used: set[str]) -> str:
    needed = "*" if parameter.get("required") else ""
    about = parameter.get("description") or parameter["schema"].get("description", "")
    return f"| `{parameter['name']}`{needed} | {parameter['in']} | {_type(parameter['schema'], used)} | {about} |"


def _bodies(content: JsonSchema, schemas: dict[str, JsonSchema], used: set[str]) -> Iterator[str]:
    for kind, body in content.items():
        schema = body["schema"]
        if "properties" not in schema:
            yield from ("", f"Body, `{kind}`: {_type(schema, used)}")
        else:
            yield from ("", f"Body, `{kind}`:", "", *_fields(schema, used))
        example = body.get("example") or (example_of(schema, schemas) if kind == "application/json" else None)
        if example:
            yield from ("", "```json", json.dumps(example, ensure_ascii=False), "```")


def _fields(schema: JsonSchema, used: set[str]) -> Iterator[str]:
    yield from ("| field | type | |", "|---|---|---|")
    for name, field in schema.get("properties", {}).items():
        needed = "*" if name in schema.get("required", []) else ""
        default = f" Default: `{json.dumps(field['default'])}`." if field.get("default") is not None else ""
        yield f"| `{name}`{needed} | {_type(field, used)} | {field.get('description', '')}{default} |"


def _answers(responses: JsonSchema, used: set[str]) -> str:
    good = [f"{status}{_answered(answer, used)}" for status, answer in responses.items() if int(status) < 400]
    bad = [status for status in responses if int(status) >= 400 and status not in _EVERYWHERE]
    errors = f"; errors {', '.join(sorted(bad))}" if bad else ""
    return f"Answers {', '.join(good)}{errors}, and those of every route."


def _answered(answer: JsonSchema, used: set[str]) -> str:
    kinds = [
        _type(content["schema"], used) if content.get("schema") else f"`{kind}`" for kind, content in answer.get("content", {}).items()
    ]
    return f" with {' or '.join(kinds)}" if kinds else ""


def _type(schema: JsonSchema, used: set[str]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        used.add(name)
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        parts = [_type(part, used) for part in schema["anyOf"] if part.get("type") != "null"]
        return " or ".join(dict.fromkeys(parts)) + (" or null" if len(parts) < len(schema["anyOf"]) else "")
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    return _named(schema, used) + _limits(schema)


def _named(schema: JsonSchema, used: set[str]) -> str:
    kind = schema.get("type", "anything")
    if kind == "array":
        items: JsonSchema = schema.get("items") or next(iter(schema.get("prefixItems", [])), {})
        return f"list of {_type(items, used)}"
    values = schema.get("additionalProperties")
    if kind == "object" and isinstance(values, dict):
        return f"object of {_type(values, used)}"
    if schema.get("format") in ("date-time", "binary"):
        return "time with a zone" if schema["format"] == "date-time" else "bytes"
    return " or ".join(cast(list[str], kind)) if isinstance(kind, list) else str(kind)


def _limits(schema: JsonSchema) -> str:
    found = []
    for (least, most), of in _LIMITS.items():
        if least in schema and most in schema:
            found.append(f"{schema[least]:,} to {schema[most]:,} {of}")
        elif least in schema or most in schema:
            found.append(f"at least {schema[least]:,} {of}" if least in schema else f"at most {schema[most]:,} {of}")
    return "".join(f", {limit.strip()}" for limit in found)


def _objects(schemas: dict[str, JsonSchema], used: set[str]) -> Iterator[str]:
    """Those that a route or another object names, by name."""
    shown: set[str] = set()
    sections: dict[str, list[str]] = {}
    while waiting := sorted(used - shown):
        for name in waiting:
            shown.add(name)
            schema = schemas[name]
            about = [" ".join(schema["description"].split()), ""] if schema.get("description") else []
            fields = list(_fields(schema, used)) if "properties" in schema else [_type(schema, used)]
            sections[name] = ["", f"### {name}", *about, *fields]
    for name in sorted(sections):
        yield from sections[name]
