"""Encode and decode is the identity, in binary and in JSON; bytes from anywhere end in a tensor or in an error of the tree."""

import contextlib
import math
import tracemalloc
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from deployments.ingress.oip.messages import read_request, write_reply
from deployments.ingress.oip.table import ModelSpec, model_specs
from deployments.ingress.oip.tensors import DTYPES, Tensor, Values, bytes_tensor, from_binary, from_json, to_binary, to_json
from graphs.errors import InvalidRequest, LivecartError, PayloadTooLarge

SPECS = model_specs(4)
IDENTITY = SPECS["identity"]
SHAPES = st.lists(st.integers(0, 4), max_size=4).map(tuple)
NUMERIC = [name for name in DTYPES if name not in ("BYTES", "BF16")]


@st.composite
def numeric(draw: st.DrawFn, names: list[str]) -> Tensor:
    name = draw(st.sampled_from(names))
    values = draw(arrays.arrays(DTYPES[name], draw(SHAPES)))
    return Tensor("x", name, values)


@st.composite
def texts(draw: st.DrawFn, elements: st.SearchStrategy[bytes]) -> Tensor:
    shape = draw(SHAPES)
    count = math.prod(shape)
    return bytes_tensor("x", draw(st.lists(elements, min_size=count, max_size=count)), shape)


def same(one: Tensor, other: Tensor) -> bool:
    if one.datatype == "BYTES":
        return one.shape == other.shape and one.as_bytes() == other.as_bytes()
    return one.shape == other.shape and one.values.dtype == other.values.dtype and one.values.tobytes() == other.values.tobytes()


@given(tensor=numeric(NUMERIC) | texts(st.binary(max_size=9)))
def test_binary_there_and_back_is_the_identity(tensor: Tensor) -> None:
    data = memoryview(bytes(to_binary(tensor)))
    assert same(from_binary(tensor.name, tensor.datatype, tensor.shape, data), tensor)


@given(bits=arrays.arrays(np.uint16, SHAPES))
def test_bf16_there_and_back_is_the_identity_of_its_bits(bits: Values) -> None:
    tensor = from_binary("x", "BF16", bits.shape, memoryview(bits.tobytes()))
    assert bytes(to_binary(tensor)) == bits.tobytes()


@given(tensor=numeric(NUMERIC) | texts(st.text(max_size=5).map(lambda text: text.encode("utf-8", "ignore"))))
def test_json_there_and_back_is_the_identity(tensor: Tensor) -> None:
    if tensor.datatype.startswith("FP") and not np.isfinite(tensor.values).all():
        with pytest.raises(InvalidRequest, match="NaN or infinity"):
            to_json(tensor)
        return
    data = orjson.loads(orjson.dumps(to_json(tensor), option=orjson.OPT_SERIALIZE_NUMPY))
    assert same(from_json(tensor.name, tensor.datatype, tensor.shape, data), tensor)
    nested = orjson.loads(orjson.dumps(data if tensor.datatype == "BYTES" else tensor.values.tolist()))
    if tensor.shape:
        assert same(from_json(tensor.name, tensor.datatype, tensor.shape, nested), tensor)


def test_a_binary_tensor_is_a_view_of_the_body() -> None:
    body = np.arange(1_000, dtype=np.float32).tobytes()
    values = from_binary("x", "FP32", (10, 100), memoryview(body)).values
    assert np.shares_memory(values, np.frombuffer(body, np.uint8))
    assert np.shares_memory(np.frombuffer(to_binary(Tensor("x", "FP32", values)), np.uint8), values)


def test_float32_of_any_floating_tensor_is_aligned_and_writable() -> None:
    values = from_binary("x", "FP32", (2,), memoryview(b"." + np.ones(2, dtype=np.float32).tobytes())[1:])
    for tensor in (values, from_binary("x", "BF16", (2,), memoryview(b"\x80\x3f\x80\x3f"))):
        found = tensor.as_float32()
        assert found.flags.aligned
        assert found.flags.writeable
        assert found.tolist() == [1, 1]


@settings(max_examples=300)
@given(
    datatype=st.sampled_from(list(DTYPES)),
    shape=st.lists(st.integers(0, 2**31 - 1) | st.integers(0, 9), max_size=5),
    data=st.binary(max_size=99),
)
def test_no_bytes_break_the_decoder(datatype: str, shape: list[int], data: bytes) -> None:
    try:
        tensor = from_binary("x", datatype, shape, memoryview(data))
    except LivecartError:
        return
    assert tensor.shape == tuple(shape)
    assert bytes(to_binary(tensor)) == data


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**65) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4),
)


@settings(max_examples=300)
@given(datatype=st.sampled_from(list(DTYPES)), shape=SHAPES, data=JSON)
def test_no_json_breaks_the_decoder(datatype: str, shape: tuple[int, ...], data: object) -> None:
    with contextlib.suppress(LivecartError):
        assert from_json("x", datatype, shape, data).shape == shape


HEADS = st.fixed_dictionaries(
    {
        "inputs": st.lists(
            st.dictionaries(st.sampled_from(["name", "shape", "datatype", "parameters", "data"]), JSON, max_size=5), max_size=3
        )
    },
    optional={"id": JSON, "outputs": JSON, "parameters": JSON},
)
PLAUSIBLE = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["INPUT0", "image", "embedding", "k", "features", "other"]),
        "shape": st.lists(st.integers(-1, 5) | st.just(2**40), max_size=3),
        "datatype": st.sampled_from([*DTYPES, "FP8"]),
        "parameters": st.fixed_dictionaries({}, optional={"binary_data_size": st.integers(-2, 40) | st.just(2**60) | st.just(True)}),
    },
    optional={"data": JSON},
)


@settings(max_examples=300)
@given(
    spec=st.sampled_from(list(SPECS.values())),
    head=HEADS | st.fixed_dictionaries({"inputs": st.lists(PLAUSIBLE, min_size=1, max_size=2)}) | JSON,
    parts=st.binary(max_size=40),
    length=st.none() | st.integers(0, 200).map(str) | st.sampled_from(["-1", "1e3", "", "²", "9" * 30]) | st.just("exact"),
)
def test_no_request_breaks_the_reader(spec: ModelSpec, head: object, parts: bytes, length: str | None) -> None:
    try:
        text = orjson.dumps(head)
    except TypeError:  # a number beyond 64 bits
        return
    try:
        asked = read_request(text + parts, str(len(text)) if length == "exact" else length, spec)
    except LivecartError as error:
        assert 400 <= error.http_status < 500
        return
    assert set(asked.inputs) == {each.name for each in spec.inputs}


@given(body=st.binary(max_size=64), length=st.none() | st.integers(0, 64).map(str))
def test_no_body_breaks_the_reader(body: bytes, length: str | None) -> None:
    for spec in SPECS.values():
        try:
            read_request(body, length, spec)
        except LivecartError as error:
            assert 400 <= error.http_status < 500


@given(tensor=numeric([*NUMERIC]) | texts(st.binary(max_size=9)), identifier=st.text(max_size=9))
def test_an_answer_can_be_read_as_a_request(tensor: Tensor, identifier: str) -> None:
    """The parts lie where their sizes say, whatever stands before them."""
    head = {
        "name": "INPUT0",
        "datatype": tensor.datatype,
        "shape": tensor.shape,
        "parameters": {"binary_data_size": len(to_binary(tensor))},
    }
    text = orjson.dumps({"id": identifier, "inputs": [head], "parameters": {"binary_data_output": True}})
    asked = read_request(text + bytes(to_binary(tensor)), str(len(text)), IDENTITY)
    assert same(Tensor("x", tensor.datatype, asked.inputs["INPUT0"].values), tensor)
    reply = write_reply(asked, "identity", {"OUTPUT0": Tensor("OUTPUT0", tensor.datatype, asked.inputs["INPUT0"].values)})
    assert reply.header_length is not None
    [output] = orjson.loads(reply.body[: reply.header_length])["outputs"]
    assert reply.body[reply.header_length :] == bytes(to_binary(tensor))
    assert (output["shape"], output["datatype"]) == (list(tensor.shape), tensor.datatype)


@pytest.mark.parametrize(
    ("datatype", "shape", "data"),
    [
        ("FP32", [2**31 - 1], b""),
        ("FP32", [2**31 - 1, 2**31 - 1, 2**31 - 1], b"\0" * 8),
        ("UINT8", [2**16, 2**16, 0], b""),
        ("BYTES", [2**30], b"\0" * 4),
        ("BYTES", [1], b"\xff\xff\xff\xff"),
        ("BYTES", [2], b"\0\0\0\0\x05\0\0\0abc"),
        ("BYTES", [1], b"\0\0"),
    ],
)
def test_a_stated_size_that_is_not_there_allocates_nothing(datatype: str, shape: list[int], data: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises((InvalidRequest, PayloadTooLarge)):
            from_binary("x", datatype, shape, memoryview(data))
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("datatype", "data"),
    [
        ("INT8", [128]),
        ("UINT64", [-1]),
        ("INT64", [2**63]),
        ("INT32", [1.5]),
        ("INT32", [True]),
        ("BOOL", [1]),
        ("FP32", [1e39]),
        ("FP16", [70_000]),
        ("FP32", ["1"]),
        ("FP32", [None]),
        ("FP32", [[1], 2]),
        ("FP32", 1),
        ("FP32", None),
        ("BF16", [1]),
        ("BYTES", [1]),
    ],
)
def test_json_of_another_kind_or_range_is_refused(datatype: str, data: object) -> None:
    with pytest.raises(InvalidRequest, match="`x`"):
        from_json("x", datatype, [1], data)


def test_a_bool_is_one_of_two_bytes() -> None:
    with pytest.raises(InvalidRequest, match="0 or 1"):
        from_binary("x", "BOOL", [2], memoryview(b"\1\2"))
