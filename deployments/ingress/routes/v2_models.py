"""Open Inference Protocol v2: one model, of its only version or of a named one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request
from starlette.responses import Response

from deployments.ingress.call import Call, TheCall, data_response
from deployments.ingress.disconnect import within
from deployments.ingress.oip import schema
from deployments.ingress.oip.inference import infer
from deployments.ingress.oip.readiness import away, specs_of
from deployments.ingress.oip.served import ServedModels
from deployments.ingress.oip.table import ModelSpec
from deployments.ingress.routes.v2 import models_of
from deployments.ingress.routing import CALLER, Router
from graphs.errors import Unavailable
from models.recommend.features import FEATURE_NAMES

router = Router(tag="open inference protocol")

MODEL = "/v2/models/{model}"
VERSIONED = "/v2/models/{model}/versions/{version}"


@dataclass(frozen=True, slots=True)
class Asked:
    """The model that a path names, and the call."""

    spec: ModelSpec
    call: Call
    models: ServedModels


async def newest_of(model: str, request: Request, call: TheCall) -> Asked:
    models = models_of(request)
    return Asked(models.find(specs_of(call.gateway), model), call, models)


async def version_of(model: str, version: str, request: Request, call: TheCall) -> Asked:
    models = models_of(request)
    return Asked(models.find(specs_of(call.gateway), model, version), call, models)


Work = Callable[[Asked], Awaitable[Response]]


async def metadata(asked: Asked) -> Response:
    return data_response(asked.spec.metadata())


async def ready(asked: Asked) -> Response:
    missing = await away(asked.call.gateway, asked.spec.needs)
    if missing:
        raise Unavailable(f"model `{asked.spec.name}` is not ready: {', '.join(missing)} does not answer")
    return data_response({"name": asked.spec.name, "ready": True})


async def config(asked: Asked) -> Response:
    return data_response(asked.spec.config(await _parameters(asked)))


async def _parameters(asked: Asked) -> dict[str, str]:
    """What a caller has to know beyond names and shapes."""
    match asked.spec.name:
        case "detector":
            categories = await within(asked.call.budget_s, asked.call.gateway.ports.tensors.categories())
            return {"categories": orjson.dumps(categories).decode("utf-8")}
        case "ranker":
            return {"features": orjson.dumps(FEATURE_NAMES).decode("utf-8"), "scores": '["click","cart","purchase"]'}
        case "identity":
            return {"accepts": "any datatype and any shape; OUTPUT0 is INPUT0"}
        case "recognize":
            graph = asked.call.gateway.graphs["recognize"].describe()
            return {"nodes": orjson.dumps([node.name for node in graph.nodes]).decode("utf-8")}
        case _:
            return {}


async def statistics(asked: Asked) -> Response:
    return data_response({"model_stats": [asked.models.statistics.of(asked.spec.name)]})


async def run(asked: Asked) -> Response:
    return await infer(asked.call, asked.spec, asked.models)


def _mount(suffix: str, work: Work, *, method: str = "GET", **options: Any) -> None:  # noqa: ANN401 - handed on to FastAPI as they are
    """The route of a model and the one of a version of it."""

    async def newest(asked: Annotated[Asked, Depends(newest_of)]) -> Response:
        return await work(asked)

    async def of_version(asked: Annotated[Asked, Depends(version_of)]) -> Response:
        return await work(asked)

    for path, endpoint, name in ((MODEL, newest, "model"), (VERSIONED, of_version, "model_version")):
        label = f"{name}{suffix.replace('/', '_')}"
        router.add_api_route(path + suffix, endpoint, methods=[method], dependencies=CALLER, name=label, **options)


_ERRORS = schema.errors(404)
_mount(
    "", metadata, responses={**_ERRORS, **schema.answers({"name": "identity", "versions": ["1"]})}, summary="Inputs and outputs of a model"
)
_mount("/ready", ready, responses={**schema.errors(404, 503), **schema.answers({"ready": True})}, summary="The model can answer")
_mount(
    "/config",
    config,
    responses={**schema.errors(404, 503, 504), **schema.answers({"name": "identity"})},
    summary="Configuration, as Triton has it",
)
_mount(
    "/stats", statistics, responses={**_ERRORS, **schema.answers({"model_stats": []})}, summary="Counts and times since this process began"
)
_mount(
    "/infer",
    run,
    method="POST",
    responses={**schema.errors(404, 413, 415, 429, 503, 504), **schema.answers({"model_name": "identity", "outputs": []})},
    openapi_extra=schema.infer_body(),
    summary="Run a model on tensors",
)
