"""Examples of JSON bodies for docs/reference.md: the needed fields, filled by their names."""

from typing import Any

from deployments.ingress.schema import JsonSchema

_SAMPLES: dict[str, object] = {
    "product_id": "sku-1044",
    "product_ids": ["sku-1044"],
    "room_id": "room-06",
    "viewer_id": "viewer-00001",
    "document_id": "doc-1",
    "event_id": "e-1",
    "question": "How much are the hiking shoes?",
    "answer": "They are 119 dollars.",
    "text": "These shoes are waterproof.",
    "title": "Hiking Shoes",
    "category": "shoes",
    "host": "Lin",
    "at": "2026-11-11T20:00:00+08:00",
    "type": "click",
    "kind": "document",
    "channel": "ad",
    "base64": "/9j/4AAQSkZJRg...",
    "amount": "119.00",
    "currency": "USD",
    "messages": [{"role": "user", "content": "Hello"}],
    "prompt": "Once",
    "input": ["thermos"],
}
_BESIDE = {"document": ("text",)}  # needed with that `kind`


def example_of(schema: JsonSchema, schemas: dict[str, JsonSchema], name: str = "") -> Any:  # noqa: ANN401 - JSON
    """A value that the schema takes. Raises KeyError for a needed field that no sample fits."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if name in _SAMPLES:
        return _SAMPLES[name]
    if schema.get("type") == "array":
        return [example_of(schema["items"], schemas)]
    if schema["type"] != "object":
        raise KeyError(f"no sample for `{name}`; _SAMPLES has those by name")
    schema = {"properties": {}, **schema}
    fields = {field: example_of(schema["properties"][field], schemas, field) for field in schema.get("required", [])}
    for more in _BESIDE.get(str(fields.get("kind")), ()):
        fields[more] = _SAMPLES[more]
    return fields
