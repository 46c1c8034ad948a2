"""Open Inference Protocol v2: the server, and its repository of models."""

import logging

import orjson
from fastapi import Request
from starlette.responses import Response

from deployments.ingress.call import TheCall, TheGateway, data_response
from deployments.ingress.context import info_of
from deployments.ingress.oip import schema
from deployments.ingress.oip.readiness import away, specs_of
from deployments.ingress.oip.served import ServedModels
from deployments.ingress.oip.table import VERSION
from deployments.ingress.routing import CALLER, OPERATOR, Router
from graphs.errors import InvalidRequest, Unavailable

router = Router(tag="open inference protocol")
log = logging.getLogger("livecart.ingress")

EXTENSIONS = (
    "binary_tensor_data",
    "model_configuration",
    "model_repository",
    "model_repository(unload_dependents)",
    "statistics",
    "parameters",
)
CONTROL = {**schema.errors(404, 413, 415), **schema.answers({})}


def models_of(request: Request) -> ServedModels:
    models: ServedModels = request.app.state.models
    return models


@router.get(
    "/v2",
    dependencies=CALLER,
    responses={**schema.errors(), **schema.answers({"name": "livecart", "version": "0.1.0", "extensions": ["binary_tensor_data"]})},
    summary="Name, version and extensions of the server",
)
async def server_metadata(request: Request) -> Response:
    return data_response({"name": "livecart", "version": request.app.version, "extensions": EXTENSIONS})


@router.get("/v2/health/live", responses=schema.answers({"live": True}), summary="The process is up")
async def live() -> Response:
    return data_response({"live": True})


@router.get(
    "/v2/health/ready",
    responses={**schema.answers({"ready": True}), 503: schema.errors(503)[503]},
    summary="Every deployment can answer",
)
async def ready(gateway: TheGateway) -> Response:
    waiting = await gateway.not_ready()
    if waiting:
        raise Unavailable(f"not ready: {', '.join(waiting)}")
    return data_response({"ready": True})


@router.get(
    "/v2/models/stats",
    dependencies=CALLER,
    responses={**schema.errors(), **schema.answers({"model_stats": []})},
    summary="Counts and times of all models since this process began",
)
async def all_statistics(request: Request, gateway: TheGateway) -> Response:
    models = models_of(request)
    served = [name for name in specs_of(gateway) if name not in models.unloaded]
    return data_response({"model_stats": [models.statistics.of(name) for name in served]})


@router.post(
    "/v2/repository/index",
    dependencies=CALLER,
    responses={**schema.errors(413, 415), **schema.answers([{"name": "detector", "version": VERSION, "state": "READY", "reason": ""}])},
    openapi_extra=schema.optional_body(),
    summary="All models and whether they can answer",
)
async def repository_index(request: Request, gateway: TheGateway) -> Response:
    only_ready = (await _object(request)).get("ready", False)
    if not isinstance(only_ready, bool):
        raise InvalidRequest("`ready` must be true or false", param="ready")
    models = models_of(request)
    missing = await away(gateway)
    index = []
    for spec in specs_of(gateway).values():
        reasons = ["unloaded"] if spec.name in models.unloaded else [f"`{need}` does not answer" for need in spec.needs if need in missing]
        if not (only_ready and reasons):
            state = "UNAVAILABLE" if reasons else "READY"
            index.append({"name": spec.name, "version": VERSION, "state": state, "reason": ", ".join(reasons)})
    return data_response(index)


@router.post(
    "/v2/repository/models/{model}/load",
    dependencies=OPERATOR,
    responses=CONTROL,
    openapi_extra=schema.optional_body(),
    summary="Serve a model again that was unloaded",
)
async def load(model: str, request: Request, call: TheCall) -> Response:
    if any(name == "config" or name.startswith("file:") for name in await _parameters(request)):
        raise InvalidRequest(
            "models come from the configuration of the deployments: no `config` and no files can be sent", param="parameters"
        )
    models = models_of(request)
    spec = models.known(specs_of(call.gateway), model)
    models.unloaded.discard(spec.name)
    log.info("model %s was loaded by %s", spec.name, info_of(request.scope).actor)
    return data_response({})


@router.post(
    "/v2/repository/models/{model}/unload",
    dependencies=OPERATOR,
    responses=CONTROL,
    openapi_extra=schema.optional_body(),
    summary="Serve a model no more under /v2",
)
async def unload(model: str, request: Request, call: TheCall) -> Response:
    """The graphs go on using it. With `unload_dependents` the models that an ensemble is made of are unloaded with it."""
    steps_too = (await _parameters(request)).get("unload_dependents", False)
    if not isinstance(steps_too, bool):
        raise InvalidRequest("`unload_dependents` must be true or false", param="unload_dependents")
    models = models_of(request)
    spec = models.known(specs_of(call.gateway), model)
    models.unload(spec, steps_too=steps_too)
    log.info("model %s was unloaded by %s", spec.name, info_of(request.scope).actor)
    return data_response({})


async def _parameters(request: Request) -> dict[str, object]:
    parameters = (await _object(request)).get("parameters", {})
    if not isinstance(parameters, dict):
        raise InvalidRequest("`parameters` must be a JSON object", param="parameters")
    return parameters


async def _object(request: Request) -> dict[str, object]:
    """The body, which may be empty; clients of this protocol send no content type."""
    body = await request.body()
    if not body:
        return {}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"the body is not valid JSON: {error.msg}") from None
    if not isinstance(value, dict):
        raise InvalidRequest("the body must be a JSON object")
    return value
