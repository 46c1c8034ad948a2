"""The stock `tritonclient.http.aio`, unmodified, against a real server: one test a call, named after it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable

import ml_dtypes
import numpy as np
import pytest
from tritonclient.http import InferInput, InferRequestedOutput
from tritonclient.http.aio import InferenceServerClient
from tritonclient.http.auth import BasicAuth
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from deployments.ingress.oip.table import model_specs
from deployments.ingress.oip.tensors import Values
from models.recommend.features import FEATURE_NAMES

MODELS = tuple(model_specs(4))


@pytest.fixture
async def client(address: str) -> AsyncIterator[InferenceServerClient]:
    async with InferenceServerClient(address) as opened:
        yield opened


def given(name: str, values: Values, *, binary: bool = True) -> InferInput:
    tensor = InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype))
    return tensor.set_data_from_numpy(values, binary_data=binary)


def pictures(*frames: bytes) -> InferInput:
    return given("image", np.array(frames, dtype=np.object_))


async def status_of(call: Awaitable[object]) -> str:
    with pytest.raises(InferenceServerException) as raised:
        await call
    assert raised.value.message()
    return str(raised.value.status())


async def test_is_server_live(client: InferenceServerClient) -> None:
    assert await client.is_server_live()


async def test_is_server_ready(client: InferenceServerClient) -> None:
    assert await client.is_server_ready()


@pytest.mark.parametrize("model", MODELS)
async def test_is_model_ready(client: InferenceServerClient, model: str) -> None:
    assert await client.is_model_ready(model)
    assert await client.is_model_ready(model, "1")
    assert not await client.is_model_ready(model, "2")
    assert not await client.is_model_ready(f"{model}2")


async def test_get_server_metadata(client: InferenceServerClient) -> None:
    assert (await client.get_server_metadata())["name"] == "livecart"


@pytest.mark.parametrize("model", MODELS)
async def test_get_model_metadata(client: InferenceServerClient, model: str) -> None:
    found = await client.get_model_metadata(model)
    assert found == await client.get_model_metadata(model, "1")
    assert (found["name"], found["versions"]) == (model, ["1"])


async def test_get_model_metadata_of_no_model(client: InferenceServerClient) -> None:
    assert await status_of(client.get_model_metadata("writer")) == "404"


@pytest.mark.parametrize("model", MODELS)
async def test_get_model_config(client: InferenceServerClient, model: str) -> None:
    found = await client.get_model_config(model)
    assert found == await client.get_model_config(model, "1")
    assert found["name"] == model
    assert ("ensemble_scheduling" in found) == (model == "recognize")


async def test_get_model_repository_index(client: InferenceServerClient) -> None:
    assert [each["name"] for each in await client.get_model_repository_index()] == list(MODELS)


async def test_load_model(client: InferenceServerClient) -> None:
    await client.load_model("identity")
    assert await status_of(client.load_model("identity", config="{}")) == "400"
    assert await status_of(client.load_model("nothing")) == "404"


async def test_unload_model(client: InferenceServerClient) -> None:
    await client.unload_model("embedder")
    try:
        assert not await client.is_model_ready("embedder")
        assert await status_of(client.infer("embedder", [pictures(b"")])) == "404"
    finally:
        await client.load_model("embedder")
    assert await client.is_model_ready("embedder")


async def test_get_inference_statistics(client: InferenceServerClient) -> None:
    [before] = (await client.get_inference_statistics("identity"))["model_stats"]
    await client.infer("identity", [given("INPUT0", np.zeros(3))])
    [after] = (await client.get_inference_statistics("identity", "1"))["model_stats"]
    assert after["inference_count"] == before["inference_count"] + 3
    assert after["execution_count"] == before["execution_count"] + 1
    assert after["inference_stats"]["success"]["ns"] > before["inference_stats"]["success"]["ns"]
    assert after["last_inference"] >= before["last_inference"]


async def test_get_inference_statistics_of_all_models(client: InferenceServerClient) -> None:
    assert [each["name"] for each in (await client.get_inference_statistics())["model_stats"]] == list(MODELS)


async def test_infer_detector(client: InferenceServerClient, frame: bytes) -> None:
    result = await client.infer("detector", [pictures(frame)])
    assert (result.as_numpy("boxes").shape, result.as_numpy("count").tolist()) == ((1, 100, 4), [1])


async def test_infer_embedder(client: InferenceServerClient, frame: bytes) -> None:
    assert (await client.infer("embedder", [pictures(frame, frame)])).as_numpy("embedding").shape == (2, 4)


async def test_infer_retriever(client: InferenceServerClient) -> None:
    inputs = [given("embedding", np.eye(2, 4).astype(ml_dtypes.bfloat16)), given("k", np.array([1]))]
    result = await client.infer("retriever", inputs)
    assert result.as_numpy("ids").tolist() == [[b"P-1"], [b"P-1"]]


async def test_infer_ranker(client: InferenceServerClient) -> None:
    rows = given("features", np.zeros((2, len(FEATURE_NAMES)), dtype=np.float32))
    assert (await client.infer("ranker", [rows])).as_numpy("scores").shape == (2, 3)


async def test_infer_recognize(client: InferenceServerClient, frame: bytes) -> None:
    [answer] = (await client.infer("recognize", [pictures(frame)])).as_numpy("products").tolist()
    assert json.loads(answer)["products"][0]["matches"][0]["product_id"] == "P-1"


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint64, np.float16, ml_dtypes.bfloat16, np.float64])
async def test_infer_identity_binary(client: InferenceServerClient, dtype: type) -> None:
    values: Values = np.array([[0, 1], [1, 0]]).astype(dtype)
    np.testing.assert_array_equal((await client.infer("identity", [given("INPUT0", values)])).as_numpy("OUTPUT0"), values)


async def test_infer_identity_json(client: InferenceServerClient) -> None:
    values = np.array([0.1, -2.5], dtype=np.float32)
    wanted = [InferRequestedOutput("OUTPUT0", binary_data=False)]
    result = await client.infer("identity", [given("INPUT0", values, binary=False)], outputs=wanted)
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), values)


async def test_infer_outputs(client: InferenceServerClient, frame: bytes) -> None:
    wanted = [InferRequestedOutput("scores", binary_data=False), InferRequestedOutput("boxes")]
    result = await client.infer("detector", [pictures(frame)], outputs=wanted)
    assert (result.as_numpy("scores").shape, result.as_numpy("boxes").shape) == ((1, 100), (1, 100, 4))


async def test_infer_request_id(client: InferenceServerClient) -> None:
    assert (await client.infer("identity", [given("INPUT0", np.zeros(1))], request_id="a-7")).get_response()["id"] == "a-7"


async def test_infer_timeout(client: InferenceServerClient, frame: bytes) -> None:
    assert await status_of(client.infer("recognize", [pictures(frame)], timeout=1)) == "504"


@pytest.mark.parametrize("asked", [None, "gzip", "deflate"])
@pytest.mark.parametrize("sent", [None, "gzip", "deflate"])
async def test_infer_compression(client: InferenceServerClient, sent: str | None, asked: str | None) -> None:
    values = np.arange(10_000, dtype=np.float32)
    result = await client.infer(
        "identity", [given("INPUT0", values)], request_compression_algorithm=sent, response_compression_algorithm=asked
    )
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), values)


async def test_infer_at_once(client: InferenceServerClient) -> None:
    values = [np.full((50, 50), step, dtype=np.float32) for step in range(32)]
    results = await asyncio.gather(*(client.infer("identity", [given("INPUT0", each)], request_id=str(each[0, 0])) for each in values))
    for each, result in zip(values, results, strict=True):
        assert result.get_response()["id"] == str(each[0, 0])
        np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), each)


async def test_infer_of_no_model(client: InferenceServerClient) -> None:
    assert await status_of(client.infer("writer", [given("INPUT0", np.zeros(1))])) == "404"


async def test_register_plugin_sends_headers_of_its_own(client: InferenceServerClient) -> None:
    client.register_plugin(BasicAuth("anybody", "anything"))
    assert await client.is_server_live()
    assert (await client.get_server_metadata())["name"] == "livecart"


async def test_calls_of_extensions_that_are_not_advertised(client: InferenceServerClient) -> None:
    calls = (
        client.get_trace_settings(),
        client.update_trace_settings("identity", {"trace_level": ["TIMESTAMPS"]}),
        client.get_log_settings(),
        client.update_log_settings({"log_verbose_level": 1}),
        client.get_system_shared_memory_status(),
        client.register_system_shared_memory("region", "/key", 64),
        client.unregister_system_shared_memory("region"),
        client.get_cuda_shared_memory_status(),
        client.register_cuda_shared_memory("region", b"handle", 0, 64),
        client.unregister_cuda_shared_memory(),
    )
    assert [await status_of(call) for call in calls] == ["404"] * len(calls)
