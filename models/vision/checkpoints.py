"""Vision checkpoints of any origin: what ships, a local folder in hub format, or a hub id."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from transformers import AutoImageProcessor, AutoModel, AutoModelForObjectDetection, PreTrainedModel
from transformers.image_processing_base import ImageProcessingMixin

from models.artifacts import MANIFEST, open_artifact
from models.types import ArtifactError
from models.vision.architecture import register
from models.vision.regions import Region

SCHEMA = 1
Pixels = NDArray[np.uint8]


class Processor(Protocol):
    """An image processor of transformers."""

    def __call__(self, *, images: Sequence[Image.Image], return_tensors: str) -> dict[str, Tensor]: ...


@dataclass(frozen=True, slots=True)
class Preparation:
    """How pixels become a network's input: stretched to `height` x `width` here, scaled and normalised by the head (`heads.Scaled`)."""

    height: int
    width: int
    resample: Image.Resampling
    factor: float  # 1/255 as a rule
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, regions: Sequence[Region]) -> dict[str, Pixels]:
        """`pixel_values`: uint8 (n, height, width, 3)."""
        pixels = np.empty((len(regions), self.height, self.width, 3), dtype=np.uint8)
        for index, (picture, box) in enumerate(regions):
            pixels[index] = np.asarray(picture.resize((self.width, self.height), self.resample, box=box, reducing_gap=2.0))
        return {"pixel_values": pixels}

    @classmethod
    def of_side(cls, side_px: int) -> "Preparation":
        """Square, scaled to 0..1: what the shipped networks take."""
        return cls(side_px, side_px, Image.Resampling.BILINEAR, 1 / 255, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@dataclass(frozen=True, slots=True)
class ProcessorPreparation:
    """For checkpoints whose input keeps the aspect ratio (DETR): their own processor, with its padding mask."""

    processor: Processor

    def __call__(self, regions: Sequence[Region]) -> dict[str, Tensor]:
        images = [picture.crop(box) for picture, box in regions]
        return dict(self.processor(images=images, return_tensors="pt"))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A network in evaluation mode and what prepares its input."""

    model: PreTrainedModel
    prepare: Preparation | ProcessorPreparation


def load_checkpoint(location: str | Path, *, kind: str) -> Checkpoint:
    """Opens a `detector` or an `embedder`: a folder with our manifest (verified) or its URL, a folder in hub format, or a hub id.

    Raises ArtifactError when it is missing, damaged, of another kind, or says nothing about its input.
    """
    source = _resolved(location, kind)
    model = load_network(source, kind=kind)
    fuse(model.eval())
    return Checkpoint(model, preparation_of(source))


def load_network(source: str, *, kind: str, **changes: object) -> PreTrainedModel:
    """The network of a folder in hub format or a hub id, in float32, its configuration changed as told. Raises ArtifactError."""
    register()
    auto = AutoModelForObjectDetection if kind == "detector" else AutoModel
    try:
        return auto.from_pretrained(source, dtype=torch.float32, **changes)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        raise ArtifactError(
            f"{source} is no {kind} that can be loaded ({error}); name a folder with config.json and weights, or a hub id"
        ) from error


def fuse(model: nn.Module) -> None:
    """Folds each batch normalisation into the convolution right before it: same numbers, fewer passes over memory."""
    for block in model.modules():
        if not isinstance(block, nn.Sequential):
            continue
        for index in range(len(block) - 1):
            convolution, norm = block[index], block[index + 1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                block[index] = torch.nn.utils.fuse_conv_bn_eval(convolution, norm)
                block[index + 1] = nn.Identity()


def _resolved(location: str | Path, kind: str) -> str:
    if "://" in str(location) or (Path(location) / MANIFEST).is_file():
        return str(open_artifact(location, kind=kind, schema=SCHEMA))
    return str(location)


def preparation_of(source: str) -> Preparation | ProcessorPreparation:
    """What the processor saved with a checkpoint says about its input. Raises ArtifactError when it says nothing."""
    settings, processor = _processor(source)
    size = settings.get("size")
    if size is not None and "height" in dict(size) and "width" in dict(size):
        normalised = bool(settings.get("do_normalize", False))
        return Preparation(
            height=int(size["height"]),
            width=int(size["width"]),
            resample=Image.Resampling(int(settings.get("resample") or Image.Resampling.BILINEAR)),
            factor=float(settings.get("rescale_factor", 1 / 255)) if settings.get("do_rescale", True) else 1.0,
            mean=tuple(settings["image_mean"]) if normalised else (0.0, 0.0, 0.0),
            std=tuple(settings["image_std"]) if normalised else (1.0, 1.0, 1.0),
        )
    if processor is None:
        raise ArtifactError(
            f"the image processor of {source} has size {size} and needs torchvision, which is not used here; choose one of fixed size"
        )
    return ProcessorPreparation(processor)


def _processor(source: str) -> tuple[dict[str, Any], Processor | None]:
    """The settings of the checkpoint's processor, and the processor itself when it works without torchvision."""
    try:
        settings, _ = ImageProcessingMixin.get_image_processor_dict(source)
    except OSError as error:
        raise ArtifactError(f"{source} has no preprocessor_config.json: save the image processor beside the weights") from error
    try:
        processor = AutoImageProcessor.from_pretrained(source, backend="pil")
    except (ValueError, ImportError):
        return dict(settings), None
    return {**settings, **processor.to_dict()}, cast(Processor, processor)
