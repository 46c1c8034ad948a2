"""What stock clients do not send: raw bodies, damaged ones, keys, and what the models' own failures become."""

import asyncio
import json
import struct
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from deployments.ingress.auth import Auth, new_key, parse_key
from deployments.ingress.fakes import FakeModels
from deployments.ingress.oip.served import ServedModels, UnloadedFolder
from deployments.ingress.oip.table import model_specs
from graphs.errors import ModelNotFound, Overloaded
from tests.hostile_requests import load_shop, picture

INFER = "/v2/models/identity/infer"
LENGTH = "Inference-Header-Content-Length"


def tensor(**fields: object) -> dict[str, object]:
    return {"name": "INPUT0", "datatype": "FP32", "shape": [2], "data": [1, 2], **fields}


def refused(response: httpx.Response, status: int = 400) -> str:
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json()
    assert set(body) == {"error"}
    return str(body["error"])


async def test_a_json_answer_is_json_and_nothing_else(client: httpx.AsyncClient) -> None:
    response = await client.post(INFER, json={"id": "7", "inputs": [tensor(data=[[1], [2]], shape=[2, 1])]})
    assert response.headers["content-type"] == "application/json"
    assert LENGTH.lower() not in response.headers
    output = {"name": "OUTPUT0", "datatype": "FP32", "shape": [2, 1], "data": [1.0, 2.0]}
    assert response.json() == {"model_name": "identity", "model_version": "1", "id": "7", "outputs": [output]}


async def test_a_raw_body_is_the_tensor_of_the_only_input(client: httpx.AsyncClient) -> None:
    values = np.arange(3, dtype=np.float32).tobytes()
    response = await client.post(INFER, content=values, headers={LENGTH: "0"})
    assert response.content[int(response.headers[LENGTH]) :] == values
    frame = await client.post("/v2/models/detector/infer", content=picture(), headers={LENGTH: "0"})
    head = json.loads(frame.content[: int(frame.headers[LENGTH])])
    assert [each["shape"] for each in head["outputs"]] == [[1, 100, 4], [1, 100], [1, 100], [1]]
    assert "4 bytes" in refused(await client.post(INFER, content=b"12345", headers={LENGTH: "0"}))
    assert "one input" in refused(await client.post("/v2/models/retriever/infer", content=b"1234", headers={LENGTH: "0"}))


async def test_mixed_inputs_and_outputs(client: httpx.AsyncClient) -> None:
    vectors = np.ones((2, 4), dtype=np.float32).tobytes()
    head = {
        "inputs": [
            {"name": "k", "datatype": "INT64", "shape": [1], "data": [1]},
            {"name": "embedding", "datatype": "FP32", "shape": [2, 4], "parameters": {"binary_data_size": len(vectors)}},
        ],
        "outputs": [{"name": "similarities"}, {"name": "ids", "parameters": {"binary_data": True}}],
    }
    text = json.dumps(head).encode()
    response = await client.post("/v2/models/retriever/infer", content=text + vectors, headers={LENGTH: str(len(text))})
    length = int(response.headers[LENGTH])
    similarities, ids = json.loads(response.content[:length])["outputs"]
    assert similarities["data"] == [0.9, 0.9]
    assert response.content[length:] == struct.pack("<I", 3) + b"P-1" + struct.pack("<I", 3) + b"P-1"
    assert ids["parameters"] == {"binary_data_size": 14}


BAD: dict[str, dict[str, Any]] = {
    "no body": {"content": b""},
    "no JSON": {"content": b"{"},
    "NaN": {"content": b'{"inputs": [{"name": "INPUT0", "datatype": "FP32", "shape": [1], "data": [NaN]}]}'},
    "no object": {"json": [1]},
    "no inputs": {"json": {}},
    "empty inputs": {"json": {"inputs": []}},
    "a string for inputs": {"json": {"inputs": "INPUT0"}},
    "deep": {"content": b'{"inputs": ' + b"[" * 5_000 + b"]" * 5_000 + b"}"},
    "a number as id": {"json": {"id": 7, "inputs": [tensor()]}},
    "no name": {"json": {"inputs": [{"datatype": "FP32", "shape": [1], "data": [1]}]}},
    "no data": {"json": {"inputs": [{"name": "INPUT0", "datatype": "FP32", "shape": [1]}]}},
    "an unknown datatype": {"json": {"inputs": [tensor(datatype="FP8")]}},
    "a negative size": {"json": {"inputs": [tensor(shape=[-1])]}},
    "a fraction of a size": {"json": {"inputs": [tensor(shape=[1.5])]}},
    "true as a size": {"json": {"inputs": [tensor(shape=[True])]}},
    "sizes that overflow": {"json": {"inputs": [tensor(shape=[2**31 - 1] * 4)]}},
    "a size that overflows": {"json": {"inputs": [tensor(shape=[2**63])]}},
    "sizes that overflow beside a 0": {"json": {"inputs": [tensor(shape=[2**30, 2**30, 0], data=[])]}},
    "too many dimensions": {"json": {"inputs": [tensor(shape=[1] * 65, data=[1])]}},
    "too few values": {"json": {"inputs": [tensor(shape=[3])]}},
    "nested otherwise": {"json": {"inputs": [tensor(shape=[2, 2], data=[[1, 2, 3], [4]])]}},
    "null among values": {"json": {"inputs": [tensor(data=[1, None])]}},
    "data and a binary size": {"json": {"inputs": [tensor(parameters={"binary_data_size": 8})]}},
    "a binary size without bytes": {"json": {"inputs": [{**tensor(parameters={"binary_data_size": 8}), "data": None}]}},
    "a huge binary size": {"json": {"inputs": [{**tensor(shape=[2**29], parameters={"binary_data_size": 2**31}), "data": None}]}},
    "a negative binary size": {"json": {"inputs": [{**tensor(parameters={"binary_data_size": -8}), "data": None}]}},
    "an unknown output": {"json": {"inputs": [tensor()], "outputs": [{"name": "OUTPUT1"}]}},
    "an output twice": {"json": {"inputs": [tensor()], "outputs": [{"name": "OUTPUT0"}] * 2}},
    "a word for binary_data": {"json": {"inputs": [tensor()], "outputs": [{"name": "OUTPUT0", "parameters": {"binary_data": "yes"}}]}},
    "a word for timeout": {"json": {"inputs": [tensor()], "parameters": {"timeout": "1"}}},
    "a negative timeout": {"json": {"inputs": [tensor()], "parameters": {"timeout": -1}}},
    "BF16 as JSON": {"json": {"inputs": [tensor(datatype="BF16")]}},
    "bytes behind the JSON": {"content": json.dumps({"inputs": [tensor()]}).encode() + b"1234", "headers": {LENGTH: "80"}},
    "a length beyond the body": {"json": {"inputs": [tensor()]}, "headers": {LENGTH: "100000"}},
    "a length that is none": {"json": {"inputs": [tensor()]}, "headers": {LENGTH: "-1"}},
    "a huge length": {"json": {"inputs": [tensor()]}, "headers": {LENGTH: "9" * 40}},
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_request_is_refused(client: httpx.AsyncClient, name: str) -> None:
    assert refused(await client.post(INFER, **BAD[name]))


async def test_a_binary_part_that_is_cut_off_is_refused(client: httpx.AsyncClient) -> None:
    head = json.dumps({"inputs": [{"name": "INPUT0", "datatype": "FP32", "shape": [4], "parameters": {"binary_data_size": 16}}]}).encode()
    for kept in range(16):
        response = await client.post(INFER, content=head + b"\0" * kept, headers={LENGTH: str(len(head))})
        assert f"{kept} are left" in refused(response)


async def test_bodies_over_the_limit_and_unknown_encodings(client: httpx.AsyncClient) -> None:
    refused(await client.post(INFER, content=b"x" * (33 * 1024 * 1024)), 413)
    commas = b'{"inputs": [{"name": "INPUT0", "datatype": "BOOL", "shape": [1], "data": [' + b"1," * 2_100_000 + b"1]}]}"
    refused(await client.post(INFER, content=commas), 413)
    strings = tensor(datatype="BYTES", shape=[200_001], data=[""] * 200_001)
    refused(await client.post(INFER, json={"inputs": [strings]}), 413)
    refused(await client.post(INFER, content=b"x", headers={"Content-Encoding": "br"}), 415)
    refused(await client.post(INFER, content=b"x", headers={"Content-Encoding": "gzip"}), 400)


async def test_only_one_named_encoding_compresses_the_answer(client: httpx.AsyncClient) -> None:
    for accepted, encoding in (("gzip", "gzip"), ("deflate", "deflate"), ("gzip, deflate, br", None), ("br", None), ("identity", None)):
        response = await client.post(INFER, json={"inputs": [tensor()]}, headers={"Accept-Encoding": accepted})
        assert response.headers.get("content-encoding") == encoding
        assert response.json()["outputs"][0]["data"] == [1, 2]


async def test_methods_and_paths_that_there_are_not(client: httpx.AsyncClient) -> None:
    response = await client.get(INFER)
    assert "POST" in response.headers["allow"]
    refused(response, 405)
    for path in (
        "/v2/",
        "/v2/models",
        "/v2/models/x/y",
        "/v2/models/%ff%00",
        "/v2/models/identity/versions/",
        "/v2/systemsharedmemory/status",
    ):
        refused(await client.get(path), 404)


async def test_what_a_model_raises_is_answered(client: httpx.AsyncClient, models: FakeModels) -> None:
    body = {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": [""]}]}
    assert "image[0]" in refused(await client.post("/v2/models/detector/infer", json=body))
    models.detector.failure = Overloaded("busy", retry_after_s=2)
    response = await client.post("/v2/models/detector/infer", content=picture(), headers={LENGTH: "0"})
    assert (response.headers["retry-after"], refused(response, 429)) == ("2", "busy")
    models.detector.failure = RuntimeError("secret")
    assert "secret" not in refused(await client.post("/v2/models/detector/infer", content=picture(), headers={LENGTH: "0"}), 500)


async def test_a_deadline_in_the_header_or_in_the_parameters(client: httpx.AsyncClient, models: FakeModels) -> None:
    models.detector.delay_s = 30
    late = await client.post("/v2/models/detector/infer", content=picture(), headers={LENGTH: "0", "X-Deadline-Ms": "50"})
    refused(late, 504)
    text = json.dumps(
        {
            "inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(picture()) + 4}}],
            "parameters": {"timeout": 50_000},
        }
    ).encode()
    part = struct.pack("<I", len(picture())) + picture()
    for model in ("detector", "recognize"):
        async with asyncio.timeout(10):
            refused(await client.post(f"/v2/models/{model}/infer", content=text + part, headers={LENGTH: str(len(text))}), 504)


async def test_a_deployment_that_is_away(client: httpx.AsyncClient, models: FakeModels) -> None:
    models.missing = "Detector"
    refused(await client.get("/v2/health/ready"), 503)
    assert (await client.get("/v2/health/live")).status_code == 200
    ready = {model: (await client.get(f"/v2/models/{model}/ready")).status_code for model in model_specs(4)}
    assert ready == {"detector": 503, "embedder": 503, "retriever": 200, "ranker": 200, "identity": 200, "recognize": 503}
    index = (await client.post("/v2/repository/index", json={"ready": True})).json()
    assert [each["name"] for each in index] == ["retriever", "ranker", "identity"]
    refused(await client.post("/v2/repository/index", json={"ready": "yes"}))


@pytest.mark.parametrize(
    ("model", "body"),
    [
        ("ranker", {"parameters": {"config": "{}"}}),
        ("ranker", {"parameters": {"file:1/model.onnx": "AA=="}}),
        ("ranker", {"parameters": []}),
        ("ranker", []),
    ],
)
async def test_a_load_that_brings_its_own_model_is_refused(client: httpx.AsyncClient, model: str, body: object) -> None:
    refused(await client.post(f"/v2/repository/models/{model}/load", json=body))
    assert refused(await client.post(f"/v2/repository/models/{model}/unload", json={"parameters": {"unload_dependents": 1}}))
    assert refused(await client.post(f"/v2/repository/models/{model}/load", content=b"{"))


async def test_roles(app: FastAPI, client: httpx.AsyncClient) -> None:
    keys = {role: new_key(role, role) for role in ("caller", "operator")}
    app.state.auth = Auth([parse_key(key.line) for key in keys.values()])
    try:
        headers = {role: {"Authorization": f"Bearer {key.secret}"} for role, key in keys.items()}
        for path in ("/v2/health/live", "/v2/health/ready"):
            assert (await client.get(path)).status_code == 200
        for path in ("/v2", "/v2/models/identity", "/v2/models/stats"):
            refused(await client.get(path), 401)
            assert (await client.get(path, headers=headers["caller"])).status_code == 200
        refused(await client.post(INFER, content=b"{"), 401)
        refused(await client.post("/v2/repository/models/ranker/unload", headers=headers["caller"]), 403)
        assert (await client.post("/v2/repository/models/ranker/load", headers=headers["operator"])).json() == {}
    finally:
        app.state.auth = Auth()


async def test_recognize_says_what_the_route_says(client: httpx.AsyncClient) -> None:
    await load_shop(client)
    route = await client.post("/v1/recognize?room_id=R-1", content=picture(), headers={"Content-Type": "image/jpeg"})
    response = await client.post("/v2/models/recognize/infer", content=picture(), headers={LENGTH: "0"})
    [output] = json.loads(response.content[: int(response.headers[LENGTH])])["outputs"]
    assert json.loads(response.content[int(response.headers[LENGTH]) + 4 :]) == route.json()
    assert output["shape"] == [1]


def test_what_is_unloaded_is_known_to_every_process_of_the_machine(tmp_path: Path) -> None:
    specs = model_specs(4)
    one, other = (ServedModels(UnloadedFolder(tmp_path / "unloaded")) for _ in range(2))
    assert other.find(specs, "ranker").name == "ranker"
    one.unload(specs["ranker"], steps_too=False)
    with pytest.raises(ModelNotFound, match="unloaded"):
        other.find(specs, "ranker")
    other.unloaded.discard("ranker")
    other.unloaded.discard("ranker")
    assert one.find(specs, "ranker", "1").name == "ranker"
