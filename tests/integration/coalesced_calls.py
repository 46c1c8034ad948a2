"""Runs in a process of its own, under the launcher's environment: what coalesced calls do on real replicas, as one JSON object.

`python -m tests.integration.coalesced_calls FOLDER MARKERS`
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ray import serve
from ray.serve.handle import DeploymentHandle

from deployments.launch.cluster import start_ray
from deployments.remote.calls import answered
from deployments.remote.coalesce import Coalescer
from deployments.remote.entries import each_alone
from deployments.settings import CoalesceSettings
from graphs.errors import NotFound
from graphs.flow import GraphBuilder, remaining_s

DEPLOYMENT = "Toy"


class Toy:
    """Says what happened to it in files, since a dead or cancelled replica answers nothing."""

    def __init__(self, markers: str) -> None:
        self._markers = Path(markers)

    async def many(self, values: Sequence[str], remaining_s: Sequence[float]) -> list[str | Exception]:
        return await each_alone(values, remaining_s, self._one)

    async def _one(self, value: str) -> str:
        match value:
            case "missing":
                raise NotFound("no such thing", param="value")
            case "die once":
                if not (self._markers / "died").exists():
                    (self._markers / "died").touch()
                    os._exit(1)
            case "hang":
                try:
                    (self._markers / "hanging").touch()
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    (self._markers / "cancelled").touch()
                    raise
            case "left":
                return f"{remaining_s():.3f}"
        return value


async def until(check: Callable[[], bool]) -> bool:
    for _ in range(200):
        if check():
            return True
        await asyncio.sleep(0.05)
    return False


def channel(handle: DeploymentHandle) -> Coalescer[str, str]:
    async def send(values: Sequence[str], remaining_s: Sequence[float], /) -> list[str | Exception]:
        found: list[str | Exception] = await answered(handle.many.remote(values, remaining_s), DEPLOYMENT)
        return found

    return Coalescer(send, DEPLOYMENT, CoalesceSettings())


async def scenario(handle: DeploymentHandle, markers: Path) -> dict[str, object]:
    call = channel(handle)
    b = GraphBuilder("toy", str)
    graph = b.build(b.add(call, b.request, timeout_s=30.0, name="call"))
    together = await asyncio.gather(call("one"), call("missing"), call("two"), return_exceptions=True)
    hanging = asyncio.create_task(graph.run("hang", budget_s=20.0))
    hung = await until((markers / "hanging").exists)
    hanging.cancel()
    cancelled = await until((markers / "cancelled").exists)
    return {
        "together": [repr(answer) for answer in together],
        "left": float((await graph.run("left", budget_s=5.0)).output),
        "hung": hung,
        "cancelled": cancelled,
        "after death": (await graph.run("die once", budget_s=30.0)).output,
        "died": (markers / "died").exists(),
    }


def main() -> None:
    folder, markers = Path(sys.argv[1]), Path(sys.argv[2])
    start_ray(folder, num_cpus=4)
    toy = serve.deployment(Toy, name=DEPLOYMENT, num_replicas=2, ray_actor_options={"num_cpus": 0.1}).bind(str(markers))
    handle = serve.run(toy, route_prefix=None)
    print(json.dumps(asyncio.run(scenario(handle, markers))))


if __name__ == "__main__":
    main()
