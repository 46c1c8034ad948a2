"""OpenAI's protocol: bodies are passed on as they came, and answers as the engine's own front wrote them."""

from collections.abc import AsyncGenerator
from typing import Any

import orjson
from fastapi import Request
from pydantic import ValidationError
from starlette.responses import Response

from deployments.ingress import schema
from deployments.ingress.call import Call, TheCall, data_response, json_response
from deployments.ingress.disconnect import until_disconnect
from deployments.ingress.errors import error_object, from_validation
from deployments.ingress.openai import MAX_TEXT_CHARACTERS, MAX_TEXTS, EmbeddingsRequest, card_object, embeddings_object
from deployments.ingress.routing import CALLER, Router, json_object
from deployments.ingress.sse import EventStream
from graphs.errors import InvalidRequest, LivecartError, ModelNotFound, PayloadTooLarge
from models.language.openai_types import Kind, Usage

router = Router(tag="openai")
MAX_BODY_BYTES = 2 * 1024 * 1024  # what a hop between processes takes is 4 MiB
CHUNK_EXAMPLE = 'data: {"choices": [{"index": 0, "delta": {"content": "..."}}]}\n\ndata: [DONE]\n\n'
ERRORS = schema.errors(404, 413, 415, 429, 503, 504)
TEXT = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT_CHARACTERS}
EMBEDDED = {
    "input": {"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1, "maxItems": MAX_TEXTS}]},
    "encoding_format": {"enum": ["float", "base64"]},
}
STREAMED: dict[int | str, dict[str, Any]] = {**ERRORS, 200: {"content": schema.event_stream(CHUNK_EXAMPLE)}}


@router.post(
    "/v1/chat/completions",
    dependencies=CALLER,
    responses=STREAMED,
    openapi_extra=schema.openai_body({"messages": {"type": "array", "items": {"type": "object"}}}, "messages"),
    summary="Chat with the writer, as OpenAI's clients do",
)
async def chat_completions(request: Request, call: TheCall) -> Response:
    return await _generated(request, call, "chat")


@router.post(
    "/v1/completions",
    dependencies=CALLER,
    responses=STREAMED,
    openapi_extra=schema.openai_body({"prompt": {"type": ["string", "array"], "items": {}}}, "prompt"),
    summary="Continue a text, as OpenAI's clients ask for it",
)
async def completions(request: Request, call: TheCall) -> Response:
    return await _generated(request, call, "completion")


@router.post(
    "/v1/embeddings",
    dependencies=CALLER,
    responses=ERRORS,
    openapi_extra=schema.openai_body(EMBEDDED, "input"),
    summary="Texts as vectors of the text embedder",
)
async def embeddings(request: Request, call: TheCall) -> Response:
    try:
        asked = EmbeddingsRequest.model_validate(await json_object(request))
    except ValidationError as error:
        raise from_validation(error.errors()) from None
    card = call.gateway.ports.texts.card
    if asked.model not in (None, card.id, card.root):
        await _refuse_as_embedder(call, str(asked.model))
    tokens = asked.token_count
    embed = call.gateway.embed_texts(asked.input, budget_s=_budget_s(call), key=call.info.actor, tokens=tokens)
    vectors = await until_disconnect(request.receive, embed)
    return data_response(embeddings_object(asked, vectors, card.id, tokens))


@router.get("/v1/models", dependencies=CALLER, responses=schema.errors(503), summary="The writer, its adapters and the text embedder")
async def list_models(call: TheCall) -> Response:
    cards = await call.gateway.model_cards(budget_s=_budget_s(call))
    return data_response({"object": "list", "data": [card_object(card) for card in cards]})


@router.get("/v1/models/{model_id:path}", dependencies=CALLER, responses=schema.errors(404, 503), summary="One model")
async def get_model(model_id: str, call: TheCall) -> Response:
    cards = await call.gateway.model_cards(budget_s=_budget_s(call))
    found = next((card for card in cards if model_id in (card.id, card.root)), None)
    if found is None:
        raise ModelNotFound(f"no model `{model_id[:200]}`; there are {', '.join(card.id for card in cards)}", param="model")
    return data_response(card_object(found))


async def _generated(request: Request, call: Call, kind: Kind) -> Response:
    """The first piece is awaited before anything is sent, so that an early failure keeps its HTTP status."""
    content = await json_object(request)
    body = await request.body()
    if len(body) > MAX_BODY_BYTES:
        raise PayloadTooLarge(f"a call of this kind fits into {MAX_BODY_BYTES} bytes")
    stream = content.get("stream") or False
    if not isinstance(stream, bool):
        raise InvalidRequest("`stream` must be true or false", param="stream")
    embedder = call.gateway.ports.texts.card
    if content.get("model") in (embedder.id, embedder.root):
        raise InvalidRequest(f"`{embedder.id}` embeds texts and writes none; POST /v1/embeddings", param="model")
    pieces = call.gateway.generate(kind, body, stream=stream, budget_s=_budget_s(call), key=call.info.actor)
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


async def _whole(pieces: AsyncGenerator[bytes | Usage, None]) -> bytes:
    return b"".join([piece async for piece in pieces if isinstance(piece, bytes)])


def _budget_s(call: Call) -> float:
    """What the caller allows; without X-Deadline-Ms the longest there is, since OpenAI's clients send none and texts are long."""
    longest_s = call.gateway.limits.max_deadline_s
    return call.info.remaining_s(default_s=longest_s, max_s=longest_s)


async def _refuse_as_embedder(call: Call, name: str) -> None:
    cards = await call.gateway.model_cards(budget_s=_budget_s(call))
    if any(name in (card.id, card.root) for card in cards):
        raise InvalidRequest(f"`{name}` writes texts; `{cards[-1].id}` embeds them", param="model")
    raise ModelNotFound(f"no model `{name[:200]}`; `{cards[-1].id}` embeds texts", param="model")


def error_chunk(error: LivecartError) -> bytes:
    """The last chunk of a stream that broke off, as OpenAI's clients expect it; no `[DONE]` follows."""
    return b"data: " + orjson.dumps(error_object(error), default=str) + b"\n\n"
