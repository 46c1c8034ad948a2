"""One `infer`: read the tensors, run the model within its time, write the answer, count it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from starlette.responses import Response

from deployments.ingress.call import Call, as_dataclass
from deployments.ingress.disconnect import CallerLeft, until_disconnect, within
from deployments.ingress.frames import validated
from deployments.ingress.oip.adapters import ADAPTERS, Tensors, picture_of
from deployments.ingress.oip.compression import asked_encoding, encoded
from deployments.ingress.oip.messages import HEADER_LENGTH, InferReply, InferRequest, read_request, write_reply
from deployments.ingress.oip.served import ServedModels
from deployments.ingress.oip.statistics import Times
from deployments.ingress.oip.table import ModelSpec
from deployments.ingress.oip.tensors import bytes_tensor
from graphs.flow import deadline_within
from graphs.recognize import RecognizeRequest
from livecart_client import wire

P = ParamSpec("P")
T = TypeVar("T")

MAX_BYTES_ON_LOOP = 256 * 1024
RECOGNIZE_OPTIONS = ("room_id", "top_k", "min_score")  # of the request's parameters; others are ignored


@dataclass(frozen=True, slots=True)
class _Ran:
    outputs: Tensors
    queue_s: float


async def infer(call: Call, spec: ModelSpec, served: ServedModels) -> Response:
    """Raises LivecartError or ModelInputError; either way it is counted, unless the caller left."""
    began_s = time.perf_counter()
    try:
        body = await call.request.body()
        read_s = time.perf_counter()
        asked = await _off_loop(len(body), read_request, body, call.request.headers.get(HEADER_LENGTH), spec)
        start_s = time.perf_counter()
        ran = await until_disconnect(call.request.receive, _run(call, spec, asked))
        end_s = time.perf_counter()
        reply = await _off_loop(len(body), write_reply, asked, spec.name, ran.outputs)
    except CallerLeft:
        raise
    except Exception:
        served.statistics.failed(spec.name, time.perf_counter() - began_s)
        raise
    done_s = time.perf_counter()
    times = Times(done_s - began_s, start_s - read_s, ran.queue_s, end_s - start_s - ran.queue_s, done_s - end_s)
    served.statistics.succeeded(spec.name, asked.rows, times)
    return await _response(reply, call.request.headers.get("accept-encoding"))


async def _off_loop(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Large bodies are worked on in a thread, so that other requests go on meanwhile."""
    return await asyncio.to_thread(work, *args, **kwargs) if size > MAX_BYTES_ON_LOOP else work(*args, **kwargs)


async def _run(call: Call, spec: ModelSpec, asked: InferRequest) -> _Ran:
    budget_s = call.budget_s if asked.timeout_s is None else min(call.budget_s, asked.timeout_s)
    if spec.name not in ADAPTERS:
        return await _recognize(call, asked, budget_s)
    came_s = time.perf_counter()
    async with call.gateway.place(budget_s) as left_s:
        queue_s = time.perf_counter() - came_s
        with deadline_within(left_s):
            outputs = await within(left_s, ADAPTERS[spec.name](call.gateway.ports, asked.inputs))
    return _Ran(outputs, queue_s)


async def _recognize(call: Call, asked: InferRequest, budget_s: float) -> _Ran:
    """The graph, as `POST /v1/recognize` runs it; its JSON answer is the one element of `products`."""
    named = {name: asked.parameters[name] for name in RECOGNIZE_OPTIONS if name in asked.parameters}
    options = validated(wire.RecognizeOptions, named, place="parameters")
    request = as_dataclass(RecognizeRequest, options, frame=picture_of(asked.inputs["image"]))
    came_s = time.perf_counter()
    run = await call.gateway.run("recognize", request, budget_s=budget_s)
    queue_s = max(0.0, time.perf_counter() - came_s - run.took_s)
    return _Ran({"products": bytes_tensor("products", [call.content(wire.RecognizeReply, run)], [1])}, queue_s)


async def _response(reply: InferReply, accepted: str | None) -> Response:
    headers: dict[str, str] = {}
    media = "application/json"
    if reply.header_length is not None:
        headers[HEADER_LENGTH] = str(reply.header_length)
        media = "application/octet-stream"
    encoding = asked_encoding(accepted)
    if encoding is None:
        return Response(reply.body, headers=headers, media_type=media)
    headers |= {"Content-Encoding": encoding, "Vary": "Accept-Encoding"}
    return Response(await encoded(reply.body, encoding), headers=headers, media_type=media)
