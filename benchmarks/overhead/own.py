"""livecart's way: its edge, its engine, its hops. Node by node in a replica of their own, or fused into the ingress."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request
from ray import serve
from ray.serve import Application
from ray.serve.handle import DeploymentHandle
from starlette.middleware import Middleware
from starlette.responses import Response

from benchmarks.overhead.nodes import KINDS, merged, steps
from deployments.ingress.body import BodyLimit
from deployments.ingress.disconnect import until_disconnect
from deployments.ingress.edge import Edge
from deployments.remote.calls import channel
from deployments.remote.entries import all_together
from deployments.settings import CoalesceSettings
from deployments.telemetry import Telemetry
from graphs.flow import Graph, GraphBuilder

NODES = ("a", "b", "c")
BUDGET_S = 10.0
CPUS = {"num_cpus": 0.1}
QUIET = {"enable_access_log": False}  # livecart has an access log of its own

Node = Callable[[bytes], Awaitable[bytes]]
Answer = dict[str, int]


def graph_of(kind: str, nodes: Mapping[str, Node]) -> Graph[bytes, Answer]:
    g = GraphBuilder(kind, bytes)
    vector = g.add(nodes["a"], g.request, timeout_s=BUDGET_S, name="a")
    b = g.add(nodes["b"], vector, timeout_s=BUDGET_S, name="b")
    c = g.add(nodes["c"], vector, timeout_s=BUDGET_S, name="c")
    return g.build(g.apply(merged, b, c))


def app_of(graphs: Mapping[str, Graph[bytes, Answer]]) -> FastAPI:
    """The layers that every request of livecart passes, around a route per graph."""
    telemetry = Telemetry()
    router = APIRouter()
    for kind, graph in graphs.items():
        router.post(f"/{kind}")(_handler(graph.observed_by(telemetry.spans)))
    app = FastAPI(
        openapi_url=None,
        middleware=[Middleware(Edge, telemetry=lambda: telemetry), Middleware(BodyLimit, max_bytes=lambda: 32 * 2**20, max_s=lambda: 30.0)],
    )
    app.include_router(router)
    return app


def _handler(graph: Graph[bytes, Answer]) -> Callable[[Request], Awaitable[Response]]:
    async def run(request: Request) -> Response:
        body = await request.body()
        run = await until_disconnect(request.receive, graph.run(body, budget_s=BUDGET_S))
        return Response(orjson.dumps(run.output), media_type="application/json")

    return run


class ReplicaNode:
    """One node behind a handle: values come in lists, work goes to a thread."""

    def __init__(self, node: str) -> None:
        self._steps = {kind: steps(kind)[node] for kind in KINDS}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=node)

    async def noop(self, values: Sequence[bytes], remaining_s: Sequence[float]) -> list[bytes | Exception]:
        async def many(batch: Sequence[bytes]) -> list[bytes]:
            return [self._steps["noop"](value) for value in batch]

        return await all_together(values, remaining_s, many)

    async def work(self, values: Sequence[bytes], remaining_s: Sequence[float]) -> list[bytes | Exception]:
        async def many(batch: Sequence[bytes]) -> list[bytes]:
            run = asyncio.get_running_loop().run_in_executor
            return await run(self._thread, lambda: [self._steps["work"](value) for value in batch])

        return await all_together(values, remaining_s, many)


class ReplicasIngress:
    """Every node is a hop; requests of the same moment share it."""

    def __init__(self, limits: CoalesceSettings, **handles: DeploymentHandle) -> None:
        self._graphs = {
            kind: graph_of(kind, {node: channel(getattr(handles[node], kind).remote, node, limits) for node in NODES}) for kind in KINDS
        }

    def __serve_build_asgi_app__(self) -> FastAPI:
        return app_of(self._graphs)


class FusedIngress:
    """All nodes in the ingress process; work goes to threads."""

    def __init__(self) -> None:
        threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="nodes")
        self._graphs = {kind: graph_of(kind, {node: _local(kind, node, threads) for node in NODES}) for kind in KINDS}

    def __serve_build_asgi_app__(self) -> FastAPI:
        return app_of(self._graphs)


def _local(kind: str, node: str, threads: ThreadPoolExecutor) -> Node:
    step = steps(kind)[node]

    async def at_once(value: bytes) -> bytes:
        return step(value)

    async def in_a_thread(value: bytes) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(threads, step, value)

    return at_once if kind == "noop" else in_a_thread


def replicas(limits: CoalesceSettings) -> Application:
    nodes = {node: _deployment(ReplicaNode, node, max_ongoing_requests=64).bind(node) for node in NODES}
    return _ingress(ReplicasIngress).bind(limits, **nodes)


def fused() -> Application:
    return _ingress(FusedIngress).bind()


def _ingress(cls: type) -> Any:  # noqa: ANN401  # Ray has no types
    """Two replicas, as serve_config.yaml has them."""
    return _deployment(serve.ingress()(cls), "Ingress", max_ongoing_requests=1_000).options(num_replicas=2)


def _deployment(cls: type, name: str, *, max_ongoing_requests: int) -> Any:  # noqa: ANN401  # Ray has no types
    return serve.deployment(cls, name=name, max_ongoing_requests=max_ongoing_requests, ray_actor_options=CPUS, logging_config=QUIET)
