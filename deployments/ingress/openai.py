"""What of OpenAI's protocol the ingress answers itself: embeddings and the list of models."""

import base64
import re
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from graphs.errors import InvalidRequest
from models.language.openai_types import ModelCard
from models.types import Vectors

MAX_TEXTS = 2_048
MAX_TEXT_CHARACTERS = 100_000
_WORD = re.compile(r"[A-Za-z0-9]+|[^\sA-Za-z0-9]")

Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARACTERS)]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class EmbeddingsRequest(BaseModel):
    """Unknown fields are accepted, as everywhere in this protocol."""

    model_config = ConfigDict(frozen=True)

    input: Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS), BeforeValidator(_listed)]  # one text stands for a list of it
    model: str | None = None
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None

    @property
    def token_count(self) -> int:
        """Words, and each character of a script without spaces: the embedder has no tokenizer whose tokens could be counted.

        >>> EmbeddingsRequest(input=["keeps warm 12 h", "保温"]).token_count
        6
        """
        return sum(len(_WORD.findall(text)) for text in self.input)


def embeddings_object(asked: EmbeddingsRequest, vectors: Vectors, model: str, tokens: int) -> dict[str, object]:
    """The answer; `vectors` float32 (n, dim), as numbers or as the base64 of their little-endian bytes.

    Raises InvalidRequest for a number of dimensions that the embedder does not have.
    """
    if asked.dimensions not in (None, vectors.shape[1]):
        raise InvalidRequest(f"`{model}` embeds in {vectors.shape[1]} dimensions and in no other number", param="dimensions")
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
