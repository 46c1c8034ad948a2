"""The same graph the way others serve it: plain Ray Serve, and one FastAPI process; LitServe is in lit.py."""

import asyncio

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from ray import serve
from ray.serve import Application
from ray.serve.handle import DeploymentHandle

from benchmarks.overhead.nodes import merged, steps

CPUS = {"num_cpus": 0.1}


class PlainNode:
    """A node as Ray's documentation writes one."""

    def __init__(self, node: str) -> None:
        self._noop = steps("noop")[node]
        self._work = steps("work")[node]

    async def noop(self, value: bytes) -> bytes:
        return self._noop(value)

    async def work(self, value: bytes) -> bytes:
        return self._work(value)


def plain_ray() -> Application:
    """Composition as Ray's documentation has it: FastAPI ingress, handles, gather.

    No option is set but the CPUs, and a concurrency of 100 instead of 5, behind which 32 callers would only wait.
    """
    api = FastAPI()

    @serve.deployment(ray_actor_options=CPUS, max_ongoing_requests=100)
    @serve.ingress(api)
    class Ingress:
        def __init__(self, a: DeploymentHandle, b: DeploymentHandle, c: DeploymentHandle) -> None:
            self._a, self._b, self._c = a, b, c

        @api.post("/noop")
        async def noop(self, request: Request) -> dict[str, int]:
            vector = await self._a.noop.remote(await request.body())
            return merged(*await asyncio.gather(self._b.noop.remote(vector), self._c.noop.remote(vector)))

        @api.post("/work")
        async def work(self, request: Request) -> dict[str, int]:
            vector = await self._a.work.remote(await request.body())
            return merged(*await asyncio.gather(self._b.work.remote(vector), self._c.work.remote(vector)))

    node = serve.deployment(PlainNode, ray_actor_options=CPUS, max_ongoing_requests=100)
    return Ingress.bind(*(node.options(name=name).bind(name) for name in ("a", "b", "c")))  # type: ignore[attr-defined]  # Ray has no types


def one_process() -> FastAPI:
    """One FastAPI process, the nodes called by hand, work in its threads: no placement, no timeouts, no fallbacks."""
    api = FastAPI()
    nothing, working = steps("noop"), steps("work")

    @api.post("/noop")
    async def noop(request: Request) -> dict[str, int]:
        vector = nothing["a"](await request.body())
        return merged(nothing["b"](vector), nothing["c"](vector))

    @api.post("/work")
    async def work(request: Request) -> dict[str, int]:
        vector = await run_in_threadpool(working["a"], await request.body())
        return merged(*await asyncio.gather(*(run_in_threadpool(working[node], vector) for node in ("b", "c"))))

    return api
