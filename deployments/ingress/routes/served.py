"""The graphs as they are served, drawn and measured."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Header, Request
from starlette.responses import Response

from deployments.ingress import schema
from deployments.ingress.call import TheGateway, ThePlacements, TheTelemetry, data_response
from deployments.ingress.routing import CALLER, PathId, Router
from deployments.telemetry import Telemetry
from graphs.errors import InvalidRequest, NotFound
from graphs.flow import Graph
from livecart_client import wire

router = Router(tag="graphs")

MERMAID = "text/vnd.mermaid"
Accept = Annotated[str, Header(description=f"`{MERMAID}` gives the drawing")]
DRAWN: dict[int | str, dict[str, Any]] = {200: {"content": {MERMAID: {"schema": {"type": "string"}}}}}


@router.get(
    "/v1/graphs", response_model=wire.Page[wire.ServedGraph], dependencies=CALLER, responses=schema.errors(), summary="The graphs as served"
)
async def list_graphs(request: Request, gateway: TheGateway, telemetry: TheTelemetry, placements: ThePlacements) -> Response:
    if MERMAID in request.headers.get("accept", ""):
        raise InvalidRequest("a drawing shows one graph: GET /v1/graphs/{name}", param="Accept")
    items = [described(graph, placements, telemetry) for graph in gateway.graphs.values()]
    return data_response({"items": items, "next_cursor": None})


@router.get(
    "/v1/graphs/{name}",
    response_model=wire.ServedGraph,
    dependencies=CALLER,
    responses={**DRAWN, **schema.errors(404)},
    summary="One graph as served",
)
async def get_graph(
    name: PathId, gateway: TheGateway, telemetry: TheTelemetry, placements: ThePlacements, accept: Accept = "*/*"
) -> Response:
    graph = gateway.graphs.get(name)
    if graph is None:
        raise NotFound(f"no graph `{name}`; there are {', '.join(gateway.graphs)}")
    if MERMAID in accept:
        return Response(graph.mermaid(), media_type=MERMAID)
    return data_response(described(graph, placements, telemetry))


def described(graph: Graph[Any, Any], placements: Mapping[str, str], telemetry: Telemetry) -> dict[str, object]:
    """Nodes, edges, timeouts, fallbacks, placement, and for nodes that ran the live `latency` over their latest runs."""
    description = asdict(graph.describe())
    for node in description["nodes"]:
        node["placement"] = placements.get(f"{graph.name}.{node['name']}", "fused")
        node["latency"] = telemetry.percentiles_ms(graph.name, node["name"])
    return description
