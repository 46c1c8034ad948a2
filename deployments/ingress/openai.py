"""What of OpenAI's protocol the ingress answers itself: embeddings and the list of models."""

import base64
import re
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from models.language.openai_types import ModelCard
from models.types import Vectors

MAX_TEXTS = 2_048
_WORD = re.compile(r"[A-Za-z0-9]+|[^\sA-Za-z0-9]")

Text = Annotated[str, Field(min_length=1, max_length=100_000)]


class EmbeddingsRequest(BaseModel):
    """Unknown fields are accepted, as everywhere in this protocol."""

    model_config = ConfigDict(frozen=True)

    input: Text | Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS)]
    model: str | None = None
    encoding_format: Literal["float", "base64"] = "float"

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input

    @property
    def token_count(self) -> int:
        """Words, and each character of a script without spaces: the embedder has no tokenizer whose tokens could be counted.

        >>> EmbeddingsRequest(input=["keeps warm 12 h", "保温"]).token_count
        6
        """
        return sum(len(_WORD.findall(text)) for text in self.texts)


def embeddings_object(asked: EmbeddingsRequest, vectors: Vectors, model: str, tokens: int) -> dict[str, object]:
    """The answer; `vectors` float32 (n, dim), as numbers or as the base64 of their little-endian bytes."""
    written = _as_base64(vectors) if asked.encoding_format == "base64" else vectors.tolist()
    data = [{"object": "embedding", "index": index, "embedding": embedding} for index, embedding in enumerate(written)]
    return {"object": "list", "data": data, "model": model, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}


def _as_base64(vectors: Vectors) -> list[str]:
    return [base64.b64encode(row.tobytes()).decode("ascii") for row in vectors.astype(np.dtype("<f4"))]


def card_object(card: ModelCard) -> dict[str, object]:
    """A model as `/v1/models` lists it; `root` and `max_model_len` as vLLM's own server does."""
    return {
        "id": card.id,
        "object": "model",
        "created": card.created,
        "owned_by": "livecart",
        "root": card.root,
        "parent": card.parent,
        "max_model_len": card.max_model_len,
    }
