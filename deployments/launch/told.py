"""What pydantic found wrong, a line each: where it stands, what is wrong, what may have been meant."""

import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)


def unknown(where: str, name: str, known: Iterable[str], *, what: str = "key") -> str:
    """The line for a name that does not exist.

    >>> unknown("Ingress.user_config", "bank_treshold", ["bank_threshold", "limits"])
    'Ingress.user_config.bank_treshold: unknown key; did you mean bank_threshold?'
    >>> unknown("", "Camera", ["Writer", "Detector"], what="deployment")
    'Camera: unknown deployment; there are Detector, Writer'
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    return f"{where}.{name}".removeprefix(".") + f": unknown {what}; {advice}"


def parsed(model: type[M], value: object, where: str) -> tuple[M | None, list[str]]:
    """The value as the model reads it, or None and what is wrong with it."""
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        return None, told(error, model, value, where)


def told(error: ValidationError, model: type[BaseModel], value: object, where: str) -> list[str]:
    """A line for each place; what the members of a union say about one place stands in one line."""
    places: dict[str, list[str]] = {}
    found: dict[str, str] = {}
    lines: list[str] = []
    for one in error.errors(include_url=False, include_context=False):
        if one["type"] == "extra_forbidden":
            *path, name = map(str, one["loc"])
            lines.append(unknown(".".join([where, *path]), name, _model_at(model, path).model_fields))
            continue
        place = ".".join(filter(None, [where, *_path(one["loc"], value, missing=one["type"] == "missing")])) or "the file"
        places.setdefault(place, []).append(one["msg"].removeprefix("Value error, "))
        if one["loc"] and isinstance(one["input"], str | int | float | None):
            found[place] = f", not {one['input']!r}"
    return [*lines, *(f"{place}: {' or '.join(dict.fromkeys(said))}{found.get(place, '')}" for place, said in places.items())]


def unread(model: type[BaseModel], value: object, where: str) -> list[str]:
    """Keys that a model of Ray's would pass over in silence."""
    names = value if isinstance(value, Mapping) else {}
    return [unknown(where, str(name), model.model_fields) for name in names if name not in model.model_fields]


def _path(location: Sequence[str | int], value: object, *, missing: bool) -> Iterator[str]:
    """The part of pydantic's location that stands in the file: it also names members of unions."""
    for part in location:
        inner = dict(enumerate(value)) if isinstance(value, list) else value
        if isinstance(inner, Mapping) and part in inner:
            value = inner[part]
        elif not (missing and part == location[-1]):
            continue
        yield str(part)


def _model_at(model: type[BaseModel], path: Sequence[str]) -> type[BaseModel]:
    for name in path:
        if name in model.model_fields:
            model = next(_models_in(model.model_fields[name].annotation), model)
    return model


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
