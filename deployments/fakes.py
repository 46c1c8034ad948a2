"""Public fakes of what is asked in OpenAI's protocol: a writer that says what it was told to say, an embedder of lengths."""

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
    asked: list[tuple[Kind, bytes]] = field(default_factory=list)
    closed: int = 0  # streams that were left before their end

    async def cards(self) -> Sequence[ModelCard]:
        return [
            ModelCard(self.name, "/weights/writer", 1_700_000_000, 1024),
            ModelCard("zh", "/weights/zh", 1_700_000_000, None, self.name),
        ]

    async def generate(self, kind: Kind, body: bytes, *, stream: bool, timeout_s: float) -> AsyncGenerator[bytes | Usage, None]:
        self.asked.append((kind, body))
        words = self.text.split()
        if not stream:
            if self.failure is not None:
                raise self.failure
            yield orjson.dumps({"object": kind, "choices": [{"index": 0, "message": {"role": "assistant", "content": self.text}}]})
            yield Usage(3, len(words))
            return
        finished = False
        try:
            for position, word in enumerate(words):
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
