"""The smallest application the launcher can start: two deployments, one of which can be told to fail."""

import os
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from ray import serve
from ray.serve.handle import DeploymentHandle


class ToySettings(BaseModel, extra="forbid"):
    """`broken`: the worker's constructor raises."""

    broken: bool = False


class Worker:
    """Answers with its process id."""

    def __init__(self, settings: ToySettings) -> None:
        if settings.broken:
            raise RuntimeError("the weights in /nowhere are missing; run `livecart train worker`")

    async def pid(self) -> int:
        return os.getpid()


api = FastAPI()


@serve.ingress(api)
class Ingress:
    """`GET /readyz` asks the worker, as the product's does."""

    def __init__(self, worker: DeploymentHandle[Any]) -> None:
        self._worker = worker

    @api.get("/readyz")
    async def readyz(self) -> dict[str, int]:
        return {"worker_pid": await self._worker.pid.remote()}


def build(settings: ToySettings) -> serve.Application:
    """The application graph, as `deployments.app:build` makes it."""
    light = {"num_cpus": 0.1}
    worker = serve.deployment(Worker, name="worker", ray_actor_options=light).bind(settings)
    return serve.deployment(Ingress, name="ingress", ray_actor_options=light).bind(worker)
