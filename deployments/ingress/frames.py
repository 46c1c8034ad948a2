"""The three ways to send a frame (form, JSON, raw), read in one place: encoded picture plus checked options."""

import asyncio
import binascii
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from deployments.ingress.errors import from_validation
from deployments.ingress.routing import json_object, media_type
from graphs.errors import InvalidRequest, UnsupportedMedia
from livecart_client import wire

Options = TypeVar("Options", bound=wire.Request)

MAX_FIELD_BYTES = 64 * 1024  # of a text field of a form
MAX_FIELDS = 16
STEP_CHARACTERS = 1024 * 1024  # of base64 decoded at once; a multiple of 4
ACCEPTED = "send multipart/form-data with a file `frame`, application/json with `frame.base64`, or the picture itself as image/*"


@dataclass(frozen=True, slots=True)
class Frame(Generic[Options]):
    picture: bytes  # JPEG, PNG or WebP by its first bytes, not decoded
    options: Options


async def read_frame(request: Request, options: type[Options]) -> Frame[Options]:
    """Raises UnsupportedMedia, InvalidRequest or PayloadTooLarge; query parameters may carry options only beside a raw picture."""
    kind = media_type(request)
    if kind.startswith("image/"):
        fields: dict[str, object] = _single(request.query_params.multi_items(), ignore=frozenset({"trace"}))
        checked = validated(options, fields)
        return Frame(checked_picture(await request.body()), checked)
    stray = sorted(set(request.query_params) - {"trace"})
    if stray:
        raise InvalidRequest("query parameters go with a raw picture only; put this into the body", param=stray[0])
    if kind == "multipart/form-data":
        form = await read_form(request, max_files=1)
        pictures = await files_of(form, "frame")
        fields = _single([(name, value) for name, value in form.multi_items() if isinstance(value, str)])
        return Frame(checked_picture(pictures[0]), validated(options, fields))
    if kind == "application/json":
        fields = await json_object(request)
        if "frame" not in fields:
            raise InvalidRequest("a frame is needed", param="frame")
        encoded = validated(wire.EncodedPicture, fields.pop("frame"), place="frame")
        checked = validated(options, fields)
        return Frame(checked_picture(await decode_base64(encoded.base64)), checked)
    raise UnsupportedMedia(f"a frame does not come as `{kind[:100]}`: {ACCEPTED}", param="Content-Type")


async def read_form(request: Request, *, max_files: int) -> FormData:
    """A multipart body within limits. Raises InvalidRequest when it is malformed or has too many parts."""
    if media_type(request) != "multipart/form-data":
        raise UnsupportedMedia("send multipart/form-data", param="Content-Type")
    try:
        return await request.form(max_files=max_files, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES)
    except MultiPartException as error:
        raise InvalidRequest(f"the form cannot be read: {error.message}") from None
    except (UnicodeError, KeyError) as error:  # a charset of the caller's choosing may decode to anything
        raise InvalidRequest(f"the form cannot be read: {type(error).__name__}") from None


async def files_of(form: FormData, name: str) -> list[bytes]:
    """The files sent under one name. Raises InvalidRequest when there is none, or anything else is a file."""
    files: list[bytes] = []
    for part_name, part in form.multi_items():
        if not isinstance(part, UploadFile):
            continue
        if part_name != name:
            raise InvalidRequest(f"files go into `{name}`", param=part_name[:100])
        files.append(await part.read())
    if not files:
        raise InvalidRequest(f"a file `{name}` is needed", param=name)
    return files


def _single(items: list[tuple[str, str]], ignore: frozenset[str] = frozenset()) -> dict[str, object]:
    fields: dict[str, object] = {}
    for name, value in items:
        if name in ignore:
            continue
        if name in fields:
            raise InvalidRequest(f"`{name[:100]}` is given twice", param=name[:100])
        fields[name] = value
    return fields


M = TypeVar("M", bound=BaseModel)


def validated(kind: type[M], value: object, *, place: str | None = None) -> M:
    """A wire model from plain values. Raises InvalidRequest naming the field, below `place` when the value is part of a body."""
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        prefix = () if place is None else (place,)
        raise from_validation([{**finding, "loc": ("body", *prefix, *finding["loc"])} for finding in found]) from None


async def decode_base64(text: str) -> bytes:
    """Standard base64 by the letter: no line breaks, no data URL, full padding. Raises InvalidRequest.

    Decoding holds the interpreter, in a thread too, so it is done in steps between which the event loop breathes.
    """
    padding_at = text.find("=")
    if 0 <= padding_at < len(text) - 2:
        raise InvalidRequest("not base64: padding before the end", param="frame.base64")
    pieces: list[bytes] = []
    try:
        for start in range(0, len(text), STEP_CHARACTERS):
            pieces.append(binascii.a2b_base64(text[start : start + STEP_CHARACTERS], strict_mode=True))
            if len(text) > STEP_CHARACTERS:
                await asyncio.sleep(0)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(f"not base64: {error}", param="frame.base64") from None
    return b"".join(pieces)


def checked_picture(picture: bytes, *, param: str = "frame") -> bytes:
    """Raises InvalidRequest for nothing and UnsupportedMedia for what does not begin like a JPEG, PNG or WebP file."""
    if not picture:
        raise InvalidRequest("the picture is empty", param=param)
    if not looks_like_picture(picture):
        raise UnsupportedMedia("a picture must be JPEG, PNG or WebP", param=param)
    return picture


def looks_like_picture(data: bytes) -> bool:
    return data[:3] == b"\xff\xd8\xff" or data[:8] == b"\x89PNG\r\n\x1a\n" or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")
