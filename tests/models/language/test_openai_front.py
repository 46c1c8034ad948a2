"""OpenAI's protocol on a real engine: chunks, usage, structure, refusals, an adapter written by hand, and a caller who leaves."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import pytest_asyncio
from safetensors.numpy import save_file

from models.language.environment import writer_environment
from models.language.openai_types import Kind, OpenAIRefusal, Usage
from models.language.writer import Writer

_MODEL = Path(__file__).parents[3] / "models" / "zoo" / "writer"
_MESSAGES = [{"role": "user", "content": "商品：保温杯\n资料：\n- 容量：500 ml\n问：容量多大"}]
_SCHEMA = {"type": "object", "properties": {"safe": {"type": "boolean"}}, "required": ["safe"], "additionalProperties": False}

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


def make_adapter(folder: Path, *, size: float, rank: int = 8) -> Path:
    """A LoRA adapter in PEFT's format over the queries and values of the shipped writer; `size` 0 changes nothing."""
    config = json.loads((_MODEL / "config.json").read_text(encoding="utf-8"))
    heads = {"q_proj": config["num_attention_heads"], "v_proj": config["num_key_value_heads"]}
    random = np.random.default_rng(0)
    tensors = {}
    for layer in range(config["num_hidden_layers"]):
        for name, count in heads.items():
            prefix = f"base_model.model.model.layers.{layer}.self_attn.{name}"
            tensors[f"{prefix}.lora_A.weight"] = random.normal(size=(rank, config["hidden_size"])).astype(np.float32)
            tensors[f"{prefix}.lora_B.weight"] = (size * random.normal(size=(count * config["head_dim"], rank))).astype(np.float32)
    folder.mkdir()
    save_file(tensors, folder / "adapter_model.safetensors")
    described = {"peft_type": "LORA", "r": rank, "lora_alpha": 16, "target_modules": list(heads), "bias": "none", "task_type": "CAUSAL_LM"}
    (folder / "adapter_config.json").write_text(json.dumps(described), encoding="utf-8")
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def writer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Writer]:
    folder = tmp_path_factory.mktemp("adapters")
    adapters = {"same": make_adapter(folder / "same", size=0.0), "other": make_adapter(folder / "other", size=0.5)}
    with pytest.MonkeyPatch.context() as patched:
        for name, value in writer_environment(_MODEL, threads=1).items():
            patched.setenv(name, value)
        started = await Writer.start(_MODEL, kv_cache_gib=0.125, adapters=adapters)
        yield started
        started.close()


async def asked(writer: Writer, kind: Kind = "chat", /, **body: object) -> tuple[str, Usage]:
    pieces = [piece async for piece in writer.openai.generate(kind, orjson.dumps(body))]
    assert isinstance(pieces[-1], Usage)
    return "".join(piece for piece in pieces if isinstance(piece, str)), pieces[-1]


async def chat(writer: Writer, **body: object) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((await asked(writer, **{"messages": _MESSAGES, "temperature": 0, **body}))[0])
    return answer


async def test_a_stream_begins_with_the_role_and_ends_with_usage(writer: Writer) -> None:
    text, usage = await asked(
        writer, messages=_MESSAGES, max_tokens=6, ignore_eos=True, stream=True, stream_options={"include_usage": True}, temperature=0
    )
    *events, end = text.removesuffix("\n\n").split("\n\n")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert end == "data: [DONE]"
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert chunks[-2]["choices"][0]["finish_reason"] == "length"
    assert chunks[-1]["choices"] == []
    assert (chunks[-1]["usage"]["prompt_tokens"], chunks[-1]["usage"]["completion_tokens"]) == (usage.prompt_tokens, 6)
    said = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks[:-1])
    assert said == (await chat(writer, max_tokens=6, ignore_eos=True))["choices"][0]["message"]["content"]


async def test_a_schema_is_kept(writer: Writer) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "safe", "schema": _SCHEMA}}
    answer = await chat(writer, max_tokens=40, response_format=form)
    assert set(json.loads(answer["choices"][0]["message"]["content"])) == {"safe"}
    chosen = await chat(writer, structured_outputs={"choice": ["yes", "no"]})
    assert chosen["choices"][0]["message"]["content"] in {"yes", "no"}


async def test_completions_take_texts_and_token_ids(writer: Writer) -> None:
    both, usage = await asked(writer, "completion", prompt=["ab", "cd"], max_tokens=2, ignore_eos=True, n=2, seed=3)
    assert len(json.loads(both)["choices"]) == 4
    assert usage.completion_tokens == 8
    echoed, _ = await asked(writer, "completion", prompt=[5, 6, 7], max_tokens=2, echo=True, logprobs=1)
    assert len(json.loads(echoed)["choices"][0]["logprobs"]["tokens"]) == 5


async def test_an_adapter_is_chosen_by_its_name(writer: Writer) -> None:
    plain, same, other = [await chat(writer, model=name, max_tokens=12) for name in ("writer", "same", "other")]
    assert [answer["model"] for answer in (plain, same, other)] == ["writer", "same", "other"]
    texts = [answer["choices"][0]["message"]["content"] for answer in (plain, same, other)]
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]
    assert [(card.id, card.parent) for card in await writer.openai.cards()] == [("writer", None), ("same", "writer"), ("other", "writer")]


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"model": "nobody"}, 404, "model"),
        ({"temperature": -1}, 400, "temperature"),
        ({"temperature": "hot"}, 400, "temperature"),
        ({"max_tokens": 5_000}, 400, "max_tokens"),
        ({"n": 1_000}, 400, "n"),
        ({"messages": []}, 400, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://localhost"}}]}]}, 400, "messages"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, 400, "tools"),
        ({"chat_template": "{{ messages }}"}, 400, "chat_template"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "?"}}}}, 400, "response_format"),
        ({"guided_json": _SCHEMA}, 400, "guided_json"),
        ({"kv_transfer_params": {"a": 1}}, 400, "kv_transfer_params"),
    ],
)
async def test_what_is_refused_names_the_field(writer: Writer, body: dict[str, object], status: int, param: str) -> None:
    with pytest.raises(OpenAIRefusal) as refused:
        await asked(writer, **{"messages": _MESSAGES, **body})
    assert (refused.value.status, refused.value.param) == (status, param)
    assert str(_MODEL) not in refused.value.message


async def test_a_prompt_beyond_the_context_is_told_apart(writer: Writer) -> None:
    with pytest.raises(OpenAIRefusal) as refused:
        await asked(writer, messages=[{"role": "user", "content": "one two three " * 2_000}])
    assert refused.value.is_too_long


async def test_a_caller_who_leaves_stops_the_engine(writer: Writer) -> None:
    body = orjson.dumps({"messages": _MESSAGES, "max_tokens": 900, "ignore_eos": True, "stream": True})
    pieces = writer.openai.generate("chat", body)
    for _ in range(4):
        await anext(pieces)
    reading = asyncio.ensure_future(anext(pieces))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])
    await pieces.aclose()
    await asyncio.sleep(0.5)
    made = writer.counters()["vllm:generation_tokens_total"]
    await asyncio.sleep(0.5)
    assert writer.counters()["vllm:generation_tokens_total"] == made
