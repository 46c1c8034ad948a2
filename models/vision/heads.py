"""A network with what belongs before and behind it, as one module: pixels go in, boxes or unit vectors come out.

Whatever runs the module runs all of it, so the scaling of the input and the reading of the output are the same everywhere.
"""

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from models.vision.checkpoints import Checkpoint, Preparation


class Scaled(nn.Module):
    """uint8 pixels (n, height, width, 3) to what a network was trained on: float32 (n, 3, height, width)."""

    def __init__(self, preparation: Preparation) -> None:
        super().__init__()
        self._factor = preparation.factor
        self._is_normalised = any(preparation.mean) or set(preparation.std) != {1.0}
        self.register_buffer("mean", torch.tensor(preparation.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(preparation.std).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        scaled = pixels.permute(0, 3, 1, 2).to(torch.float32) * self._factor
        return (scaled - self.get_buffer("mean")) / self.get_buffer("std") if self._is_normalised else scaled


class DetectorHead(nn.Module):
    """Boxes float32 (n, queries, 4) as x1, y1, x2, y2 in 0..1, best scores float32 (n, queries) and their classes int64 (n, queries)."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self._scale = _scaling(checkpoint)
        self._network: PreTrainedModel = checkpoint.model
        self._labels = len(checkpoint.model.config.id2label)

    def forward(self, pixel_values: Tensor, pixel_mask: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        inputs = {"pixel_values": self._scale(pixel_values)} | ({} if pixel_mask is None else {"pixel_mask": pixel_mask})
        found = self._network(**inputs)
        best = _probabilities(found.logits.float(), self._labels).max(dim=-1)
        return _corners(found.pred_boxes.float()), best.values, best.indices


class EmbedderHead(nn.Module):
    """L2-normalised vectors, float32 (n, dim)."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self._scale = _scaling(checkpoint)
        self._network: PreTrainedModel = checkpoint.model

    def forward(self, pixel_values: Tensor) -> tuple[Tensor]:
        features = self._network.get_image_features(pixel_values=self._scale(pixel_values))
        vectors = features if isinstance(features, Tensor) else features.pooler_output
        return (nn.functional.normalize(vectors.float(), dim=-1),)


def _scaling(checkpoint: Checkpoint) -> nn.Module:
    return Scaled(checkpoint.prepare) if isinstance(checkpoint.prepare, Preparation) else nn.Identity()


def _probabilities(logits: Tensor, labels: int) -> Tensor:
    """(n, queries, labels): softmax where the last class means nothing is there (DETR), else sigmoid."""
    return logits.softmax(dim=-1)[..., :-1] if logits.shape[-1] == labels + 1 else logits.sigmoid()


def _corners(boxes: Tensor) -> Tensor:
    """cx, cy, w, h to x1, y1, x2, y2, clipped to 0..1."""
    middle, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat((middle - half, middle + half), dim=-1).clamp(0, 1)
