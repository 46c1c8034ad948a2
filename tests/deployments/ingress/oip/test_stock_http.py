"""The stock `tritonclient.http`, unmodified, against a real server: one test a call, named after it."""

import json
from collections.abc import Callable, Iterator

import ml_dtypes
import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput, InferResult
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from deployments.ingress.oip.table import model_specs
from deployments.ingress.oip.tensors import DTYPES, Values
from models.recommend.features import FEATURE_NAMES

MODELS = tuple(model_specs(4))


@pytest.fixture
def client(address: str) -> Iterator[InferenceServerClient]:
    with InferenceServerClient(address) as opened:
        yield opened


def given(name: str, values: Values, *, binary: bool = True) -> InferInput:
    tensor = InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype))
    return tensor.set_data_from_numpy(values, binary_data=binary)


def pictures(*frames: bytes) -> InferInput:
    return given("image", np.array(frames, dtype=np.object_))


def status_of(call: Callable[[], object]) -> str:
    with pytest.raises(InferenceServerException) as raised:
        call()
    assert raised.value.message()
    return str(raised.value.status())


def test_is_server_live(client: InferenceServerClient) -> None:
    assert client.is_server_live()


def test_is_server_ready(client: InferenceServerClient) -> None:
    assert client.is_server_ready()


@pytest.mark.parametrize("model", MODELS)
def test_is_model_ready(client: InferenceServerClient, model: str) -> None:
    assert client.is_model_ready(model)
    assert client.is_model_ready(model, "1")
    assert not client.is_model_ready(model, "2")


def test_is_model_ready_of_no_model(client: InferenceServerClient) -> None:
    assert not client.is_model_ready("no such/model")


def test_get_server_metadata(client: InferenceServerClient) -> None:
    found = client.get_server_metadata()
    assert found["name"] == "livecart"
    assert "binary_tensor_data" in found["extensions"]
    assert "system_shared_memory" not in found["extensions"]


@pytest.mark.parametrize("model", MODELS)
def test_get_model_metadata(client: InferenceServerClient, model: str) -> None:
    found = client.get_model_metadata(model)
    assert found == client.get_model_metadata(model, "1")
    assert (found["name"], found["versions"]) == (model, ["1"])
    assert all(each.keys() == {"name", "datatype", "shape"} for each in found["inputs"] + found["outputs"])


def test_get_model_metadata_of_no_model(client: InferenceServerClient) -> None:
    assert status_of(lambda: client.get_model_metadata("writer")) == "404"
    assert status_of(lambda: client.get_model_metadata("detector", "7")) == "404"


@pytest.mark.parametrize("model", MODELS)
def test_get_model_config(client: InferenceServerClient, model: str) -> None:
    metadata, found = client.get_model_metadata(model), client.get_model_config(model)
    assert found == client.get_model_config(model, "1")
    batch = [-1] if found["max_batch_size"] > 0 else []
    for kind in ("input", "output"):
        names = {"BYTES": "TYPE_STRING"}
        expected = [(each["name"], names.get(each["datatype"], f"TYPE_{each['datatype']}"), each["shape"]) for each in metadata[f"{kind}s"]]
        assert [(each["name"], each["data_type"], batch + each["dims"]) for each in found[kind]] == expected


def test_get_model_config_tells_the_detectors_categories(client: InferenceServerClient) -> None:
    parameters = client.get_model_config("detector")["parameters"]
    assert json.loads(parameters["categories"]["string_value"]) == ["product"]


def test_get_model_repository_index(client: InferenceServerClient) -> None:
    found = client.get_model_repository_index()
    assert [(each["name"], each["version"], each["state"]) for each in found] == [(name, "1", "READY") for name in MODELS]


def test_load_model(client: InferenceServerClient) -> None:
    client.load_model("ranker")
    assert client.is_model_ready("ranker")


def test_load_model_with_a_config_or_files(client: InferenceServerClient) -> None:
    assert status_of(lambda: client.load_model("ranker", config="{}")) == "400"
    assert status_of(lambda: client.load_model("nothing")) == "404"


def test_unload_model(client: InferenceServerClient) -> None:
    client.unload_model("ranker")
    try:
        assert not client.is_model_ready("ranker")
        assert status_of(lambda: client.get_model_metadata("ranker")) == "404"
        features = np.zeros((1, len(FEATURE_NAMES)), dtype=np.float32)
        assert status_of(lambda: client.infer("ranker", [given("features", features)])) == "404"
        [found] = [each for each in client.get_model_repository_index() if each["name"] == "ranker"]
        assert (found["state"], found["reason"]) == ("UNAVAILABLE", "unloaded")
    finally:
        client.load_model("ranker")
    assert client.is_model_ready("ranker")


def test_unload_model_with_dependents(client: InferenceServerClient) -> None:
    client.unload_model("recognize", unload_dependents=True)
    try:
        assert [client.is_model_ready(model) for model in ("recognize", "detector", "retriever")] == [False] * 3
    finally:
        for model in ("recognize", "detector", "retriever"):
            client.load_model(model)


def test_get_inference_statistics(client: InferenceServerClient) -> None:
    def counted(key: str) -> tuple[int, int]:
        [found] = client.get_inference_statistics("embedder")["model_stats"]
        return found["inference_count"], found["inference_stats"][key]["count"]

    (rows, succeeded), (_, failed) = counted("success"), counted("fail")
    with pytest.raises(InferenceServerException):
        client.infer("embedder", [pictures(b"no picture")])
    client.infer("embedder", [given("image", np.zeros(0, dtype=np.object_))])
    assert counted("success") == (rows, succeeded + 1)
    assert counted("fail") == (rows, failed + 1)


def test_get_inference_statistics_of_all_models(client: InferenceServerClient) -> None:
    found = client.get_inference_statistics()["model_stats"]
    assert [each["name"] for each in found] == list(MODELS)
    assert client.get_inference_statistics("identity", "1")["model_stats"][0]["version"] == "1"


def test_infer_detector(client: InferenceServerClient, frame: bytes) -> None:
    result = client.infer("detector", [pictures(frame, frame)])
    shapes = {name: result.as_numpy(name).shape for name in ("boxes", "scores", "categories", "count")}
    assert shapes == {"boxes": (2, 100, 4), "scores": (2, 100), "categories": (2, 100), "count": (2,)}
    assert result.as_numpy("count").tolist() == [1, 1]
    assert result.as_numpy("boxes")[1, 0].tolist() == [0, 0, 320, 240]
    assert (result.as_numpy("categories").dtype, result.as_numpy("boxes").dtype) == (np.int64, np.float32)


def test_infer_embedder(client: InferenceServerClient, frame: bytes) -> None:
    assert client.infer("embedder", [pictures(frame)]).as_numpy("embedding").tolist() == [[1, 0, 0, 0]]


def test_infer_retriever(client: InferenceServerClient) -> None:
    vectors = np.array([[2, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1]], dtype=np.float32)
    result = client.infer("retriever", [given("embedding", vectors), given("k", np.array([2]))])
    assert result.as_numpy("ids").tolist() == [[b"P-1", b""]] * 3
    np.testing.assert_allclose(result.as_numpy("similarities"), [[0.9, -1]] * 3)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, ml_dtypes.bfloat16])
def test_infer_ranker(client: InferenceServerClient, dtype: type) -> None:
    rows = given("features", np.zeros((5, len(FEATURE_NAMES)), dtype=dtype))
    assert client.infer("ranker", [rows]).as_numpy("scores").shape == (5, 3)


def test_infer_recognize(client: InferenceServerClient, frame: bytes) -> None:
    result = client.infer("recognize", [pictures(frame)])
    [answer] = result.as_numpy("products").tolist()
    [product] = json.loads(answer)["products"]
    assert [match["product_id"] for match in product["matches"]] == ["P-1"]
    in_room = client.infer("recognize", [pictures(frame)], parameters={"room_id": "R-1", "top_k": 1})
    assert in_room.as_numpy("products").shape == (1,)
    assert status_of(lambda: client.infer("recognize", [pictures(frame)], parameters={"room_id": "R-9"})) == "404"
    assert status_of(lambda: client.infer("recognize", [pictures(frame)], parameters={"top_k": 0})) == "400"


@pytest.mark.parametrize("datatype", [name for name in DTYPES if name != "BYTES"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (2, 0, 3)])
def test_infer_identity_binary(client: InferenceServerClient, datatype: str, shape: tuple[int, ...]) -> None:
    values = (np.arange(int(np.prod(shape))) % 2).astype(DTYPES[datatype]).reshape(shape)
    result = client.infer("identity", [given("INPUT0", values)])
    assert result.get_output("OUTPUT0")["datatype"] == datatype
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), values)


@pytest.mark.parametrize("datatype", [name for name in DTYPES if name not in ("BYTES", "BF16")])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (0,)])
def test_infer_identity_json(client: InferenceServerClient, datatype: str, shape: tuple[int, ...]) -> None:
    values = (np.arange(int(np.prod(shape))) % 2).astype(DTYPES[datatype]).reshape(shape)
    wanted = InferRequestedOutput("OUTPUT0", binary_data=False)
    result = client.infer("identity", [given("INPUT0", values, binary=False)], outputs=[wanted])
    assert "data" in result.get_output("OUTPUT0")
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), values)


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_infer_identity_bytes(client: InferenceServerClient, *, binary_in: bool, binary_out: bool) -> None:
    values = np.array([["保温杯".encode(), b""], [b"a\x00b", b"x" * 5_000]], dtype=np.object_)
    wanted = InferRequestedOutput("OUTPUT0", binary_data=binary_out)
    result = client.infer("identity", [given("INPUT0", values, binary=binary_in)], outputs=[wanted])
    found = [each if isinstance(each, bytes) else each.encode() for each in result.as_numpy("OUTPUT0").reshape(-1)]
    assert found == values.reshape(-1).tolist()


def test_infer_with_numbers_that_json_cannot_carry(client: InferenceServerClient) -> None:
    values = np.array([np.nan, np.inf, -np.inf], dtype=np.float32)
    np.testing.assert_array_equal(client.infer("identity", [given("INPUT0", values)]).as_numpy("OUTPUT0"), values)
    as_json = [InferRequestedOutput("OUTPUT0", binary_data=False)]
    assert status_of(lambda: client.infer("identity", [given("INPUT0", values)], outputs=as_json)) == "400"
    assert status_of(lambda: client.infer("identity", [given("INPUT0", np.array([b"\xff"], dtype=np.object_))], outputs=as_json)) == "400"


def test_infer_outputs(client: InferenceServerClient, frame: bytes) -> None:
    wanted = [InferRequestedOutput("count", binary_data=False), InferRequestedOutput("scores", binary_data=True)]
    result = client.infer("detector", [pictures(frame)], outputs=wanted)
    assert [each["name"] for each in result.get_response()["outputs"]] == ["count", "scores"]
    assert (result.as_numpy("count").tolist(), result.as_numpy("scores").shape) == ([1], (1, 100))
    assert result.as_numpy("boxes") is None
    assert status_of(lambda: client.infer("detector", [pictures(frame)], outputs=[InferRequestedOutput("masks")])) == "400"


def test_infer_class_count(client: InferenceServerClient) -> None:
    values = given("INPUT0", np.zeros(3, dtype=np.float32))
    assert status_of(lambda: client.infer("identity", [values], outputs=[InferRequestedOutput("OUTPUT0", class_count=1)])) == "400"


def test_infer_request_id(client: InferenceServerClient) -> None:
    values = given("INPUT0", np.zeros(3, dtype=np.float32))
    assert client.infer("identity", [values], request_id="请求-7").get_response()["id"] == "请求-7"
    assert "id" not in client.infer("identity", [values]).get_response()


def test_infer_model_version(client: InferenceServerClient) -> None:
    values = given("INPUT0", np.zeros(3, dtype=np.float32))
    assert client.infer("identity", [values], model_version="1").get_response()["model_version"] == "1"
    assert status_of(lambda: client.infer("identity", [values], model_version="2")) == "404"


def test_infer_timeout(client: InferenceServerClient, frame: bytes) -> None:
    assert status_of(lambda: client.infer("recognize", [pictures(frame)], timeout=1)) == "504"
    assert client.infer("recognize", [pictures(frame)], timeout=30_000_000).as_numpy("products").shape == (1,)
    assert client.infer("recognize", [pictures(frame)], timeout=0).as_numpy("products").shape == (1,)


def test_infer_sequence_and_priority_of_no_meaning_here(client: InferenceServerClient) -> None:
    values = given("INPUT0", np.zeros(3, dtype=np.float32))
    result = client.infer("identity", [values], sequence_id=7, sequence_start=True, priority=1, parameters={"mine": "x"})
    assert result.as_numpy("OUTPUT0").shape == (3,)


@pytest.mark.parametrize("asked", [None, "gzip", "deflate"])
@pytest.mark.parametrize("sent", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False])
def test_infer_compression(client: InferenceServerClient, sent: str | None, asked: str | None, *, binary: bool) -> None:
    values = np.arange(10_000, dtype=np.float32).reshape(100, 100)
    result = client.infer(
        "identity",
        [given("INPUT0", values, binary=binary)],
        outputs=[InferRequestedOutput("OUTPUT0", binary_data=binary)],
        request_compression_algorithm=sent,
        response_compression_algorithm=asked,
    )
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), values)


def test_infer_with_wrong_inputs(client: InferenceServerClient, frame: bytes) -> None:
    features = np.zeros((2, len(FEATURE_NAMES)), dtype=np.float32)
    k = given("k", np.array([1]))
    wrong: dict[str, tuple[str, list[InferInput]]] = {
        "an unknown input": ("ranker", [given("feature", features)]),
        "another width": ("ranker", [given("features", features[:, 1:])]),
        "another rank": ("ranker", [given("features", features[0])]),
        "another datatype": ("ranker", [given("features", features.astype(np.float64))]),
        "not a number": ("ranker", [given("features", np.full_like(features, np.nan))]),
        "too many rows": ("ranker", [given("features", np.zeros((9_000, len(FEATURE_NAMES)), dtype=np.float32))]),
        "no picture": ("detector", [pictures(b"nothing")]),
        "half a picture": ("detector", [pictures(frame, frame[:2_000])]),
        "an empty picture": ("embedder", [pictures(b"")]),
        "two pictures": ("recognize", [pictures(frame, frame)]),
        "too many pictures": ("detector", [pictures(*[b""] * 33)]),
        "a missing input": ("retriever", [k]),
        "zeros": ("retriever", [given("embedding", np.zeros((1, 4), dtype=np.float32)), k]),
        "infinity": ("retriever", [given("embedding", np.full((1, 4), np.inf, dtype=np.float32)), k]),
        "no neighbours": ("retriever", [given("embedding", np.ones((1, 4), dtype=np.float32)), given("k", np.array([0]))]),
        "many neighbours": ("retriever", [given("embedding", np.ones((1, 4), dtype=np.float32)), given("k", np.array([2**62]))]),
        "twice the same": ("ranker", [given("features", features)] * 2),
    }
    found = {what: status_of(lambda model=model, inputs=inputs: client.infer(model, inputs)) for what, (model, inputs) in wrong.items()}  # type: ignore[misc]
    assert found == {what: "415" if what == "no picture" else "400" for what in wrong}


def test_infer_of_no_model(client: InferenceServerClient) -> None:
    assert status_of(lambda: client.infer("writer", [given("INPUT0", np.zeros(1))])) == "404"


def test_infer_from_shared_memory(client: InferenceServerClient) -> None:
    tensor = InferInput("INPUT0", [2], "FP32")
    tensor.set_shared_memory("region", 8)
    assert status_of(lambda: client.infer("identity", [tensor])) == "400"
    wanted = InferRequestedOutput("OUTPUT0")
    wanted.set_shared_memory("region", 8)
    assert status_of(lambda: client.infer("identity", [given("INPUT0", np.zeros(2))], outputs=[wanted])) == "400"


def test_async_infer(client: InferenceServerClient) -> None:
    values = np.arange(4, dtype=np.int32)
    waiting = [client.async_infer("identity", [given("INPUT0", values + step)]) for step in range(4)]
    for step, each in enumerate(waiting):
        np.testing.assert_array_equal(each.get_result().as_numpy("OUTPUT0"), values + step)


def test_generate_request_body_and_parse_response_body(client: InferenceServerClient, address: str) -> None:
    values = np.arange(4, dtype=np.float32)
    body, header_length = InferenceServerClient.generate_request_body([given("INPUT0", values)])
    assert header_length is not None
    response = client._post("v2/models/identity/infer", body, {"Inference-Header-Content-Length": header_length}, None)
    length = int(response.get("Inference-Header-Content-Length"))
    result: InferResult = InferenceServerClient.parse_response_body(bytes(response.read()), header_length=length)
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), values)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get_trace_settings(),
        lambda client: client.get_trace_settings("identity"),
        lambda client: client.update_trace_settings(settings={"trace_level": ["TIMESTAMPS"]}),
        lambda client: client.get_log_settings(),
        lambda client: client.update_log_settings({"log_verbose_level": 1}),
        lambda client: client.get_system_shared_memory_status(),
        lambda client: client.register_system_shared_memory("region", "/key", 64),
        lambda client: client.unregister_system_shared_memory("region"),
        lambda client: client.unregister_system_shared_memory(),
        lambda client: client.get_cuda_shared_memory_status(),
        lambda client: client.register_cuda_shared_memory("region", b"handle", 0, 64),
        lambda client: client.unregister_cuda_shared_memory("region"),
        lambda client: client.unregister_cuda_shared_memory(),
    ],
)
def test_calls_of_extensions_that_are_not_advertised(
    client: InferenceServerClient, call: Callable[[InferenceServerClient], object]
) -> None:
    assert status_of(lambda: call(client)) == "404"
