"""What runs the networks: OpenVINO on CPUs; torch on GPUs, and on CPUs for what OpenVINO does not convert. Measured in docs/adr/0006.

A conversion counts only when it says on test pictures what torch says. With the runtime `auto`, a network that does not convert is
run by torch, and `Network.runtime` says why; with `openvino` it is an error.
"""

import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.types import ArtifactError
from models.vision.checkpoints import Checkpoint, Preparation

Precision = Literal["float32", "bfloat16"]
Array = NDArray[Any]

MOST_DIFFERENCE: Mapping[Precision, float] = {"float32": 1e-4, "bfloat16": 0.1}  # of a score or a coordinate of a unit vector
FAINT = 0.01  # scores below are not compared: there are hundreds, in any order
GRAPH_SIZES = (1, 2, 4, 8, 16, 32, 64)  # batches are filled up to these when torch compiles: one CUDA graph each


@dataclass(frozen=True, slots=True)
class Compute:
    """Where and how the networks run."""

    device: str = "cpu"  # of torch: cpu, cuda, cuda:1
    precision: Precision = "float32"  # bfloat16: GPUs, and CPUs with AMX or AVX512-BF16
    runtime: Literal["auto", "openvino", "torch"] = "auto"  # auto: openvino on a CPU where it is installed and converts, else torch
    compile: bool = False  # torch only: compiled, with CUDA graphs on a GPU; costs a minute at the start


class Network(Protocol):
    """A network that is ready to run. Several threads may call it."""

    @property
    def runtime(self) -> str:
        """`openvino` or `torch`, for people: with the reason where torch stands in."""

    def __call__(self, inputs: Mapping[str, Array | Tensor]) -> tuple[Array, ...]:
        """The head's outputs for inputs whose first axis is the batch."""


def network(head: nn.Module, checkpoint: Checkpoint, compute: Compute) -> Network:
    """Makes a head of a checkpoint ready. Raises ArtifactError when the runtime that was asked for by name cannot run it."""
    if compute.runtime == "torch" or (compute.runtime == "auto" and compute.device != "cpu"):
        return TorchNetwork(head, compute)
    try:
        return OpenVinoNetwork(head, checkpoint, compute)
    except NotConvertedError as error:
        if compute.runtime == "openvino":
            raise ArtifactError(f"OpenVINO cannot run {_name(checkpoint)}: {error}. `runtime: torch` can.") from error
        return TorchNetwork(head, compute, because=str(error))


class TorchNetwork:
    """Eager torch, or torch.compile."""

    def __init__(self, head: nn.Module, compute: Compute, *, because: str = "") -> None:
        self.runtime = f"torch ({because})" if because else "torch"
        self._device = torch.device(compute.device)
        self._is_reduced = compute.precision == "bfloat16"
        self._is_compiled = compute.compile
        self._run = head.eval().to(self._device)
        self._run.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch leaves this form out of its types
        if compute.compile:
            self._run.compile(mode="reduce-overhead" if self._device.type == "cuda" else "default", dynamic=False)

    def __call__(self, inputs: Mapping[str, Array | Tensor]) -> tuple[Array, ...]:
        there = {name: torch.as_tensor(value).to(self._device) for name, value in inputs.items()}
        wanted = len(next(iter(there.values())))
        if self._is_compiled:
            there = {name: filled(value) for name, value in there.items()}
        with torch.inference_mode(), torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._is_reduced):
            outputs = self._run(**there)
        return tuple(output[:wanted].cpu().numpy() for output in outputs)


def filled(batch: Tensor) -> Tensor:
    """The batch with its last item repeated until it has a size for which there is a graph; past the largest as it is."""
    size = next((size for size in GRAPH_SIZES if size >= len(batch)), len(batch))
    return torch.cat((batch, batch[-1:].expand(size - len(batch), *batch.shape[1:])))


class NotConvertedError(RuntimeError):
    """Why OpenVINO does not run a network."""


class OpenVinoNetwork:
    """The head as OpenVINO compiled it for this CPU."""

    runtime = "openvino"

    def __init__(self, head: nn.Module, checkpoint: Checkpoint, compute: Compute) -> None:
        """Raises NotConvertedError."""
        self._compiled = _converted(head.eval(), checkpoint, compute)
        self._threads = threading.local()  # a request object serves one call at a time
        _compare(self, head, _test_pixels(checkpoint), MOST_DIFFERENCE[compute.precision])

    def __call__(self, inputs: Mapping[str, Array | Tensor]) -> tuple[Array, ...]:
        request = getattr(self._threads, "request", None)
        if request is None:
            request = self._threads.request = self._compiled.create_infer_request()
        (pixels,) = inputs.values()
        answers = request.infer([np.asarray(pixels)], share_inputs=True)
        return tuple(answers.to_tuple())


def _converted(head: nn.Module, checkpoint: Checkpoint, compute: Compute) -> Any:  # noqa: ANN401  # OpenVINO's class
    prepare = checkpoint.prepare
    if find_spec("openvino") is None:
        raise NotConvertedError("OpenVINO is not installed")
    if not isinstance(prepare, Preparation):
        raise NotConvertedError("the size of its input varies")
    import openvino  # noqa: PLC0415  # a second, and only CPUs need it

    core = _core()
    if compute.precision == "bfloat16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise NotConvertedError("this CPU does not compute in bfloat16")
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the tracer: whether the trace holds is checked on its answers
            model = openvino.convert_model(head, example_input=torch.from_numpy(_test_pixels(checkpoint)))
        model.reshape([-1, prepare.height, prepare.width, 3])
        return core.compile_model(model, "CPU", _options(compute))
    except Exception as error:  # tracing runs the network's own code, which may raise anything
        raise NotConvertedError(f"the conversion failed: {type(error).__name__}: {str(error)[:300]}") from error


@cache
def _core() -> Any:  # noqa: ANN401  # OpenVINO's class
    """One for the life of the process: each sets a signal stack for AMX and takes it away at its end, so that with two of them the
    stack of the first stays in use after it is freed, and the next signal kills the process."""
    import openvino  # noqa: PLC0415  # a second, and only CPUs need it

    return openvino.Core()


def _options(compute: Compute) -> dict[str, object]:
    return {
        "INFERENCE_PRECISION_HINT": "bf16" if compute.precision == "bfloat16" else "f32",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # replicas that pin themselves all pin themselves to the same core
    }


def _test_pixels(checkpoint: Checkpoint) -> Array:
    """Two pictures of coloured clouds, uint8 (2, height, width, 3)."""
    prepare = checkpoint.prepare
    if not isinstance(prepare, Preparation):
        raise NotConvertedError("the size of its input varies")
    coarse = torch.rand(2, 3, 12, 12, generator=torch.Generator().manual_seed(0)) * 255
    clouds = nn.functional.interpolate(coarse, size=(prepare.height, prepare.width), mode="bilinear")
    return np.ascontiguousarray(clouds.permute(0, 2, 3, 1).to(torch.uint8).numpy())


def _compare(converted: OpenVinoNetwork, head: nn.Module, pixels: Array, most: float) -> None:
    """Raises NotConvertedError when the two say different things, or one picture another thing than the same picture in a batch."""
    with torch.inference_mode():
        expected = [output.numpy() for output in head(torch.from_numpy(pixels))]
    pair, alone = converted({"pixel_values": pixels}), converted({"pixel_values": pixels[:1]})
    for name, said, wanted in (("", pair, expected), (" for one picture", alone, [each[:1] for each in expected])):
        difference = _difference(said, wanted)
        if not difference <= most:
            raise NotConvertedError(f"converted, it differs from torch by {difference:.2g}{name}")


def _difference(said: Sequence[Array], wanted: Sequence[Array]) -> float:
    """The largest distance between unit vectors' coordinates; of detections, between a box with its score and its nearest twin."""
    if [each.shape for each in said] != [each.shape for each in wanted]:
        return float("inf")
    if len(wanted) == 1:
        return float(np.abs(said[0] - wanted[0]).max())
    pictures = zip(*(np.concatenate((boxes, scores[..., None]), axis=2) for boxes, scores, _ in (said, wanted)), strict=True)
    return max(max(_farthest(ours, theirs), _farthest(theirs, ours)) for ours, theirs in pictures)


def _farthest(some: Array, others: Array) -> float:
    """From the box in `some` that is farthest from all `others`, (n, 5) with the score last; what scores next to nothing does not count."""
    speaking = some[~(some[:, 4] < FAINT)]  # whatever is no number speaks
    distances = np.abs(speaking[:, None] - others[None]).max(axis=2, initial=0.0).min(axis=1, initial=2.0)
    return float(distances.max(initial=0.0))


def _name(checkpoint: Checkpoint) -> str:
    return checkpoint.model.config.name_or_path or type(checkpoint.model).__name__
