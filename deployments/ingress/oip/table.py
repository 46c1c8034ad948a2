"""The models behind `/v2`: one table, of which metadata, configuration, checks and documentation are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from deployments.ingress.oip.tensors import FLOATING, MAX_DIMENSION
from graphs.errors import InvalidRequest
from models.recommend.features import FEATURE_NAMES

VERSION = "1"
MAX_DETECTIONS = 100
MAX_PICTURES = 32
MAX_VECTORS = 256
MAX_ROWS = 8_192
MAX_NEIGHBOURS = 100


@dataclass(frozen=True, slots=True)
class TensorSpec:
    name: str
    datatype: str  # a floating input also takes the other floating datatypes
    shape: tuple[int, ...]  # -1: any size


@dataclass(frozen=True, slots=True)
class ModelSpec:
    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    max_rows: int  # of inputs whose first dimension is -1
    is_batched: bool = True  # the first dimension of all tensors is the batch
    platform: str = "livecart"
    needs: tuple[str, ...] = ()  # deployments without which it cannot answer
    steps: tuple[str, ...] = ()  # models that an ensemble is made of
    takes_anything: bool = False  # any datatype and shape, whatever the tensors say

    def input(self, name: str) -> TensorSpec:
        """Raises InvalidRequest for one that there is not."""
        return _named(self.inputs, name, f"model `{self.name}` has no input")

    def output(self, name: str) -> TensorSpec:
        """Raises InvalidRequest for one that there is not."""
        return _named(self.outputs, name, f"model `{self.name}` has no output")

    def check(self, name: str, datatype: str, shape: Sequence[int]) -> None:
        """Raises InvalidRequest when an input is unknown, or of another datatype, shape or number of rows."""
        spec = self.input(name)
        if self.takes_anything:
            return
        allowed = FLOATING if spec.datatype in FLOATING else frozenset({spec.datatype})
        if datatype not in allowed:
            raise InvalidRequest(f"input `{name}` of `{self.name}` takes {' or '.join(sorted(allowed))}, not {datatype}", param=name)
        fits = len(shape) == len(spec.shape) and all(want in (-1, size) for want, size in zip(spec.shape, shape, strict=True))
        if not fits:
            raise InvalidRequest(f"input `{name}` of `{self.name}` has shape {list(spec.shape)}, not {list(shape)}", param=name)
        if spec.shape[0] == -1 and shape[0] > self.max_rows:
            raise InvalidRequest(f"`{self.name}` takes up to {self.max_rows} rows at once, not {shape[0]}", param=name)

    def metadata(self) -> dict[str, object]:
        return {
            "name": self.name,
            "versions": [VERSION],
            "platform": self.platform,
            "inputs": [_tensor_metadata(spec) for spec in self.inputs],
            "outputs": [_tensor_metadata(spec) for spec in self.outputs],
        }

    def config(self, parameters: Mapping[str, str]) -> dict[str, object]:
        """As Triton's clients read it: `dims` leave the batch out, parameters are `{"string_value": ...}`."""
        described: dict[str, object] = {
            "name": self.name,
            "platform": self.platform,
            "backend": "" if self.steps else "livecart",
            "version_policy": {"specific": {"versions": [int(VERSION)]}},
            "max_batch_size": self.max_rows if self.is_batched else 0,
            "input": [self._tensor_config(spec) for spec in self.inputs],
            "output": [self._tensor_config(spec) for spec in self.outputs],
            "parameters": {name: {"string_value": value} for name, value in parameters.items()},
        }
        if self.steps:
            described["ensemble_scheduling"] = {"step": [{"model_name": step, "model_version": -1} for step in self.steps]}
        return described

    def _tensor_config(self, spec: TensorSpec) -> dict[str, object]:
        dims = spec.shape[1:] if self.is_batched else spec.shape
        return {"name": spec.name, "data_type": _config_type(spec.datatype), "dims": list(dims)}


def _named(specs: Sequence[TensorSpec], name: str, complaint: str) -> TensorSpec:
    for spec in specs:
        if spec.name == name:
            return spec
    raise InvalidRequest(f"{complaint} `{name[:100]}`; there are {', '.join(spec.name for spec in specs)}", param=name[:100])


def _tensor_metadata(spec: TensorSpec) -> dict[str, object]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}


def _config_type(datatype: str) -> str:
    return "TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}"


@cache
def model_specs(embedding_dim: int) -> Mapping[str, ModelSpec]:
    """The models by name. `embedding_dim` is the picture embedder's."""
    image = TensorSpec("image", "BYTES", (-1,))
    embedding = TensorSpec("embedding", "FP32", (-1, embedding_dim))
    specs = (
        ModelSpec(
            "detector",
            (image,),
            (
                TensorSpec("boxes", "FP32", (-1, MAX_DETECTIONS, 4)),
                TensorSpec("scores", "FP32", (-1, MAX_DETECTIONS)),
                TensorSpec("categories", "INT64", (-1, MAX_DETECTIONS)),
                TensorSpec("count", "INT64", (-1,)),
            ),
            max_rows=MAX_PICTURES,
            needs=("Detector",),
        ),
        ModelSpec("embedder", (image,), (embedding,), max_rows=MAX_PICTURES, needs=("Detector",)),
        ModelSpec(
            "retriever",
            (embedding, TensorSpec("k", "INT64", (1,))),
            (TensorSpec("ids", "BYTES", (-1, -1)), TensorSpec("similarities", "FP32", (-1, -1))),
            max_rows=MAX_VECTORS,
            is_batched=False,  # `k` is one for all rows
            needs=("Retriever",),
        ),
        ModelSpec(
            "ranker",
            (TensorSpec("features", "FP32", (-1, len(FEATURE_NAMES))),),
            (TensorSpec("scores", "FP32", (-1, 3)),),
            max_rows=MAX_ROWS,
            needs=("Ranker",),
        ),
        ModelSpec(
            "identity",
            (TensorSpec("INPUT0", "FP32", (-1,)),),
            (TensorSpec("OUTPUT0", "FP32", (-1,)),),
            max_rows=MAX_DIMENSION,
            is_batched=False,
            takes_anything=True,
        ),
        ModelSpec(
            "recognize",
            (TensorSpec("image", "BYTES", (1,)),),
            (TensorSpec("products", "BYTES", (1,)),),
            max_rows=1,
            is_batched=False,
            platform="ensemble",
            needs=("Detector", "Retriever"),
            steps=("detector", "retriever"),
        ),
    )
    return {spec.name: spec for spec in specs}
