"""What crosses the boundary between OpenAI's protocol on the engine and the rest."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["chat", "completion"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that one call took."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model as `/v1/models` lists it."""

    id: str
    root: str  # folder or hub id of the checkpoint: load generators take the tokenizer from there
    created: int  # seconds since 1970
    max_model_len: int | None = None  # tokens; None: that of its parent
    parent: str | None = None  # of an adapter: the model that it changes


class OpenAIRefusal(Exception):  # noqa: N818 - what is refused is the caller's request
    """A call that is not answered. `status` is HTTP's; survives pickling, since it crosses processes."""

    def __init__(self, status: int, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param

    @property
    def is_too_long(self) -> bool:
        """Whether the prompt, or what it asks for, does not fit into the model's context."""
        return self.status == 400 and "maximum context length" in self.message

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuilt, (self.status, self.message, self.param))


def _rebuilt(status: int, message: str, param: str | None) -> OpenAIRefusal:
    return OpenAIRefusal(status, message, param=param)
