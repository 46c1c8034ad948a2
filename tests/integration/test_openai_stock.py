"""What the stock `openai` package calls, unmodified, against the real stack: one test a call or parameter, named after it."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import openai
import pytest

from tests.integration.conftest import Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
CHAT: dict[str, Any] = {
    "model": "writer",
    "messages": [{"role": "user", "content": "商品：保温杯\n资料：\n- 容量：500 ml\n问：容量多大"}],
    "max_tokens": 12,
    "temperature": 0,
}
TEXT: dict[str, Any] = {"model": "writer", "prompt": "保温杯", "max_tokens": 6, "temperature": 0}
SCHEMA = {"type": "object", "properties": {"safe": {"type": "boolean"}}, "required": ["safe"], "additionalProperties": False}
NAMED = {"type": "json_schema", "json_schema": {"name": "safe", "schema": SCHEMA}}
TOOL = {"type": "function", "function": {"name": "price", "parameters": {"type": "object", "properties": {}}}}
CHAT_OPTIONS: dict[str, dict[str, Any]] = {
    "top_p": {"top_p": 0.5, "temperature": 1},
    "presence_penalty": {"presence_penalty": 0.5},
    "frequency_penalty": {"frequency_penalty": 0.5},
    "logit_bias": {"logit_bias": {"5": -100}},
    "user": {"user": "viewer-1"},
    "stop of a list": {"stop": ["。", "!"]},
    "max_completion_tokens": {"max_tokens": openai.omit, "max_completion_tokens": 8},
    "response_format text": {"response_format": {"type": "text"}},
    "metadata": {"metadata": {"a": "b"}},
    "store": {"store": False},
    "tool_choice none": {"tool_choice": "none"},
    "top_k of vLLM": {"extra_body": {"top_k": 5}},
    "min_p of vLLM": {"extra_body": {"min_p": 0.1}},
    "repetition_penalty of vLLM": {"extra_body": {"repetition_penalty": 1.1}},
    "unknown field": {"extra_body": {"fireworks": True}},
    "extra_headers": {"extra_headers": {"X-Request-Id": "stock-1"}},
    "timeout": {"timeout": 60},
}
CHAT_REFUSALS: dict[str, dict[str, Any]] = {
    "no messages": {"messages": []},
    "message without a role": {"messages": [{"content": "a"}]},
    "negative temperature": {"temperature": -1},
    "top_p above one": {"top_p": 2},
    "n of zero": {"n": 0},
    "n of a thousand": {"n": 1_000},
    "max_tokens below zero": {"max_tokens": -1},
    "top_logprobs without logprobs": {"top_logprobs": 2},
    "a picture": {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://127.0.0.1/a.png"}}]}]},
    "tools without a parser": {"tools": [TOOL]},
    "schema that is none": {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "fish"}}}},
    "stream of a text": {"extra_body": {"stream": "yes"}},
}


@pytest.fixture
def stock(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", timeout=120, max_retries=0) as client:
        yield client


@pytest.fixture
async def waiting(server: Server) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", timeout=120, max_retries=0) as client:
        yield client


def chat(stock: openai.OpenAI, **options: Any) -> Any:  # noqa: ANN401 - the package's own types
    return stock.chat.completions.create(**{**CHAT, **options})


def text(stock: openai.OpenAI, **options: Any) -> Any:  # noqa: ANN401 - the package's own types
    return stock.completions.create(**{**TEXT, **options})


# --- chat.completions ----------------------------------------------------------------------------------------------------


def test_chat_completions_create(stock: openai.OpenAI) -> None:
    reply = chat(stock)
    assert (reply.object, reply.model, reply.choices[0].index, reply.choices[0].message.role) == (
        "chat.completion",
        "writer",
        0,
        "assistant",
    )
    assert reply.id.startswith("chatcmpl-")
    assert reply.created > 0


@pytest.mark.parametrize("options", CHAT_OPTIONS.values(), ids=CHAT_OPTIONS.keys())
def test_chat_completions_create_with(stock: openai.OpenAI, options: dict[str, Any]) -> None:
    assert isinstance(chat(stock, **options).choices[0].message.content, str)


@pytest.mark.parametrize("options", CHAT_REFUSALS.values(), ids=CHAT_REFUSALS.keys())
def test_chat_completions_create_refuses(stock: openai.OpenAI, options: dict[str, Any]) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        chat(stock, **options)
    assert refused.value.type == "invalid_request_error"
    assert refused.value.code


def test_chat_completions_create_usage(stock: openai.OpenAI) -> None:
    usage = chat(stock).usage
    assert usage.prompt_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_chat_completions_create_max_tokens(stock: openai.OpenAI) -> None:
    reply = chat(stock, max_tokens=2, extra_body={"ignore_eos": True})
    assert (reply.choices[0].finish_reason, reply.usage.completion_tokens) == ("length", 2)


def test_chat_completions_create_n(stock: openai.OpenAI) -> None:
    assert [choice.index for choice in chat(stock, n=3, temperature=1).choices] == [0, 1, 2]


def test_chat_completions_create_stop(stock: openai.OpenAI) -> None:
    assert "500" not in str(chat(stock, stop="500", max_tokens=30).choices[0].message.content)


def test_chat_completions_create_seed(stock: openai.OpenAI) -> None:
    first, second = (chat(stock, seed=7, temperature=1).choices[0].message.content for _ in range(2))
    assert first == second


def test_chat_completions_create_logprobs(stock: openai.OpenAI) -> None:
    found = chat(stock, logprobs=True, top_logprobs=2).choices[0].logprobs.content
    assert all(token.logprob <= 0 and len(token.top_logprobs) == 2 for token in found)


def test_chat_completions_create_response_format_json_schema(stock: openai.OpenAI) -> None:
    assert isinstance(json.loads(chat(stock, response_format=NAMED, max_tokens=40).choices[0].message.content)["safe"], bool)


def test_chat_completions_create_system_and_assistant_messages(stock: openai.OpenAI) -> None:
    messages = [{"role": "system", "content": "简短"}, *CHAT["messages"], {"role": "assistant", "content": "500"}, *CHAT["messages"]]
    assert chat(stock, messages=messages).choices


def test_chat_completions_create_text_parts(stock: openai.OpenAI) -> None:
    parts = [{"type": "text", "text": CHAT["messages"][0]["content"]}]
    assert chat(stock, messages=[{"role": "user", "content": parts}]).choices[0].message.content == chat(stock).choices[0].message.content


def test_chat_completions_create_stream(stock: openai.OpenAI) -> None:
    chunks = list(chat(stock, stream=True))
    assert chunks[0].object == "chat.completion.chunk"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks][-1] in ("stop", "length")
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == chat(stock).choices[0].message.content


def test_chat_completions_create_stream_options_include_usage(stock: openai.OpenAI) -> None:
    *_, last = chat(stock, stream=True, stream_options={"include_usage": True})
    assert (last.choices, last.usage.total_tokens) == ([], chat(stock).usage.total_tokens)


def test_chat_completions_create_stream_without_usage(stock: openai.OpenAI) -> None:
    assert all(chunk.usage is None for chunk in chat(stock, stream=True))


def test_chat_completions_create_stream_n(stock: openai.OpenAI) -> None:
    assert {choice.index for chunk in chat(stock, stream=True, n=2, temperature=1) for choice in chunk.choices} == {0, 1}


def test_chat_completions_create_stream_logprobs(stock: openai.OpenAI) -> None:
    assert any(choice.logprobs for chunk in chat(stock, stream=True, logprobs=True) for choice in chunk.choices)


def test_chat_completions_create_stream_close(stock: openai.OpenAI) -> None:
    stream = chat(stock, stream=True, max_tokens=400, extra_body={"ignore_eos": True})
    next(stream)
    stream.close()
    assert chat(stock).choices


def test_chat_completions_stream_helper(stock: openai.OpenAI) -> None:
    with stock.chat.completions.stream(**CHAT) as stream:
        done = stream.get_final_completion()
    assert done.choices[0].message.content == chat(stock).choices[0].message.content


def test_chat_completions_with_raw_response(stock: openai.OpenAI) -> None:
    raw = stock.chat.completions.with_raw_response.create(**CHAT, extra_headers={"X-Request-Id": "stock-2"})
    assert raw.headers["x-request-id"] == "stock-2"
    assert raw.parse().choices


def test_chat_completions_with_streaming_response(stock: openai.OpenAI) -> None:
    with stock.chat.completions.with_streaming_response.create(**CHAT) as response:
        assert json.loads(response.read())["choices"]


# --- completions ---------------------------------------------------------------------------------------------------------


def test_completions_create(stock: openai.OpenAI) -> None:
    reply = text(stock)
    assert (reply.object, reply.choices[0].index) == ("text_completion", 0)


def test_completions_create_prompts(stock: openai.OpenAI) -> None:
    assert len(text(stock, prompt=["a", "b", "c"]).choices) == 3


def test_completions_create_token_ids(stock: openai.OpenAI) -> None:
    assert text(stock, prompt=[5, 6, 7]).usage.prompt_tokens == 3


def test_completions_create_echo(stock: openai.OpenAI) -> None:
    assert text(stock, echo=True).choices[0].text.startswith(TEXT["prompt"])


def test_completions_create_logprobs(stock: openai.OpenAI) -> None:
    assert len(text(stock, logprobs=1).choices[0].logprobs.tokens) == text(stock).usage.completion_tokens


def test_completions_create_n(stock: openai.OpenAI) -> None:
    assert len(text(stock, n=2, temperature=1).choices) == 2


def test_completions_create_seed(stock: openai.OpenAI) -> None:
    assert text(stock, seed=3, temperature=1).choices[0].text == text(stock, seed=3, temperature=1).choices[0].text


def test_completions_create_stop(stock: openai.OpenAI) -> None:
    whole = text(stock, max_tokens=20).choices[0].text
    assert len(whole) > 1
    assert whole[1] not in text(stock, stop=whole[1], max_tokens=20).choices[0].text


def test_completions_create_stream(stock: openai.OpenAI) -> None:
    assert "".join(chunk.choices[0].text for chunk in text(stock, stream=True)) == text(stock).choices[0].text


def test_completions_create_stream_usage(stock: openai.OpenAI) -> None:
    *_, last = text(stock, stream=True, stream_options={"include_usage": True})
    assert last.usage.total_tokens > 0


# --- embeddings, models --------------------------------------------------------------------------------------------------


def test_embeddings_create(stock: openai.OpenAI) -> None:
    (row,) = stock.embeddings.create(model="text_embedder", input="保温杯").data
    assert sum(value * value for value in row.embedding) == pytest.approx(1, abs=1e-3)


def test_embeddings_create_encoding_format_float(stock: openai.OpenAI) -> None:
    as_float, as_base64 = (
        stock.embeddings.create(model="text_embedder", input="保温杯", encoding_format=form).data[0].embedding
        for form in ("float", "base64")
    )
    assert isinstance(as_base64, str)
    assert isinstance(as_float[0], float)


def test_embeddings_create_many(stock: openai.OpenAI) -> None:
    reply = stock.embeddings.create(model="text_embedder", input=["a", "b", "c"])
    assert [row.index for row in reply.data] == [0, 1, 2]
    assert reply.usage.prompt_tokens == 3


def test_embeddings_create_other_dimensions(stock: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        stock.embeddings.create(model="text_embedder", input="a", dimensions=7)
    assert refused.value.param == "dimensions"


@pytest.mark.parametrize("given", ["", []], ids=["empty text", "no texts"])
def test_embeddings_create_refuses(stock: openai.OpenAI, given: str | list[str]) -> None:
    with pytest.raises(openai.BadRequestError):
        stock.embeddings.create(model="text_embedder", input=given)


def test_embeddings_create_by_the_writer(stock: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        stock.embeddings.create(model="writer", input="a")


def test_models_list(stock: openai.OpenAI) -> None:
    assert {"writer", "text_embedder"} <= {model.id for model in stock.models.list()}


def test_models_retrieve(stock: openai.OpenAI) -> None:
    assert stock.models.retrieve("writer").object == "model"


def test_models_retrieve_unknown(stock: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        stock.models.retrieve("gpt-0")
    assert unknown.value.code == "model_not_found"


# --- errors, deadlines, the asynchronous client --------------------------------------------------------------------------

UNKNOWN: dict[str, Callable[[openai.OpenAI], object]] = {
    "chat": lambda stock: chat(stock, model="gpt-0"),
    "completions": lambda stock: text(stock, model="gpt-0"),
    "embeddings": lambda stock: stock.embeddings.create(model="gpt-0", input="a"),
    "stream": lambda stock: chat(stock, model="gpt-0", stream=True),
}


@pytest.mark.parametrize("call", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_not_found_error(stock: openai.OpenAI, call: Callable[[openai.OpenAI], object]) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        call(stock)
    assert (unknown.value.code, unknown.value.status_code) == ("model_not_found", 404)


@pytest.mark.parametrize("stream", [False, True])
def test_bad_request_error_of_a_long_prompt(stock: openai.OpenAI, *, stream: bool) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        chat(stock, messages=[{"role": "user", "content": "one two three " * 2_000}], stream=stream)
    assert refused.value.code == "context_length_exceeded"


def test_internal_server_error_of_a_spent_deadline(stock: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError) as late:
        chat(stock, max_tokens=800, extra_body={"ignore_eos": True}, extra_headers={"X-Deadline-Ms": "50"})
    assert (late.value.code, late.value.status_code) == ("deadline_exceeded", 504)


def test_api_timeout_error(stock: openai.OpenAI) -> None:
    with pytest.raises(openai.APITimeoutError):
        chat(stock, max_tokens=800, extra_body={"ignore_eos": True}, timeout=0.05)


async def test_async_chat_completions_create(waiting: openai.AsyncOpenAI) -> None:
    assert (await waiting.chat.completions.create(**CHAT)).choices


async def test_async_chat_completions_create_stream(waiting: openai.AsyncOpenAI) -> None:
    assert [chunk async for chunk in await waiting.chat.completions.create(**{**CHAT, "stream": True})]


async def test_async_completions_create(waiting: openai.AsyncOpenAI) -> None:
    assert (await waiting.completions.create(**TEXT)).choices


async def test_async_embeddings_create(waiting: openai.AsyncOpenAI) -> None:
    assert (await waiting.embeddings.create(model="text_embedder", input="a")).data


async def test_async_models_list(waiting: openai.AsyncOpenAI) -> None:
    assert [model.id async for model in waiting.models.list()]
