"""The replica of the ingress: a start that fails says why, and ends what it had begun."""

import asyncio
from pathlib import Path

import pytest

from deployments.ingress.key_watch import KEYS_VARIABLE
from deployments.ingress.replica import IngressReplica
from deployments.settings import Settings

# Serve awaits the end of a replica; the interpreter, which calls it once more, does not
pytestmark = pytest.mark.filterwarnings("ignore:coroutine 'IngressReplica.__del__' was never awaited")


async def ended(settings: Settings, error: type[Exception], said: str) -> None:
    """As Serve makes and ends a replica."""
    before = asyncio.all_tasks()
    replica = IngressReplica.__new__(IngressReplica)
    with pytest.raises(error, match=said):
        await replica.__init__(settings)  # type: ignore[misc]  # Serve awaits it
    await replica.__del__()
    assert asyncio.all_tasks() == before


async def test_a_start_that_fails_at_the_keys_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEYS_VARIABLE, ",")
    await ended(Settings(home=tmp_path), ValueError, "holds no key")


async def test_a_start_that_fails_midway_ends_what_it_had_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEYS_VARIABLE, raising=False)
    await ended(Settings(home=tmp_path), KeyError, "writer")  # no handle of a deployment came in
