"""OpenAI's protocol on a running engine: vLLM's own request models, checks and chunks, without its HTTP server.

A request comes as the bytes of its body and leaves as the bytes that the caller gets, so that nothing between the engine and the
connection looks into a token.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, TypeAlias, cast

import orjson
from jinja2 import TemplateError
from pydantic import ValidationError
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
from vllm.entrypoints.openai.chat_completion.serving import OpenAIServingChat
from vllm.entrypoints.openai.completion.protocol import CompletionRequest
from vllm.entrypoints.openai.completion.serving import OpenAIServingCompletion
from vllm.entrypoints.openai.models.protocol import BaseModelPath, LoRAModulePath
from vllm.entrypoints.openai.models.serving import OpenAIServingModels
from vllm.entrypoints.serve import create_error_response
from vllm.entrypoints.serve.engine.protocol import ErrorResponse
from vllm.exceptions import VLLMError
from vllm.renderers.online_renderer import OnlineRenderer
from vllm.v1.engine.async_llm import AsyncLLM
from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

from models.language.openai_asks import check_ask
from models.language.openai_types import Kind, ModelCard, OpenAIRefusal, Usage

_REPEATED_FIELDS = re.compile(r" \((?:parameter|value)=.*\)$", re.DOTALL)
ENGINE_STOPPED = "the writer's engine has stopped; it is being restarted"
_ERROR_CHUNK = 'data: {"error"'
_REFUSED = (VLLMError, ValueError, TypeError, OverflowError, NotImplementedError, TemplateError)  # what vLLM's server answers, not logs

Request: TypeAlias = ChatCompletionRequest | CompletionRequest


@dataclass(slots=True)
class _Asked:
    """What vLLM's handlers look at of an HTTP request, and where they leave the usage."""

    headers: Mapping[str, str] = field(default_factory=dict)
    state: SimpleNamespace = field(default_factory=SimpleNamespace)

    @property
    def usage(self) -> Usage:
        found = getattr(getattr(self.state, "request_metadata", None), "final_usage_info", None)
        return Usage() if found is None else Usage(found.prompt_tokens, found.completion_tokens or 0)


class OpenAIFront:
    """Chats and completions of one engine and its adapters. Belongs to the engine's event loop."""

    def __init__(
        self, models: OpenAIServingModels, chat: OpenAIServingChat, completion: OpenAIServingCompletion, *, knows_tools: bool = False
    ) -> None:
        self._knows_tools = knows_tools
        self._started_at = int(time.time())
        self._models = models
        self._chat = chat
        self._completion = completion

    @classmethod
    async def start(
        cls, engine: AsyncLLM, *, name: str, root: str, adapters: Mapping[str, str | Path] | None = None, tool_parser: str | None = None
    ) -> Self:
        """Load the adapters (PEFT folders by name) and return when they can answer.

        The model is asked for by `name` or by `root`, and listed under `name`. Raises ValueError for an adapter that cannot be loaded.
        """
        bases = [BaseModelPath(alias, root) for alias in dict.fromkeys((name, root))]
        loras = [LoRAModulePath(adapter, str(folder), base_model_name=name) for adapter, folder in (adapters or {}).items()]
        models = OpenAIServingModels(engine, bases, lora_modules=loras)
        await models.init_static_loras()
        tools: dict[str, Any] = {"enable_auto_tools": tool_parser is not None, "tool_parser": tool_parser}
        template: dict[str, Any] = {
            "chat_template": None,  # the checkpoint's
            "chat_template_content_format": "auto",
            "default_chat_template_kwargs": {"enable_thinking": False},
        }
        renderer = OnlineRenderer(engine.model_config, engine.renderer, request_logger=None, **template, **tools)
        await asyncio.to_thread(renderer.warmup)
        common: dict[str, Any] = {"online_renderer": renderer, "request_logger": None, "enable_prompt_tokens_details": True}
        chat = OpenAIServingChat(engine, models, "assistant", **common, **template, **tools)
        completion = OpenAIServingCompletion(engine, models, **common)
        return cls(models, chat, completion, knows_tools=tool_parser is not None)

    async def cards(self) -> list[ModelCard]:
        """The model first, then its adapters."""
        listed = await self._models.show_available_models()
        first, *others = listed.data
        aliases = {base.name for base in self._models.base_model_paths}
        return [_card(card, self._started_at) for card in (first, *(other for other in others if other.id not in aliases))]

    async def generate(self, kind: Kind, body: bytes) -> AsyncGenerator[str | Usage, None]:
        """The answer as it is sent: one JSON text, or with `stream` server-sent events as they come. Last, what it took.

        Closing the generator, or cancelling its task, aborts the request in the engine. Raises OpenAIRefusal, also in the middle of a
        stream.
        """
        asked = _Asked()
        request = self._parsed(kind, body)
        self._check_model(request.model)
        answer = await self._answer(request, asked)
        if isinstance(answer, AsyncGenerator):
            async with aclosing(answer) as pieces:
                async for piece in pieces:
                    if piece.startswith(_ERROR_CHUNK):
                        raise self._broken_off(ErrorResponse.model_validate_json(piece.removeprefix("data: ")))
                    yield piece
        else:
            yield answer.model_dump_json()
        yield asked.usage

    def _parsed(self, kind: Kind, body: bytes) -> Request:
        try:
            content = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise OpenAIRefusal(400, f"the body is not valid JSON: {error.msg}") from None
        check_ask(kind, content, knows_tools=self._knows_tools)
        model = ChatCompletionRequest if kind == "chat" else CompletionRequest
        try:
            return cast(Request, model.model_validate(content))
        except ValidationError as error:
            first = error.errors()[0]
            param = ".".join(str(part) for part in first["loc"] if isinstance(part, str) and part.isidentifier()) or None
            message = first["msg"].removeprefix("Value error, ")
            raise OpenAIRefusal(400, f"`{param}`: {message}" if param else message, param=param) from None
        except VLLMError as error:
            raise _refusal(create_error_response(error)) from None

    def _check_model(self, name: str | None) -> None:
        """Without a name the model itself answers. vLLM's own message would show its folder."""
        adapters = self._models.lora_requests
        if name and not self._models.is_base_model(name) and name not in adapters:
            known = ", ".join(f"`{known}`" for known in (self._models.model_name(), *adapters))
            raise OpenAIRefusal(404, f"no model `{name[:200]}` chats or completes here; there are {known}", param="model")

    def _broken_off(self, answer: ErrorResponse) -> OpenAIRefusal:
        """Why there is no answer, or no more of it. What vLLM says of an engine that died is for whoever reads its log."""
        return OpenAIRefusal(503, ENGINE_STOPPED) if self._models.engine_client.errored else _refusal(answer)

    async def _answer(self, request: Request, asked: _Asked) -> Any:  # noqa: ANN401 - vllm is untyped
        try:
            if isinstance(request, ChatCompletionRequest):
                answer = await self._chat.create_chat_completion(request, asked)
            else:
                answer = await self._completion.create_completion(request, asked)
        except (EngineDeadError, EngineGenerateError) as error:
            raise OpenAIRefusal(503, ENGINE_STOPPED) from error
        except _REFUSED as error:
            answer = create_error_response(error)
        if isinstance(answer, ErrorResponse):
            if (task := asyncio.current_task()) is not None and task.cancelling():  # vLLM's handlers make an answer of it
                raise asyncio.CancelledError
            raise self._broken_off(answer)
        return answer


def _refusal(answer: ErrorResponse) -> OpenAIRefusal:
    error = answer.error
    return OpenAIRefusal(error.code, _REPEATED_FIELDS.sub("", error.message), param=error.param)


def _card(card: Any, created: int) -> ModelCard:  # noqa: ANN401 - vllm is untyped
    return ModelCard(id=card.id, root=card.root or card.id, created=created, max_model_len=card.max_model_len, parent=card.parent)
