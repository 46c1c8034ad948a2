"""Requests and answers of `infer`: a JSON head and, behind it, the binary parts of its tensors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from deployments.ingress.frames import validated
from deployments.ingress.oip.table import VERSION, ModelSpec
from deployments.ingress.oip.tensors import DTYPES, MAX_DIMENSION, Tensor, bytes_tensor, from_binary, from_json, to_binary, to_json
from deployments.ingress.routing import MAX_JSON_COMMAS
from graphs.errors import InvalidRequest, PayloadTooLarge

HEADER_LENGTH = "Inference-Header-Content-Length"
MAX_RANK = 16
MAX_TENSORS = 64
MAX_ID = 1_000
_BYTES_HINT = "register no shared memory: this server has none, send the tensor in the body"

Size = Annotated[int, Field(strict=True, ge=0, le=MAX_DIMENSION)]
Count = Annotated[int, Field(strict=True, ge=0)]


class _Head(BaseModel):
    """Unknown fields and parameters are accepted, as everywhere in this protocol."""

    model_config = ConfigDict(frozen=True)


class _InputParameters(_Head):
    binary_data_size: Count | None = None
    shared_memory_region: object = None


class _Input(_Head):
    name: StrictStr
    shape: Annotated[list[Size], Field(max_length=MAX_RANK)]
    datatype: StrictStr
    parameters: _InputParameters = _InputParameters()
    data: object = None


class _OutputParameters(_Head):
    binary_data: StrictBool | None = None
    classification: object = None
    shared_memory_region: object = None


class _Output(_Head):
    name: StrictStr
    parameters: _OutputParameters = _OutputParameters()


class _Request(_Head):
    id: Annotated[StrictStr, Field(max_length=MAX_ID)] = ""
    inputs: Annotated[list[_Input], Field(max_length=MAX_TENSORS)]
    outputs: Annotated[list[_Output], Field(max_length=MAX_TENSORS)] = []
    parameters: dict[str, object] = {}


class _Options(_Head):
    binary_data_output: StrictBool = False
    timeout: Count = 0


@dataclass(frozen=True, slots=True)
class InferRequest:
    id: str  # empty: none
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, bool]  # name -> as binary, in the order of the answer
    parameters: Mapping[str, object]
    timeout_s: float | None = None

    @property
    def rows(self) -> int:
        """How many inferences it stands for."""
        return max((tensor.shape[0] for tensor in self.inputs.values() if tensor.shape), default=1)


def read_request(body: bytes, header_length: str | None, spec: ModelSpec) -> InferRequest:
    """A request for the model of `spec`, checked against it before any tensor is read.

    `header_length` is the header of that name: how many bytes of the body are JSON; None: all; 0: the body is the tensor of the only input.
    Raises InvalidRequest or PayloadTooLarge.
    """
    length = _parsed_length(header_length, len(body))
    if length == 0:
        return _raw(body, spec)
    head = _parsed(body[:length] if length < len(body) else body)
    options = validated(_Options, head.parameters, place="parameters")
    inputs = _inputs(head.inputs, memoryview(body)[length:], spec)
    outputs = _outputs(head.outputs, spec, as_binary=options.binary_data_output)
    return InferRequest(head.id, inputs, outputs, head.parameters, options.timeout / 1_000_000 or None)


def _parsed_length(sent: str | None, body_length: int) -> int:
    if sent is None:
        if body_length == 0:
            raise InvalidRequest("the body is empty; a request has `inputs`")
        return body_length
    if not (sent.isascii() and sent.isdigit() and len(sent) <= 18):
        raise InvalidRequest(f"{HEADER_LENGTH} must be a number of bytes", param=HEADER_LENGTH)
    if int(sent) > body_length:
        raise InvalidRequest(f"{HEADER_LENGTH} is {sent}, the body has {body_length} bytes", param=HEADER_LENGTH)
    return int(sent)


def _parsed(text: bytes) -> _Request:
    if text.count(b",") > MAX_JSON_COMMAS:
        raise PayloadTooLarge(f"the JSON has more than {MAX_JSON_COMMAS} values; send large tensors as binary")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"the request is not valid JSON: {error.msg}") from None
    return validated(_Request, value)


def _raw(body: bytes, spec: ModelSpec) -> InferRequest:
    """The body is the tensor, of the only input; a BYTES tensor then has one element, without its length."""
    if len(spec.inputs) != 1:
        raise InvalidRequest(f"{HEADER_LENGTH} 0 goes with a model of one input; `{spec.name}` has {len(spec.inputs)}", param=HEADER_LENGTH)
    [only] = spec.inputs
    outputs = {output.name: True for output in spec.outputs}
    if only.datatype == "BYTES":
        return InferRequest("", {only.name: bytes_tensor(only.name, [body], [1])}, outputs, {})
    row = DTYPES[only.datatype].itemsize
    for size in only.shape[1:]:
        row *= size
    shape = [len(body) // row, *only.shape[1:]]
    spec.check(only.name, only.datatype, shape)
    return InferRequest("", {only.name: from_binary(only.name, only.datatype, shape, memoryview(body))}, outputs, {})


def _inputs(heads: Sequence[_Input], parts: memoryview, spec: ModelSpec) -> dict[str, Tensor]:
    _refuse_repeated([head.name for head in heads], "input")
    for head in heads:
        if head.datatype not in DTYPES:
            raise InvalidRequest(f"input `{head.name[:100]}` has the datatype `{head.datatype[:20]}`; there are {', '.join(DTYPES)}")
        spec.check(head.name, head.datatype, head.shape)
    missing = [each.name for each in spec.inputs if all(each.name != head.name for head in heads)]
    if missing:
        raise InvalidRequest(f"model `{spec.name}` needs the input `{missing[0]}`", param=missing[0])
    tensors: dict[str, Tensor] = {}
    place = 0
    for head in heads:
        size = head.parameters.binary_data_size
        tensors[head.name] = _tensor(head, parts[place : place + (size or 0)])
        place += size or 0
    if place != len(parts):
        raise InvalidRequest(f"the body has {len(parts)} bytes behind its JSON; the inputs say {place}", param=HEADER_LENGTH)
    return tensors


def _tensor(head: _Input, part: memoryview) -> Tensor:
    if head.parameters.shared_memory_region is not None:
        raise InvalidRequest(f"input `{head.name}`: {_BYTES_HINT}", param=head.name)
    size = head.parameters.binary_data_size
    if size is None:
        return from_json(head.name, head.datatype, head.shape, head.data)
    if head.data is not None:
        raise InvalidRequest(f"input `{head.name}` has `data` and `binary_data_size`; send one of them", param=head.name)
    if len(part) != size:
        raise InvalidRequest(f"input `{head.name}` says {size} binary bytes; {len(part)} are left of the body", param=head.name)
    return from_binary(head.name, head.datatype, head.shape, part)


def _outputs(heads: Sequence[_Output], spec: ModelSpec, *, as_binary: bool) -> dict[str, bool]:
    _refuse_repeated([head.name for head in heads], "output")
    for head in heads:
        spec.output(head.name)
        if head.parameters.shared_memory_region is not None:
            raise InvalidRequest(f"output `{head.name}`: {_BYTES_HINT}", param=head.name)
        if head.parameters.classification not in (None, 0):
            raise InvalidRequest(f"output `{head.name}`: `classification` is no extension of this server", param=head.name)
    if not heads:
        return {output.name: as_binary for output in spec.outputs}
    return {head.name: as_binary if head.parameters.binary_data is None else head.parameters.binary_data for head in heads}


def _refuse_repeated(names: Sequence[str], kind: str) -> None:
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise InvalidRequest(f"{kind} `{repeated[:100]}` is given twice", param=repeated[:100])


@dataclass(frozen=True, slots=True)
class InferReply:
    body: bytes
    header_length: int | None  # None: the body is JSON and nothing else


def write_reply(asked: InferRequest, model: str, outputs: Mapping[str, Tensor]) -> InferReply:
    """The outputs that were asked for, as they were asked for. Raises InvalidRequest for one that JSON cannot carry."""
    heads: list[dict[str, Any]] = []
    parts: list[bytes | memoryview] = []
    for name, as_binary in asked.outputs.items():
        tensor = outputs[name]
        head: dict[str, Any] = {"name": name, "datatype": tensor.datatype, "shape": tensor.shape}
        if as_binary:
            parts.append(to_binary(tensor))
            head["parameters"] = {"binary_data_size": len(parts[-1])}
        else:
            head["data"] = to_json(tensor)
        heads.append(head)
    marks = {"id": asked.id} if asked.id else {}
    answer = {"model_name": model, "model_version": VERSION, **marks, "outputs": heads}
    text = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    if not any(asked.outputs.values()):
        return InferReply(text, None)
    return InferReply(b"".join([text, *parts]), len(text))
