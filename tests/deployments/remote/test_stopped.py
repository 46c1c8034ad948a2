"""A writer whose engine has died: every way to it says that it is unavailable, in words for callers."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from ray import serve
from ray.serve.handle import DeploymentHandle

from deployments.remote.calls import ping_of
from deployments.remote.writer import RemoteWriter
from deployments.replicas import WriterReplica
from graphs.errors import Unavailable
from models.types import ModelStoppedError, Prompt, TextDelta

PROMPT = Prompt((("user", "hi"),))


class Stopped:
    """An engine that ended after its first word."""

    async def write(self, prompt: Prompt) -> AsyncGenerator[TextDelta, None]:
        yield TextDelta("word ", 1)
        raise ModelStoppedError("the writer's engine has stopped")

    async def check_health(self) -> None:
        raise ModelStoppedError("the writer's engine has stopped")


class StoppedWriter(WriterReplica):
    """The real shell around it."""

    async def reconfigure(self, config: dict[str, object]) -> None:
        self._model = Stopped()  # type: ignore[assignment]  # has what the shell asks of a writer here


class Broken(StoppedWriter):
    async def ping(self) -> None:
        raise LookupError


async def handle_of(cls: type[WriterReplica]) -> DeploymentHandle:
    def started() -> DeploymentHandle:
        made = serve.run(serve.deployment(cls).bind(), name="Writer", route_prefix=None, _local_testing_mode=True)
        made.reconfigure.remote({}).result()
        return made

    return await asyncio.to_thread(started)


@pytest.mark.parametrize(("cls", "said"), [(StoppedWriter, "engine has stopped"), (Broken, "LookupError")])
async def test_a_ping_says_which_deployment_is_unavailable(cls: type[WriterReplica], said: str) -> None:
    with pytest.raises(Unavailable, match=f"`Writer`.*{said}"):
        await ping_of(await handle_of(cls), "Writer")()


async def test_a_text_that_breaks_off_says_so() -> None:
    deltas = RemoteWriter(await handle_of(StoppedWriter)).write(PROMPT)
    assert (await anext(deltas)).text == "word "
    with pytest.raises(Unavailable, match=r"`Writer`.*engine has stopped"):
        await anext(deltas)
