"""The inference graphs: parse, run, convert."""

from collections.abc import AsyncGenerator
from typing import Any

from fastapi import Request
from starlette.responses import Response

from deployments.ingress import schema
from deployments.ingress.call import Call, TraceableCall, as_dataclass
from deployments.ingress.disconnect import until_disconnect
from deployments.ingress.frames import read_frame
from deployments.ingress.routing import CALLER, Router
from deployments.ingress.sse import EventStream, event, token_event
from graphs.analyze import AnalyzeRequest
from graphs.answer import AnswerRequest
from graphs.answering.speaking import Said
from graphs.errors import Internal
from graphs.flow import Run
from graphs.moment import MomentRequest
from graphs.product_copy import CopyRequest
from graphs.recognize import RecognizeRequest
from graphs.recommend import RecommendRequest
from graphs.rooms import RoomsRequest
from graphs.script import ScriptRequest
from livecart_client import wire

router = Router(tag="graphs")
GRAPH_ERRORS = schema.errors(404, 413, 415, 429, 503, 504)
STREAM_EXAMPLE = 'event: token\ndata: {"text": "..."}\n\nevent: done\ndata: {"answer": "...", "grounded": true}\n\n'

SCRIPT_STREAM_EXAMPLE = 'event: token\ndata: {"text": "..."}\n\nevent: done\ndata: {"segments": [], "summary": "..."}\n\n'
COPY_EXAMPLE = {"product_id": "sku-1044", "channel": "ad", "language": "en"}


@router.post(
    "/v1/recognize",
    response_model=wire.RecognizeReply,
    dependencies=CALLER,
    responses=GRAPH_ERRORS,
    openapi_extra=schema.frame_body(wire.RecognizeOptions, "RecognizeRequest"),
    summary="Which products are on screen",
)
async def recognize(request: Request, call: TraceableCall) -> Response:
    frame = await read_frame(request, wire.RecognizeOptions)
    run = await call.run("recognize", as_dataclass(RecognizeRequest, frame.options, frame=frame.picture))
    return call.reply(wire.RecognizeReply, run)


@router.post(
    "/v1/moment",
    response_model=wire.MomentReply,
    dependencies=CALLER,
    responses=GRAPH_ERRORS,
    openapi_extra=schema.frame_body(wire.MomentOptions, "MomentRequest"),
    summary="Recognition, an answer and recommendations in one call",
)
async def moment(request: Request, call: TraceableCall) -> Response:
    frame = await read_frame(request, wire.MomentOptions)
    run = await call.run("moment", as_dataclass(MomentRequest, frame.options, frame=frame.picture))
    return call.reply(wire.MomentReply, run)


@router.post(
    "/v1/answer",
    response_model=wire.AnswerReply,
    dependencies=CALLER,
    responses={**GRAPH_ERRORS, 200: {"content": schema.event_stream(STREAM_EXAMPLE)}},
    summary="Answer a viewer's question",
)
async def answer(body: wire.AnswerRequest, call: TraceableCall) -> Response:
    asked = as_dataclass(AnswerRequest, body)
    if body.stream:
        return await _streamed(call, "answer", asked, wire.AnswerReply)
    return call.reply(wire.AnswerReply, await call.run("answer", asked))


async def _streamed(call: Call, graph: str, asked: object, kind: type[wire.GraphReply], *, between: str = "") -> Response:
    """The first step is awaited before anything is sent, so that an early failure keeps its HTTP status."""
    steps = call.gateway.stream(graph, asked, budget_s=call.budget_s)
    first = await until_disconnect(call.request.receive, anext(steps))
    return EventStream(_events(call, kind, first, steps, between), source=steps)


async def _events(
    call: Call, kind: type[wire.GraphReply], first: object, steps: AsyncGenerator[Any, None], between: str
) -> AsyncGenerator[bytes, None]:
    """A `token` for each piece of text, those after the first with `between` before them, and `done` for the whole."""
    for piece in _event(call, kind, first, ""):
        yield piece
    async for step in steps:
        for piece in _event(call, kind, step, between):
            yield piece


def _event(call: Call, kind: type[wire.GraphReply], step: object, before: str) -> tuple[bytes, ...]:
    """The event for one step; none for the graph's own summary of what was said, which `done` repeats."""
    if isinstance(step, Run):
        return (event("done", call.content(kind, step)),)
    if isinstance(step, Said):
        return ()
    text = step if isinstance(step, str) else getattr(step, "text", None)
    if not isinstance(text, str):
        raise Internal(f"the stream yielded a {type(step).__name__}, which has no text")
    return (token_event(before + text),) if text else ()


@router.post(
    "/v1/script",
    response_model=wire.ScriptReply,
    dependencies=CALLER,
    responses={**GRAPH_ERRORS, 200: {"content": schema.event_stream(SCRIPT_STREAM_EXAMPLE)}},
    summary="Write what the host says",
)
async def script(body: wire.ScriptRequest, call: TraceableCall) -> Response:
    """With `stream` each segment comes as a `token` once it and all before it are checked; joined, the tokens are the segments' texts,
    a line each. The last event is `done` with the whole script.
    """
    asked = as_dataclass(ScriptRequest, body)
    if body.stream:
        return await _streamed(call, "script", asked, wire.ScriptReply, between="\n")
    return call.reply(wire.ScriptReply, await call.run("script", asked))


@router.post(
    "/v1/copy",
    response_model=wire.CopyReply,
    dependencies=CALLER,
    responses=GRAPH_ERRORS,
    openapi_extra={"requestBody": {"content": {"application/json": {"example": COPY_EXAMPLE}}}},
    summary="Write a product's title, description or ad",
)
async def copy(body: wire.CopyRequest, call: TraceableCall) -> Response:
    """Prices and figures come from the store. A title has at most 60 characters in Chinese, 120 in English."""
    return call.reply(wire.CopyReply, await call.run("copy", as_dataclass(CopyRequest, body)))


@router.post(
    "/v1/script/analyze",
    response_model=wire.AnalyzeReply,
    dependencies=CALLER,
    responses=GRAPH_ERRORS,
    summary="What a script mentions and claims, and whether that holds",
)
async def analyze(body: wire.AnalyzeRequest, call: TraceableCall) -> Response:
    return call.reply(wire.AnalyzeReply, await call.run("analyze", as_dataclass(AnalyzeRequest, body)))


@router.post(
    "/v1/recommend/products",
    response_model=wire.RecommendReply,
    dependencies=CALLER,
    responses=GRAPH_ERRORS,
    summary="Products for a viewer, with reasons",
)
async def recommend_products(body: wire.RecommendRequest, call: TraceableCall) -> Response:
    asked = as_dataclass(RecommendRequest, body, context=body.context.product_ids)
    return call.reply(wire.RecommendReply, await call.run("recommend", asked))


@router.post(
    "/v1/recommend/rooms",
    response_model=wire.RoomsReply,
    dependencies=CALLER,
    responses=GRAPH_ERRORS,
    summary="Live rooms for a viewer, with reasons",
)
async def recommend_rooms(body: wire.RoomsRequest, call: TraceableCall) -> Response:
    return call.reply(wire.RoomsReply, await call.run("rooms", as_dataclass(RoomsRequest, body)))
