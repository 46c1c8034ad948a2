"""A writer whose engine has died: every way to it says that it is unavailable, in words for callers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest
from ray import serve
from ray.serve.handle import DeploymentHandle

from deployments.remote.calls import ping_of
from deployments.remote.openai import RemoteOpenAI
from deployments.remote.postbox import Postbox
from deployments.remote.writer import RemoteWriter
from deployments.replicas import WriterReplica
from graphs.errors import Unavailable
from models.language.openai_types import ModelCard
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


async def handle_of(cls: type[WriterReplica], *arguments: object) -> DeploymentHandle:
    def started() -> DeploymentHandle:
        made = serve.run(serve.deployment(cls).bind(*arguments), name="Writer", route_prefix=None, _local_testing_mode=True)
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


CARD = ModelCard("writer", "folder", 0)


class Restarting(StoppedWriter):
    """A writer that told its cards once and then hangs, or that never does anything else."""

    def __init__(self, cards: list[ModelCard]) -> None:
        super().__init__()
        self._cards = cards

    async def openai_cards(self) -> list[ModelCard]:
        if not self._cards:
            await asyncio.Event().wait()
        return [self._cards.pop()]


@pytest.fixture
async def postbox() -> AsyncIterator[Postbox]:
    opened = await Postbox().open()
    yield opened
    await opened.close()


async def test_the_list_of_models_does_not_wait_for_a_restart(postbox: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
    openai = RemoteOpenAI(await handle_of(Restarting, [CARD]), postbox)
    assert await openai.cards() == [CARD]
    monkeypatch.setattr("deployments.remote.openai.CARDS_S", 0.05)
    assert await openai.cards() == [CARD]


async def test_models_that_were_never_told_are_unavailable(postbox: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deployments.remote.openai.CARDS_S", 0.05)
    with pytest.raises(Unavailable, match="`Writer`"):
        await RemoteOpenAI(await handle_of(Restarting, []), postbox).cards()
