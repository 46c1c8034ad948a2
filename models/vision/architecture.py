"""The detector that ships: a small two-stage network that answers in the form of the DETR family.

Stage one is dense: a centre heat map after Zhou et al., "Objects as Points" (2019), box distances after Tian et al., "FCOS" (2019).
Stage two looks at each candidate again (`models/vision/refinement.py`). Its output has `logits` and `pred_boxes`, and `loss` when it
is given `labels`: everything that runs or trains RT-DETR, D-FINE or DETR checkpoints does so with this one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  # the field's name for it
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoModelForObjectDetection, PreTrainedConfig, PreTrainedModel
from transformers.utils import ModelOutput

from models.vision.refinement import Refinement

STRIDE = 8  # input pixels per cell of the heat map


class DenseDetectorConfig(PreTrainedConfig):  # type: ignore[misc]  # transformers is untyped here
    """`widths`: channels at strides 4, 8, 16, 32; `depths`: residual blocks there; `neck`: channels of the fused map;
    `looks`: how often each candidate is looked at again."""

    model_type = "livecart_detector"

    def __init__(
        self,
        widths: tuple[int, ...] = (24, 48, 96, 160),
        depths: tuple[int, ...] = (1, 2, 2, 1),
        neck: int = 64,
        num_queries: int = 40,
        looks: int = 2,
        **kwargs: object,
    ) -> None:
        self.widths = list(widths)
        self.depths = list(depths)
        self.neck = neck
        self.num_queries = num_queries
        self.looks = looks
        super().__init__(**kwargs)


@dataclass
class DenseDetectorOutput(ModelOutput):  # type: ignore[misc]  # transformers is untyped here
    """`logits` (n, queries, classes): sigmoid gives scores; `pred_boxes` (n, queries, 4): cx, cy, w, h in 0..1; `loss` with labels."""

    loss: Tensor | None = None
    logits: Tensor | None = None
    pred_boxes: Tensor | None = None


@dataclass(frozen=True, slots=True)
class DenseMaps:
    """What stage one says at each cell: `objectness` (n, h, w) logits, `distances` (n, 4, h, w) left, top, right and bottom in 0..1
    of the input. `features` (n, c, h, w) and `details` (n, d, 2h, 2w) are what stage two looks at."""

    objectness: Tensor
    distances: Tensor
    features: Tensor
    details: Tensor


def _convolution(inputs: int, outputs: int, *, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    layers = (nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolution(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, features: Tensor) -> Tensor:
        return F.relu(features + self.second(self.first(features)))


def stage(inputs: int, outputs: int, depth: int) -> nn.Sequential:
    """Halves the resolution, then `depth` residual blocks."""
    return nn.Sequential(_convolution(inputs, outputs, stride=2), *(Residual(outputs) for _ in range(depth)))


class DenseDetector(PreTrainedModel):  # type: ignore[misc]  # transformers is untyped here
    config_class = DenseDetectorConfig
    base_model_prefix = "detector"
    main_input_name = "pixel_values"
    _loss_function = None  # asked for when the network is converted; without an answer transformers warns

    def __init__(self, config: DenseDetectorConfig) -> None:
        super().__init__(config)
        widths, depths = config.widths, config.depths
        self.stem = _convolution(3, widths[0] // 2, stride=2)
        inputs = (widths[0] // 2, *widths[:-1])
        self.stages = nn.ModuleList([stage(into, out, depth) for into, out, depth in zip(inputs, widths, depths, strict=True)])
        self.laterals = nn.ModuleList([nn.Conv2d(width, config.neck, 1) for width in widths[1:]])
        self.fuse = _convolution(config.neck, config.neck)
        self.tower = nn.Sequential(_convolution(config.neck, config.neck), _convolution(config.neck, config.neck))
        self.head = nn.Conv2d(config.neck, 5, 1)
        self.refinement = Refinement(config.neck, widths[0], config.num_labels)
        self.post_init()
        nn.init.constant_(self.get_parameter("head.bias")[:1], -4.0)  # rare objects: focal loss starts calm (Lin et al., 2017)

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)

    def maps(self, pixel_values: Tensor) -> DenseMaps:
        """`pixel_values`: float (n, 3, height, width), 0..1, sides divisible by 32."""
        features = self.stem(pixel_values)
        pyramid = []
        for level in self.stages:
            features = level(features)
            pyramid.append(features)
        fused = self.laterals[-1](pyramid[-1])
        for lateral, finer in zip(reversed(self.laterals[:-1]), reversed(pyramid[1:-1]), strict=True):
            fused = lateral(finer) + F.interpolate(fused, scale_factor=2.0, mode="nearest")
        fused = self.fuse(fused)
        raw = self.head(self.tower(fused)).float()
        return DenseMaps(raw[:, 0], F.softplus(raw[:, 1:]) * 0.1, fused, pyramid[0])

    def forward(self, pixel_values: Tensor, labels: Sequence[Mapping[str, Tensor]] | None = None, **_: object) -> DenseDetectorOutput:
        """`labels`, one a picture as DETR takes them: `class_labels` int64 (k,) and `boxes` float (k, 4) cx, cy, w, h in 0..1."""
        maps = self.maps(pixel_values)
        objectness, boxes = peaks(maps, self.config.num_queries)
        if labels is not None:
            from models.vision.losses import detection_loss  # noqa: PLC0415  # serving needs none of it

            return DenseDetectorOutput(loss=detection_loss(maps, boxes, self.refinement, labels, looks=self.config.looks))
        looked = self.refinement(maps.features, maps.details, boxes)
        for _look in range(1, self.config.looks):
            looked = self.refinement(maps.features, maps.details, looked.boxes)
        best = (objectness + looked.overlap) / 2  # found for sure and framed well: the geometric mean of the odds
        logits = best[..., None] + looked.categories - looked.categories.amax(dim=-1, keepdim=True)
        corner, size = looked.boxes[..., :2], looked.boxes[..., 2:] - looked.boxes[..., :2]
        return DenseDetectorOutput(logits=logits, pred_boxes=torch.cat((corner + size / 2, size), dim=-1))


def cell_centres(height: int, width: int, device: torch.device) -> Tensor:
    """(2, height, width): x and y of each cell's centre, 0..1."""
    y, x = torch.meshgrid(
        (torch.arange(height, device=device) + 0.5) / height, (torch.arange(width, device=device) + 0.5) / width, indexing="ij"
    )
    return torch.stack((x, y))


def corners(maps: DenseMaps) -> Tensor:
    """(n, 4, height, width): x1, y1, x2, y2 that each cell predicts, 0..1 of the input."""
    height, width = maps.objectness.shape[-2:]
    centres = cell_centres(height, width, maps.objectness.device)
    return torch.cat((centres - maps.distances[:, :2], centres + maps.distances[:, 2:]), dim=1)


def peaks(maps: DenseMaps, queries: int) -> tuple[Tensor, Tensor]:
    """The best local maxima of the heat map, best first: objectness logits (n, queries) and boxes (n, queries, 4) x1 y1 x2 y2 in 0..1."""
    heat = maps.objectness
    is_peak = F.max_pool2d(heat[:, None], 3, 1, 1)[:, 0] == heat
    scores = torch.where(is_peak, heat, torch.full_like(heat, -20.0)).flatten(1)
    best, where = scores.topk(min(queries, scores.shape[1]), dim=1)
    return best, corners(maps).flatten(2).gather(2, where[:, None].expand(-1, 4, -1)).transpose(1, 2).clamp(0, 1)


def register() -> None:
    """Makes the Auto classes of transformers know the networks that ship. Calling it again changes nothing."""
    from models.vision.embedder import EmbedderConfig, ProductEmbedder  # noqa: PLC0415  # the embedder builds on this module

    AutoConfig.register(DenseDetectorConfig.model_type, DenseDetectorConfig, exist_ok=True)
    AutoModelForObjectDetection.register(DenseDetectorConfig, DenseDetector, exist_ok=True)
    AutoConfig.register(EmbedderConfig.model_type, EmbedderConfig, exist_ok=True)
    AutoModel.register(EmbedderConfig, ProductEmbedder, exist_ok=True)
