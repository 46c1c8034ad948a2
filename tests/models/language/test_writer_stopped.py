"""What a writer says when its engine's process was killed: words for callers, not vLLM's."""

import contextlib
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import orjson
import psutil
import pytest

from models.language.environment import writer_environment
from models.language.openai_types import OpenAIRefusal
from models.language.writer import Writer
from models.types import ModelStoppedError, Prompt

_MODEL = Path(__file__).parents[3] / "models" / "zoo" / "writer"
_PROMPT = Prompt((("user", "hi"),), max_tokens=900, json_schema='{"type": "string", "minLength": 800}')

pytestmark = pytest.mark.slow


@pytest.fixture
async def writer(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Writer]:
    for name, value in writer_environment(_MODEL, threads=1).items():
        monkeypatch.setenv(name, value)
    started = await Writer.start(_MODEL, kv_cache_gib=0.125)
    yield started
    started.close()


def _body(*, stream: bool) -> bytes:
    return orjson.dumps({"messages": [{"role": "user", "content": "hi"}], "max_tokens": 900, "ignore_eos": True, "stream": stream})


async def _refused(reading: Awaitable[object]) -> None:
    with pytest.raises(OpenAIRefusal) as caught:
        await reading
    assert (caught.value.status, "EngineCore" in caught.value.message) == (503, False)


async def test_a_killed_engine_is_told_in_plain_words(writer: Writer) -> None:
    async with (
        contextlib.aclosing(writer.write(_PROMPT)) as text,
        contextlib.aclosing(writer.openai.generate("chat", _body(stream=True))) as chat,
    ):
        await anext(text)
        await anext(chat)
        await writer.check_health()
        for child in psutil.Process().children(recursive=True):
            if "EngineCore" in child.name() or "EngineCore" in " ".join(child.cmdline()):
                child.kill()
        with pytest.raises(ModelStoppedError):
            _ = [delta async for delta in text]
        await _refused(_drained(chat))
    with pytest.raises(ModelStoppedError):
        await writer.check_health()
    with pytest.raises(ModelStoppedError):
        await anext(writer.write(_PROMPT))
    for stream in (False, True):
        await _refused(_drained(writer.openai.generate("chat", _body(stream=stream))))


async def _drained(pieces: AsyncIterator[object]) -> None:
    async for _ in pieces:
        pass
