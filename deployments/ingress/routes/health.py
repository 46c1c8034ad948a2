"""Is the process up, can every graph be answered, and the numbers."""

from fastapi import Request
from starlette.responses import HTMLResponse, Response

from deployments.ingress import schema
from deployments.ingress.call import TheGateway, TheTelemetry, data_response
from deployments.ingress.errors import error_response
from deployments.ingress.pages import CONSOLE, DOCS, page
from deployments.ingress.routing import Router
from graphs.errors import Unavailable

router = Router(tag="operations")
STATUS = {"content": {"application/json": {"example": {"status": "ok"}}}}


@router.get("/healthz", responses={200: STATUS}, summary="The process is up")
@router.head("/healthz", include_in_schema=False)
async def healthz() -> Response:
    return data_response({"status": "ok"})


@router.get("/readyz", responses={200: STATUS, 503: schema.errors(503)[503]}, summary="Every deployment of every graph can answer")
@router.head("/readyz", include_in_schema=False)
async def readyz(request: Request, gateway: TheGateway) -> Response:
    waiting = await gateway.not_ready()
    if not waiting:
        return data_response({"status": "ready"})
    details = tuple({"deployment": name} for name in waiting)
    error = Unavailable(f"not ready: {', '.join(waiting)}", details=details)
    return error_response(request.scope["path"], error, headers={"Retry-After": "1"})


@router.get(
    "/metrics",
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    response_class=Response,
    summary="Prometheus: this ingress, its graphs' nodes, and the model replicas",
)
async def metrics(gateway: TheGateway, telemetry: TheTelemetry) -> Response:
    text = telemetry.render() + await gateway.metrics_text()
    return Response(text, media_type="text/plain; version=0.0.4")


@router.get("/", include_in_schema=False)
async def console() -> HTMLResponse:
    return page(CONSOLE)


@router.get("/docs", include_in_schema=False)
async def docs() -> HTMLResponse:
    return page(DOCS)
