"""The graphs as they are served: `GET /v1/graphs`."""

from typing import Annotated

from pydantic import Field

from livecart_client.wire.base import Reply


class NodeLatency(Reply):
    """Over the node's latest runs in the process that answers."""

    p50_ms: float
    p99_ms: float
    runs: float


class ServedNode(Reply):
    name: str
    kind: Annotated[str, Field(description="apply, await, race, map, stream, graph, shadow, when or split")]
    timeout_s: Annotated[float | None, Field(description="null: a plain function or a choice")] = None
    fallback: Annotated[str | None, Field(description="null: its failure is the graph's")] = None
    detail: Annotated[str | None, Field(description="How a map, a race, a split or a nested graph does it")] = None
    placement: Annotated[str, Field(description="The deployment that it runs in, or `fused`")]
    latency: Annotated[NodeLatency | None, Field(description="null before its first run")] = None


class ServedEdge(Reply):
    source: Annotated[str, Field(description="`request` or a node")]
    target: str
    label: Annotated[str | None, Field(description="The branch of a choice")] = None


class ServedGraph(Reply):
    name: str
    nodes: list[ServedNode]
    edges: list[ServedEdge]
    output: Annotated[str, Field(description="The node whose result is the answer")]
