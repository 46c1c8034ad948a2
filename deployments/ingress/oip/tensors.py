"""Tensors of the Open Inference Protocol as numpy arrays: binary and JSON, there and back.

Binary parts are read as views of the body; nothing is allocated from a stated size before as many bytes were seen.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from graphs.errors import InvalidRequest, PayloadTooLarge

Values: TypeAlias = NDArray[Any]

DTYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "BYTES": np.dtype(object),  # elements are bytes
}
FLOATING = frozenset({"FP16", "BF16", "FP32"})  # what an FP32 input takes
MAX_DIMENSION = 2**31 - 1
MAX_STRINGS = 200_000  # BYTES elements of one tensor: they are taken apart one by one, some 0.3 us each
_LENGTH = struct.Struct("<I")  # before each BYTES element


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    name: str
    datatype: str  # one of DTYPES
    values: Values  # in the shape of the wire

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def as_float32(self) -> NDArray[np.float32]:
        """Of a floating tensor: aligned, contiguous and writable, as torch wants it."""
        return np.require(self.values, dtype=np.float32, requirements=["C", "A", "W"])

    def as_bytes(self) -> list[bytes]:
        """The elements of a BYTES tensor, row by row."""
        elements: list[bytes] = self.values.reshape(-1).tolist()
        return elements


def element_count(name: str, shape: Sequence[int]) -> int:
    """How many elements a shape has. Raises InvalidRequest for one that no array could have, also if it has a 0 among huge numbers."""
    if math.prod(size or 1 for size in shape) > MAX_DIMENSION:
        raise InvalidRequest(f"tensor `{name}` has shape {list(shape)}: more than {MAX_DIMENSION} elements", param=name)
    return math.prod(shape)


def from_binary(name: str, datatype: str, shape: Sequence[int], data: memoryview) -> Tensor:
    """A tensor over the bytes of its binary part, not copied; only BYTES elements are. Raises InvalidRequest when they do not fit."""
    count = element_count(name, shape)
    if datatype == "BYTES":
        return Tensor(name, datatype, _objects(_cut(name, data, count)).reshape(shape))
    dtype = DTYPES[datatype]
    size = count * dtype.itemsize
    if len(data) != size:
        raise InvalidRequest(
            f"tensor `{name}` of shape {list(shape)} and datatype {datatype} has {size} bytes, not {len(data)}",
            param=name,
        )
    if datatype == "BOOL" and count and np.frombuffer(data, np.uint8).max() > 1:
        raise InvalidRequest(f"tensor `{name}`: a BOOL is a byte 0 or 1", param=name)
    return Tensor(name, datatype, np.frombuffer(data, dtype).reshape(shape))


def _cut(name: str, data: memoryview, count: int) -> list[bytes]:
    if count > MAX_STRINGS:
        raise PayloadTooLarge(f"tensor `{name}` has {count} BYTES elements; at most {MAX_STRINGS} are taken", param=name)
    text, end, length_of = bytes(data), len(data), _LENGTH.unpack_from
    elements: list[bytes] = []
    place = 0
    for _ in range(count):
        start = place + _LENGTH.size
        place = start + length_of(text, place)[0] if start <= end else start
        if place > end:
            raise InvalidRequest(f"tensor `{name}` ends after {len(elements)} of {count} elements", param=name)
        elements.append(text[start:place])
    if place != end:
        raise InvalidRequest(f"tensor `{name}` has {end - place} bytes after its {count} elements", param=name)
    return elements


def _objects(elements: Sequence[bytes]) -> Values:
    values = np.empty(len(elements), dtype=object)
    values[:] = elements
    return values


def bytes_tensor(name: str, elements: Sequence[bytes], shape: Sequence[int]) -> Tensor:
    return Tensor(name, "BYTES", _objects(elements).reshape(shape))


def from_json(name: str, datatype: str, shape: Sequence[int], data: object) -> Tensor:
    """A tensor from JSON values, flat or nested as its shape. Raises InvalidRequest for values of another kind, number or range."""
    values = _flat(name, shape, data)
    count = element_count(name, shape)
    if len(values) != count:
        raise InvalidRequest(f"tensor `{name}` of shape {list(shape)} has {count} elements, not {len(values)}", param=name)
    kinds = set(map(type, values))
    if datatype == "BYTES":
        return Tensor(name, datatype, _objects(_texts(name, values, kinds)).reshape(shape))
    return Tensor(name, datatype, _numbers(name, datatype, values, kinds).reshape(shape))


def _flat(name: str, shape: Sequence[int], data: object) -> list[Any]:
    if not isinstance(data, list):
        raise InvalidRequest(f"tensor `{name}` needs `data`, a list, or a binary part with its `binary_data_size`", param=name)
    if len(shape) < 2 or not any(isinstance(value, list) for value in data):
        return data
    level: list[Any] = [data]
    for size in shape:
        if not all(isinstance(row, list) and len(row) == size for row in level):
            raise InvalidRequest(f"tensor `{name}`: `data` is not nested as its shape {list(shape)} says", param=name)
        level = [value for row in level for value in row]
    return level


def _texts(name: str, values: list[Any], kinds: set[type]) -> list[bytes]:
    if not kinds <= {str}:
        raise _not_of("BYTES", name, "strings")
    if len(values) > MAX_STRINGS:
        raise PayloadTooLarge(f"tensor `{name}` has {len(values)} BYTES elements; at most {MAX_STRINGS} are taken", param=name)
    return [value.encode("utf-8") for value in values]


def _numbers(name: str, datatype: str, values: list[Any], kinds: set[type]) -> Values:
    dtype = DTYPES[datatype]
    if datatype == "BF16":
        raise InvalidRequest(f"tensor `{name}`: BF16 travels as binary only", param=name)
    if datatype == "BOOL":
        if not kinds <= {bool}:
            raise _not_of(datatype, name, "true and false")
    elif dtype.kind in "iu":
        _check_integers(name, datatype, values, kinds)
    else:
        return _floats(name, datatype, values, kinds)
    return np.array(values, dtype=dtype)


def _check_integers(name: str, datatype: str, values: list[Any], kinds: set[type]) -> None:
    limits = np.iinfo(DTYPES[datatype])
    if not kinds <= {int} or (values and (min(values) < limits.min or max(values) > limits.max)):
        raise _not_of(datatype, name, f"whole numbers from {limits.min} to {limits.max}")


def _floats(name: str, datatype: str, values: list[Any], kinds: set[type]) -> Values:
    if not kinds <= {int, float}:
        raise _not_of(datatype, name, "numbers")
    with np.errstate(over="ignore"):
        floats = np.array(values, dtype=np.float64).astype(DTYPES[datatype])
    if not np.isfinite(floats).all():
        raise _not_of(datatype, name, f"numbers within the range of {datatype}")
    return floats


def _not_of(datatype: str, name: str, kind: str) -> InvalidRequest:
    return InvalidRequest(f"tensor `{name}` is {datatype}: its `data` must be {kind}", param=name)


def to_binary(tensor: Tensor) -> bytes | memoryview:
    """The bytes of a tensor, row by row, little-endian; a view where it lies so already."""
    if tensor.datatype == "BYTES":
        return b"".join(piece for element in tensor.as_bytes() for piece in (_LENGTH.pack(len(element)), element))
    flat = np.ascontiguousarray(tensor.values, dtype=DTYPES[tensor.datatype]).reshape(-1)
    return flat.view(np.uint8).data


def to_json(tensor: Tensor) -> object:
    """Flat values, for orjson with OPT_SERIALIZE_NUMPY. Raises InvalidRequest for what JSON cannot say."""
    if tensor.datatype == "BYTES":
        try:
            return [element.decode("utf-8") for element in tensor.as_bytes()]
        except UnicodeDecodeError:
            raise _binary_only(tensor, "is not UTF-8 text") from None
    if tensor.datatype == "BF16":
        raise _binary_only(tensor, "is BF16")
    dtype = np.dtype(np.float32) if tensor.datatype == "FP16" else DTYPES[tensor.datatype]
    values = np.ascontiguousarray(tensor.values, dtype=dtype).reshape(-1)
    if dtype.kind == "f" and not np.isfinite(values).all():
        raise _binary_only(tensor, "has NaN or infinity")
    return values


def _binary_only(tensor: Tensor, why: str) -> InvalidRequest:
    return InvalidRequest(f"tensor `{tensor.name}` {why}, which JSON cannot carry; ask for it with `binary_data`", param=tensor.name)
