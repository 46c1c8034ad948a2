"""OpenAI's protocol: bodies are passed on as they came, and answers as the engine's own front wrote them."""

from collections.abc import AsyncGenerator
from typing import Any

import orjson
from fastapi import Request
from starlette.responses import Response

from deployments.ingress import schema
from deployments.ingress.call import Call, TheCall, json_response
from deployments.ingress.disconnect import until_disconnect
from deployments.ingress.errors import error_object
from deployments.ingress.routing import CALLER, Router, json_object
from deployments.ingress.sse import EventStream
from graphs.errors import InvalidRequest, LivecartError, PayloadTooLarge
from models.language.openai_types import Kind, Usage

router = Router(tag="openai")
MAX_BODY_BYTES = 2 * 1024 * 1024  # what a hop between processes takes is 4 MiB
CHUNK_EXAMPLE = 'data: {"choices": [{"index": 0, "delta": {"content": "..."}}]}\n\ndata: [DONE]\n\n'
ERRORS = schema.errors(404, 413, 415, 429, 503, 504)


@router.post(
    "/v1/chat/completions",
    dependencies=CALLER,
    responses={**ERRORS, 200: {"content": schema.event_stream(CHUNK_EXAMPLE)}},
    openapi_extra=schema.json_body({"type": "object"}),
    summary="Chat with the writer, as OpenAI's clients do",
)
async def chat_completions(request: Request, call: TheCall) -> Response:
    return await _generated(request, call, "chat")


@router.post(
    "/v1/completions",
    dependencies=CALLER,
    responses={**ERRORS, 200: {"content": schema.event_stream(CHUNK_EXAMPLE)}},
    openapi_extra=schema.json_body({"type": "object"}),
    summary="Continue a text, as OpenAI's clients ask for it",
)
async def completions(request: Request, call: TheCall) -> Response:
    return await _generated(request, call, "completion")


async def _generated(request: Request, call: Call, kind: Kind) -> Response:
    """The first piece is awaited before anything is sent, so that an early failure keeps its HTTP status."""
    content = await json_object(request)
    body = await request.body()
    if len(body) > MAX_BODY_BYTES:
        raise PayloadTooLarge(f"a call of this kind fits into {MAX_BODY_BYTES} bytes")
    stream = content.get("stream") or False
    if not isinstance(stream, bool):
        raise InvalidRequest("`stream` must be true or false", param="stream")
    limits = call.gateway.limits
    budget_s = call.info.remaining_s(default_s=limits.max_deadline_s, max_s=limits.max_deadline_s)
    pieces = call.gateway.generate(kind, body, stream=stream, budget_s=budget_s)
    if stream:
        first = await until_disconnect(request.receive, anext(pieces))
        return EventStream(_chunks(first, pieces), source=pieces, failed=error_chunk)
    return json_response(await until_disconnect(request.receive, _whole(pieces)))


async def _chunks(first: bytes | Usage, pieces: AsyncGenerator[bytes | Usage, None]) -> AsyncGenerator[bytes, None]:
    if isinstance(first, bytes):
        yield first
    async for piece in pieces:
        if isinstance(piece, bytes):
            yield piece


async def _whole(pieces: AsyncGenerator[Any, None]) -> bytes:
    return b"".join([piece async for piece in pieces if isinstance(piece, bytes)])


def error_chunk(error: LivecartError) -> bytes:
    """The last chunk of a stream that broke off, as OpenAI's clients expect it; no `[DONE]` follows."""
    return b"data: " + orjson.dumps(error_object(error), default=str) + b"\n\n"
