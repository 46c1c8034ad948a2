"""Public fakes of what is asked in OpenAI's protocol: a writer that says what it was told to say, an embedder of lengths."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import numpy as np
import orjson

from deployments.ports import TextModel
from models.language.openai_types import Kind, ModelCard, Usage
from models.types import Vectors


@dataclass
class FakeOpenAI:
    """Answers every call with `text`. `fails_after` chunks of a stream it raises `failure`; None of it: never."""

    text: str = "Dishwasher safe."
    name: str = "writer"
    failure: Exception | None = None
    fails_after: int = 0
    delay_s: float = 0.0  # before an answer that is no stream, and before each word of one that is
    asked: list[tuple[Kind, bytes]] = field(default_factory=list)
    timeouts_s: list[float] = field(default_factory=list)  # what each call was told that it has
    closed: int = 0  # calls that were left before their end

    async def cards(self) -> Sequence[ModelCard]:
        return [
            ModelCard(self.name, "/weights/writer", 1_700_000_000, 1024),
            ModelCard("zh", "/weights/zh", 1_700_000_000, None, self.name),
        ]

    async def generate(self, kind: Kind, body: bytes, *, stream: bool, timeout_s: float) -> AsyncGenerator[bytes | Usage, None]:
        self.asked.append((kind, body))
        self.timeouts_s.append(timeout_s)
        words = self.text.split()
        finished = False
        try:
            if not stream:
                await asyncio.sleep(self.delay_s)
                if self.failure is not None:
                    raise self.failure
                yield orjson.dumps({"object": kind, "choices": [{"index": 0, "message": {"role": "assistant", "content": self.text}}]})
                yield Usage(3, len(words))
                finished = True
                return
            for position, word in enumerate(words):
                await asyncio.sleep(self.delay_s)
                if self.failure is not None and position == self.fails_after:
                    raise self.failure
                yield b"data: " + orjson.dumps({"choices": [{"index": 0, "delta": {"content": word}}]}) + b"\n\n"
            yield b"data: [DONE]\n\n"
            finished = True
        finally:
            self.closed += not finished
        yield Usage(3, len(words))


def fake_text_model() -> TextModel:
    """Texts of the same length have the same vector, of four numbers."""

    async def embed(texts: Sequence[str]) -> Vectors:
        return np.eye(4, dtype=np.float32)[[len(text) % 4 for text in texts]]

    return TextModel(ModelCard("text_embedder", "/weights/text_embedder", 1_700_000_000), embed)
