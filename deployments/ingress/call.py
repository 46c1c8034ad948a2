"""One call of a graph by a handler: budget, cancellation when the caller leaves, conversion to the wire model."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from functools import cache
from typing import Annotated, Any, ClassVar, Protocol, TypeVar

import orjson
from fastapi import Depends, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from deployments.ingress.context import RequestInfo, info_of
from deployments.ingress.disconnect import until_disconnect
from deployments.ingress.ports import Gateway
from deployments.telemetry import Telemetry, writer_tally_var
from graphs.flow import Run
from livecart_client import wire


class Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


D = TypeVar("D", bound=Dataclass)


@dataclass(frozen=True, slots=True)
class Call:
    gateway: Gateway
    request: Request
    info: RequestInfo
    trace: bool

    @property
    def budget_s(self) -> float:
        limits = self.gateway.limits
        return self.info.remaining_s(default_s=limits.default_deadline_s, max_s=limits.max_deadline_s)

    async def run(self, graph: str, asked: object) -> Run[Any]:
        """Run a graph until it is done, the deadline has passed or the caller has left."""
        return await until_disconnect(self.request.receive, self.gateway.run(graph, asked, budget_s=self.budget_s))

    def reply(self, kind: type[wire.GraphReply], run: Run[Any]) -> Response:
        return json_response(self.content(kind, run))

    def content(self, kind: type[wire.GraphReply], run: Run[Any]) -> bytes:
        """The answer as JSON, with `degraded`, its experiment if it may have one, and `trace` where it was asked for."""
        marks: dict[str, object] = {"degraded": run.degraded}
        if "experiment" in kind.model_fields:
            shown = self.gateway.experiments.shown(run)
            marks["experiment"] = None if shown is None else wire.ExperimentExposure.model_validate(shown)
        if self.trace:
            marks["trace"] = trace_of(run)
        answer = kind.model_validate(run.output).model_copy(update=marks)
        return answer.model_dump_json(exclude=None if self.trace else {"trace"}).encode("utf-8")


async def gateway_of(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


async def call_of(request: Request) -> Call:
    return Call(request.app.state.gateway, request, info_of(request.scope), trace=False)


async def traceable_call_of(
    request: Request, trace: Annotated[bool, Query(description="Tell how each node of the graph fared, in `trace`")] = False
) -> Call:
    if trace:
        writer_tally_var.set(Counter())
    return Call(request.app.state.gateway, request, info_of(request.scope), trace=trace)


async def telemetry_of(request: Request) -> Telemetry:
    telemetry: Telemetry = request.app.state.telemetry
    return telemetry


async def placements_of(request: Request) -> Mapping[str, str]:
    placements: Mapping[str, str] = request.app.state.placements
    return placements


async def info_from(request: Request) -> RequestInfo:
    return info_of(request.scope)


TheCall = Annotated[Call, Depends(call_of)]
TraceableCall = Annotated[Call, Depends(traceable_call_of)]  # of the routes whose reply is a graph's
TheGateway = Annotated[Gateway, Depends(gateway_of)]
TheTelemetry = Annotated[Telemetry, Depends(telemetry_of)]
ThePlacements = Annotated[Mapping[str, str], Depends(placements_of)]
TheInfo = Annotated[RequestInfo, Depends(info_from)]


def trace_of(run: Run[Any]) -> wire.Trace:
    nodes = [
        wire.NodeTrace(
            node=span.node,
            outcome=span.outcome.value,
            start_ms=round(span.start_s * 1_000, 3),
            took_ms=round(span.took_s * 1_000, 3),
            used_fallback=span.used_fallback,
        )
        for span in run.spans
    ]
    return wire.Trace(
        graph=run.graph,
        took_ms=round(run.took_s * 1_000, 3),
        nodes=nodes,
        variants=dict(run.variants),
        writer=dict(writer_tally_var.get() or {}),
    )


def json_response(content: bytes, status: int = 200) -> Response:
    return Response(content, status, media_type="application/json")


def model_response(model: BaseModel, status: int = 200) -> Response:
    return json_response(model.model_dump_json().encode("utf-8"), status)


def data_response(data: object, status: int = 200) -> Response:
    return json_response(orjson.dumps(data), status)


@cache
def _field_names(kind: type[Dataclass]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def as_dataclass(kind: type[D], model: BaseModel, **others: object) -> D:
    """The frozen value for a wire model with the same field names; `others` are given as they are and win.

    Raises TypeError when a field without a default is in neither.
    """
    known = type(model).model_fields
    values = {
        name: others[name] if name in others else getattr(model, name) for name in _field_names(kind) if name in others or name in known
    }
    return kind(**values)
