"""What viewers did, and all that is held about one of them."""

from fastapi import Request
from starlette.responses import Response

from deployments.ingress import schema
from deployments.ingress.call import TheGateway, TheInfo, as_dataclass, model_response
from deployments.ingress.routing import CALLER, EDITOR, PathId, Router
from deployments.ingress.rows import read_rows
from graphs.errors import InvalidEvent, NotFound
from livecart_client import wire
from models.types import Event, ViewerId

router = Router(tag="viewers")


@router.post(
    "/v1/events",
    status_code=202,
    response_model=wire.Accepted,
    dependencies=CALLER,
    responses=schema.errors(413, 415, 422, 429, 503),
    openapi_extra=schema.rows_body("events", "Event"),
    summary="Tell what viewers did: up to 1,000 events, all or none, each counted once however often it is sent",
)
async def append_events(request: Request, gateway: TheGateway) -> Response:
    rows = await read_rows(request, "events", wire.Event, max_rows=gateway.limits.max_rows, error=InvalidEvent)
    appended = await gateway.store.append_events([as_dataclass(Event, row) for row in rows])
    return model_response(wire.Accepted.model_validate(appended), 202)


@router.get(
    "/v1/viewers/{viewer_id}",
    response_model=wire.Viewer,
    dependencies=EDITOR,
    responses=schema.errors(404, 503),
    summary="All that is held about a viewer",
)
async def get_viewer(viewer_id: PathId, gateway: TheGateway) -> Response:
    record = await gateway.store.viewer(ViewerId(viewer_id))
    if record is None:
        raise NotFound(f"nothing is held about viewer `{viewer_id}`")
    return model_response(wire.Viewer.model_validate(record))


@router.delete(
    "/v1/viewers/{viewer_id}",
    status_code=204,
    dependencies=EDITOR,
    responses=schema.errors(404, 503),
    summary="Forget a viewer: events stay for the record and lose every link to the person",
)
async def erase_viewer(viewer_id: PathId, gateway: TheGateway, info: TheInfo) -> Response:
    if not await gateway.store.erase_viewer(ViewerId(viewer_id), actor=info.actor, request_id=info.request_id):
        raise NotFound(f"nothing is held about viewer `{viewer_id}`")
    return Response(status_code=204)
