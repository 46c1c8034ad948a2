"""The language model behind answers and scripts: a vLLM engine with one verb, `write`."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from jsonschema import SchemaError  # type: ignore[import-untyped]  # its stubs are a package of their own
from jsonschema.validators import validator_for  # type: ignore[import-untyped]
from vllm import SamplingParams
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.exceptions import VLLMClientError
from vllm.outputs import RequestOutput
from vllm.platforms import current_platform
from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams
from vllm.v1.engine.async_llm import AsyncLLM
from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

from models.language.engine_metrics import engine_counters, engine_metrics_text
from models.language.openai_front import ENGINE_STOPPED, OpenAIFront
from models.prompts import without_markers
from models.types import ModelInputError, ModelStoppedError, Prompt, TextDelta

_GUARDED = "models.language.engine_guard."
_GIB = 1 << 30
_LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # that vLLM has kernels for
_ENGINE: Mapping[str, object] = {
    "enable_prefix_caching": True,
    # a small model would fill free whitespace until its tokens are spent
    "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
}
_SHUTDOWN_S = 2.0  # then the engine process is killed: it holds nothing that has to be saved


class Writer:
    """Writes text for prompts, many at a time. All methods belong to one event loop; `start` makes the engine there."""

    def __init__(self, engine: AsyncLLM, openai: OpenAIFront, *, max_model_len: int) -> None:
        self.openai = openai
        self._engine = engine
        self._tokenizer = engine.renderer.tokenizer
        self.max_model_len = max_model_len  # tokens of prompt and text together
        self._writing = 0

    @classmethod
    async def start(  # noqa: PLR0913 - each is a setting of the deployment
        cls,
        model: str | Path,
        *,
        max_model_len: int = 1024,
        kv_cache_gib: float = 0.25,
        gpu_memory_utilization: float = 0.9,
        tensor_parallel_size: int = 1,
        enforce_eager: bool = True,
        max_num_seqs: int = 64,
        engine_args: Mapping[str, Any] | None = None,
        name: str = "writer",
        adapters: Mapping[str, str | Path] | None = None,
        tool_parser: str | None = None,
    ) -> Self:
        """Load the checkpoint (a local folder or a hub id) and return when the engine can answer.

        `name` is the model's in OpenAI's protocol and in vLLM's metrics; `adapters` (LoRA in PEFT's format, a folder each) and
        `tool_parser` (one of vLLM's) are for callers in that protocol.
        `kv_cache_gib` holds on a CPU, where fractions are fine as long as VLLM_CPU_KVCACHE_SPACE is unset; a GPU goes by
        `gpu_memory_utilization`. `engine_args` are further fields of vLLM's AsyncEngineArgs and win over the ones here.
        """
        options: dict[str, Any] = {
            "model": str(model),
            "served_model_name": name,
            "max_model_len": max_model_len,
            "max_num_seqs": max_num_seqs,
            "kv_cache_memory_bytes": int(kv_cache_gib * _GIB) if current_platform.is_cpu() else None,
            "gpu_memory_utilization": gpu_memory_utilization,
            "enforce_eager": enforce_eager,
            **_ENGINE,
            **_parallel_options(tensor_parallel_size),
            **_lora_options(adapters or {}),
            **(engine_args or {}),
        }
        arguments = AsyncEngineArgs(**options)
        engine = await asyncio.to_thread(AsyncLLM.from_engine_args, arguments)
        front = await OpenAIFront.start(engine, name=name, root=str(model), adapters=adapters, tool_parser=tool_parser)
        return cls(engine, front, max_model_len=engine.model_config.max_model_len)

    async def write(self, prompt: Prompt, *, request_id: str | None = None) -> AsyncGenerator[TextDelta, None]:
        """Stream the text for `prompt`; the last delta has a `finish_reason`. Closing the stream early aborts it in the engine.

        Raises ModelInputError when the prompt does not fit the context or its schema cannot be enforced, ModelStoppedError when the
        engine is gone, also in the middle.
        """
        token_ids = self.render(prompt)
        params = self._sampling(prompt, room=self.max_model_len - len(token_ids))
        outputs = self._engine.generate({"prompt_token_ids": token_ids}, params, request_id or uuid.uuid4().hex)
        self._writing += 1
        try:
            async with contextlib.aclosing(outputs):
                async for output in outputs:
                    yield _delta(output, len(token_ids))
        except VLLMClientError as error:
            raise ModelInputError(f"the engine refused the prompt: {error}") from error
        except (EngineDeadError, EngineGenerateError) as error:
            raise ModelStoppedError(ENGINE_STOPPED) from error
        finally:
            self._writing -= 1

    def render(self, prompt: Prompt) -> Sequence[int]:
        """Token ids of the prompt in the checkpoint's chat template, thinking off; markers of chat formats are taken out of its texts."""
        messages = [{"role": role, "content": without_markers(text)} for role, text in prompt.messages]
        rendered = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, enable_thinking=False)
        token_ids: list[int] = self._tokenizer.encode(rendered, add_special_tokens=False)
        if len(token_ids) >= self.max_model_len:
            raise ModelInputError(
                f"the prompt has {len(token_ids)} tokens and the model's context holds {self.max_model_len}: shorten it", kind="too_large"
            )
        return token_ids

    def counters(self) -> dict[str, float]:
        """vLLM's counters and gauges by name, such as `vllm:generation_tokens_total`, summed over labels, and `writing`: open streams."""
        return {**engine_counters(), "writing": float(self._writing)}

    def metrics_text(self) -> str:
        """vLLM's metrics in Prometheus' text format."""
        return engine_metrics_text()

    async def check_health(self) -> None:
        """Raises ModelStoppedError when the engine process is gone."""
        if self._engine.errored:
            raise ModelStoppedError(ENGINE_STOPPED)

    def close(self) -> None:
        """Stop the engine process; open streams end with an error."""
        self._engine.shutdown(timeout=_SHUTDOWN_S)

    def _sampling(self, prompt: Prompt, *, room: int) -> SamplingParams:
        schema = prompt.json_schema
        return SamplingParams(
            max_tokens=max(1, min(prompt.max_tokens, room)),
            temperature=prompt.temperature,
            top_p=prompt.top_p,
            stop=list(prompt.stop) or None,
            seed=prompt.seed,
            structured_outputs=StructuredOutputsParams(json=_checked(schema)) if schema is not None else None,
            output_kind=RequestOutputKind.DELTA,
        )


def _parallel_options(size: int) -> dict[str, Any]:
    """Engine options for so many GPUs, with executors that end with their replica."""
    executor = "GuardedMultiprocExecutor" if size > 1 else "GuardedUniProcExecutor"
    return {"tensor_parallel_size": size, "distributed_executor_backend": _GUARDED + executor}


def _lora_options(adapters: Mapping[str, str | Path]) -> dict[str, Any]:
    """Engine options that fit the adapters: how many there are, and the largest rank that one of them has."""
    if not adapters:
        return {}
    ranks = [json.loads((Path(folder) / "adapter_config.json").read_text(encoding="utf-8"))["r"] for folder in adapters.values()]
    rank = next((size for size in _LORA_RANKS if size >= max(ranks)), max(ranks))
    return {"enable_lora": True, "max_loras": len(adapters), "max_cpu_loras": len(adapters), "max_lora_rank": rank}


def _checked(schema: str) -> str:
    try:
        content = json.loads(schema)
        validator_for(content).check_schema(content)
    except (json.JSONDecodeError, SchemaError) as error:
        raise ModelInputError(f"json_schema is not a JSON schema: {error}") from error
    return schema


def _delta(output: RequestOutput, prompt_token_count: int) -> TextDelta:
    completion = output.outputs[0]
    return TextDelta(completion.text, len(completion.token_ids), _finish_reason(completion.finish_reason), prompt_token_count)


def _finish_reason(reason: str | None) -> Literal["stop", "length", "abort"] | None:
    match reason:
        case None | "stop" | "length" | "abort":
            return reason
    return "abort"
