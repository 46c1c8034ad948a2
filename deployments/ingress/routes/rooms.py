"""Live rooms: who sells what now."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from deployments.ingress import schema
from deployments.ingress.call import TheGateway, TheInfo, as_dataclass, model_response
from deployments.ingress.routes.products import Cursor, PageSize
from deployments.ingress.routing import CALLER, EDITOR, PathId, Router
from deployments.ingress.rows import read_object
from graphs.errors import NotFound
from livecart_client import wire
from models.types import Room, RoomId

router = Router(tag="rooms")

LiveFilter = Annotated[bool | None, Query(description="Only rooms that are live, or only those that are not")]


def _missing(room_id: str) -> NotFound:
    return NotFound(f"no room `{room_id}`; PUT /v1/rooms/{room_id} makes it")


@router.put(
    "/v1/rooms/{room_id}",
    response_model=wire.Room,
    dependencies=EDITOR,
    responses=schema.errors(404, 413, 415, 503),
    openapi_extra=schema.json_body(schema.ref("RoomBody")),
    summary="Make or replace a room, its shelf and what the host shows",
)
async def put_room(room_id: PathId, request: Request, gateway: TheGateway, info: TheInfo) -> Response:
    body = await read_object(request, wire.Room, id_name="room_id", path_id=room_id)
    await gateway.store.put_rooms([as_dataclass(Room, body)], actor=info.actor, request_id=info.request_id)
    return model_response(body)


@router.get(
    "/v1/rooms", response_model=wire.Page[wire.Room], dependencies=CALLER, responses=schema.errors(503), summary="All, page by page"
)
async def list_rooms(gateway: TheGateway, live: LiveFilter = None, cursor: Cursor = None, limit: PageSize = 100) -> Response:
    page = await gateway.store.list_rooms(cursor, limit, live=live)
    return model_response(wire.Page[wire.Room].model_validate(page))


@router.get("/v1/rooms/{room_id}", response_model=wire.Room, dependencies=CALLER, responses=schema.errors(404, 503), summary="One room")
async def get_room(room_id: PathId, gateway: TheGateway) -> Response:
    room = await gateway.store.room(RoomId(room_id))
    if room is None:
        raise _missing(room_id)
    return model_response(wire.Room.model_validate(room))


@router.delete("/v1/rooms/{room_id}", status_code=204, dependencies=EDITOR, responses=schema.errors(404, 503), summary="Forget a room")
async def delete_room(room_id: PathId, gateway: TheGateway, info: TheInfo) -> Response:
    if not await gateway.store.delete_room(RoomId(room_id), actor=info.actor, request_id=info.request_id):
        raise _missing(room_id)
    return Response(status_code=204)
