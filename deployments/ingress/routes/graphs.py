"""The inference graphs: parse, run, convert."""

from collections.abc import AsyncGenerator
from typing import Any

from fastapi import Request
from starlette.responses import Response

from deployments.ingress import schema
from deployments.ingress.call import Call, TheCall, as_dataclass
from deployments.ingress.disconnect import until_disconnect
from deployments.ingress.frames import read_frame
from deployments.ingress.routing import CALLER, Router
from deployments.ingress.sse import EventStream, event, token_event
from graphs.analyze import AnalyzeRequest
from graphs.answer import AnswerRequest
from graphs.errors import Internal
from graphs.flow import Run
from graphs.moment import MomentRequest
from graphs.recognize import RecognizeRequest
from graphs.recommend import RecommendRequest
from graphs.rooms import RoomsRequest
from graphs.script import ScriptRequest
from graphs.speaking import Said
from livecart_client import wire

router = Router(tag="graphs")
GRAPH_ERRORS = schema.errors(404, 413, 415, 429, 503, 504)
STREAM_EXAMPLE = 'event: token\ndata: {"text": "..."}\n\nevent: done\ndata: {"answer": "...", "grounded": true}\n\n'


@router.post(
    "/v1/recognize",
    response_model=wire.RecognizeReply,
    dependencies=CALLER,
    responses=GRAPH_ERRORS,
    openapi_extra=schema.frame_body(wire.RecognizeOptions, "RecognizeRequest"),
    summary="Which products are on screen",
)
async def recognize(request: Request, call: TheCall) -> Response:
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
async def moment(request: Request, call: TheCall) -> Response:
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
async def answer(body: wire.AnswerRequest, call: TheCall) -> Response:
    asked = as_dataclass(AnswerRequest, body)
    if body.stream:
        return await _streamed_answer(call, asked)
    return call.reply(wire.AnswerReply, await call.run("answer", asked))


async def _streamed_answer(call: Call, asked: AnswerRequest) -> Response:
    """The first step is awaited before anything is sent, so that an early failure keeps its HTTP status."""
    steps = call.gateway.stream("answer", asked, budget_s=call.budget_s)
    first = await until_disconnect(call.request.receive, anext(steps))
    return EventStream(_answer_events(call, first, steps), source=steps)


async def _answer_events(call: Call, first: object, steps: AsyncGenerator[Any, None]) -> AsyncGenerator[bytes, None]:
    for piece in _answer_event(call, first):
        yield piece
    async for step in steps:
        for piece in _answer_event(call, step):
            yield piece


def _answer_event(call: Call, step: object) -> tuple[bytes, ...]:
    """The event for one step; none for the graph's own summary of what was said, which `done` repeats."""
    if isinstance(step, Run):
        return (event("done", call.content(wire.AnswerReply, step)),)
    if isinstance(step, Said):
        return ()
    text = step if isinstance(step, str) else getattr(step, "text", None)
    if not isinstance(text, str):
        raise Internal(f"the stream yielded a {type(step).__name__}, which has no text")
    return (token_event(text),) if text else ()


@router.post(
    "/v1/script",
    response_model=wire.ScriptReply,
    dependencies=CALLER,
    responses={**GRAPH_ERRORS, 200: {"content": schema.event_stream('event: done\ndata: {"segments": [], "summary": "..."}\n\n')}},
    summary="Write what the host says",
)
async def script(body: wire.ScriptRequest, call: TheCall) -> Response:
    """With `stream` the script comes as one `done` event: it is checked as a whole before any of it is shown."""
    run = await call.run("script", as_dataclass(ScriptRequest, body))
    if body.stream:
        return EventStream(_done(call.content(wire.ScriptReply, run)))
    return call.reply(wire.ScriptReply, run)


async def _done(content: bytes) -> AsyncGenerator[bytes, None]:
    yield event("done", content)


@router.post(
    "/v1/script/analyze",
    response_model=wire.AnalyzeReply,
    dependencies=CALLER,
    responses=GRAPH_ERRORS,
    summary="What a script mentions and claims, and whether that holds",
)
async def analyze(body: wire.AnalyzeRequest, call: TheCall) -> Response:
    return call.reply(wire.AnalyzeReply, await call.run("analyze", as_dataclass(AnalyzeRequest, body)))


@router.post(
    "/v1/recommend/products",
    response_model=wire.RecommendReply,
    dependencies=CALLER,
    responses=GRAPH_ERRORS,
    summary="Products for a viewer, with reasons",
)
async def recommend_products(body: wire.RecommendRequest, call: TheCall) -> Response:
    asked = as_dataclass(RecommendRequest, body, context=body.context.product_ids)
    return call.reply(wire.RecommendReply, await call.run("recommend", asked))


@router.post(
    "/v1/recommend/rooms",
    response_model=wire.RoomsReply,
    dependencies=CALLER,
    responses=GRAPH_ERRORS,
    summary="Live rooms for a viewer, with reasons",
)
async def recommend_rooms(body: wire.RoomsRequest, call: TheCall) -> Response:
    return call.reply(wire.RoomsReply, await call.run("rooms", as_dataclass(RoomsRequest, body)))
