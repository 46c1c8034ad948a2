"""What a model elsewhere has to take and give, compared with what its server says of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.recommend.features import FEATURE_NAMES

FLOATING = ("FP32", "FP16", "BF16")
INTEGERS = ("INT64", "INT32")

Described = Mapping[str, Any]  # a tensor in a server's metadata: name, datatype, shape


@dataclass(frozen=True, slots=True)
class TensorContract:
    name: str
    datatypes: tuple[str, ...]
    shape: tuple[int, ...]  # the first dimension is the rows; -1: any size

    def misfits(self, described: Described) -> Iterator[str]:
        datatype, shape = described["datatype"], tuple(int(size) for size in described["shape"])
        if datatype not in self.datatypes:
            yield f"`{self.name}` is {datatype}, it has to be {' or '.join(self.datatypes)}"
        if not self._takes(shape):
            yield f"`{self.name}` has shape {list(shape)}, it has to be {list(self.shape)}"

    def _takes(self, shape: tuple[int, ...]) -> bool:
        wanted = (*self.shape, 1) if has_column(self, shape) else self.shape
        if len(shape) != len(wanted) or shape[0] != -1:
            return False
        return all(-1 in (want, size) or want == size for want, size in zip(wanted, shape, strict=True))


def has_column(tensor: TensorContract, shape: Sequence[int]) -> bool:
    """Whether one value a row is written [-1, 1]: Triton knows no scalars behind a batch."""
    return len(tensor.shape) == 1 and len(shape) == 2


@dataclass(frozen=True, slots=True)
class ModelContract:
    input: TensorContract
    outputs: tuple[TensorContract, ...]

    def misfits(self, metadata: Mapping[str, Any]) -> list[str]:
        """A line for each thing in a model's metadata that does not fit. Outputs that nobody asks for are no fault."""
        inputs, outputs = _by_name(metadata.get("inputs")), _by_name(metadata.get("outputs"))
        found = [f"input {line}" for line in _of_one(self.input, inputs)]
        found += [f"input `{name}` is unknown here" for name in inputs if name != self.input.name]
        return found + [f"output {line}" for output in self.outputs for line in _of_one(output, outputs)]


def _by_name(described: Sequence[Described] | None) -> dict[str, Described]:
    return {str(each["name"]): each for each in described or ()}


def _of_one(tensor: TensorContract, described: Mapping[str, Described]) -> list[str]:
    if tensor.name in described:
        return list(tensor.misfits(described[tensor.name]))
    return [f"`{tensor.name}` is missing; there are {', '.join(described) or 'none'}"]


_IMAGE = TensorContract("image", ("BYTES",), (-1,))
DETECTOR = ModelContract(
    _IMAGE,
    (
        TensorContract("boxes", FLOATING, (-1, -1, 4)),
        TensorContract("scores", FLOATING, (-1, -1)),
        TensorContract("categories", INTEGERS, (-1, -1)),
        TensorContract("count", INTEGERS, (-1,)),
    ),
)
RANKER = ModelContract(
    TensorContract("features", ("FP32",), (-1, len(FEATURE_NAMES))),
    (TensorContract("scores", FLOATING, (-1, 3)),),
)


def embedder_contract(dim: int) -> ModelContract:
    return ModelContract(_IMAGE, (TensorContract("embedding", FLOATING, (-1, dim)),))
