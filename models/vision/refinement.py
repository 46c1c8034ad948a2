"""The second look of the shipped detector: each candidate box is cut out of the feature maps, framed anew and named.

Sampling as RoIAlign (He et al., "Mask R-CNN", 2017), box deltas as R-CNN (Girshick et al., 2014), repeated with the same weights after
Cai and Vasconcelos, "Cascade R-CNN" (2018); the overlap that ranks boxes after Jiang et al., "IoU-Net" (2018).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  # the field's name for it
from torch import Tensor, nn

GRID = 8  # samples along each side of a box
MARGIN = 0.15  # of a box's sides, around it: its edges are inside what is looked at
WIDTH = 96
HIDDEN = 256
LARGEST_STEP = 1.0  # natural logarithm of the factor by which one look may change a side


@dataclass(frozen=True, slots=True)
class Looked:
    """Of boxes (n, k, 4): `boxes` (n, k, 4) framed anew, x1 y1 x2 y2 in 0..1; `overlap` (n, k) logits of the IoU with what is there;
    `categories` (n, k, classes) logits."""

    boxes: Tensor
    overlap: Tensor
    categories: Tensor


class Refinement(nn.Module):
    def __init__(self, channels: int, detail_channels: int, classes: int) -> None:
        super().__init__()
        self.reduce = nn.Sequential(nn.Conv2d(channels + detail_channels, WIDTH, 3, 2, 1), nn.ReLU(inplace=True))
        self.hidden = nn.Sequential(
            nn.Linear(WIDTH * (GRID // 2) ** 2, HIDDEN), nn.ReLU(inplace=True), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(inplace=True)
        )
        self.answer = nn.Linear(HIDDEN, 5 + classes)
        nn.init.normal_(self.answer.weight, std=1e-3)
        nn.init.zeros_(self.answer.bias)

    def forward(self, features: Tensor, details: Tensor, boxes: Tensor) -> Looked:
        """`features` (n, c, h, w), `details` (n, d, h2, w2), `boxes` (n, k, 4) x1 y1 x2 y2 in 0..1."""
        count, each = boxes.shape[:2]
        where = sampling_points(boxes)
        seen = torch.cat([sampled(level, where) for level in (features, details)], dim=1)
        patches = seen.reshape(count, seen.shape[1], each, GRID, GRID).transpose(1, 2).flatten(0, 1)
        raw = self.answer(self.hidden(self.reduce(patches).flatten(1))).float().reshape(count, each, -1)
        return Looked(_moved(boxes, raw[..., :4]), raw[..., 4], raw[..., 5:])


def sampling_points(boxes: Tensor) -> Tensor:
    """(n, k * GRID, GRID, 2) in -1..1: a regular grid over each box and its margin."""
    steps = (torch.arange(GRID, device=boxes.device, dtype=boxes.dtype) + 0.5) / GRID * (1 + 2 * MARGIN) - MARGIN
    corner, size = boxes[..., None, :2], (boxes[..., 2:] - boxes[..., :2])[..., None, :]
    along = (corner + size * steps[:, None]) * 2 - 1  # (n, k, GRID, 2): x and y of the columns and rows
    x = along[..., None, :, 0].expand(-1, -1, GRID, -1)
    y = along[..., :, None, 1].expand(-1, -1, -1, GRID)
    return torch.stack((x, y), dim=-1).flatten(1, 2)


def sampled(level: Tensor, where: Tensor) -> Tensor:
    return F.grid_sample(level, where.to(level.dtype), mode="bilinear", padding_mode="border", align_corners=False)


def _moved(boxes: Tensor, deltas: Tensor) -> Tensor:
    """The boxes shifted by shares of their sides and scaled by the exponential of the rest, inside the picture."""
    size = (boxes[..., 2:] - boxes[..., :2]).clamp(min=1e-3)
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2 + deltas[..., :2] * size
    half = size * deltas[..., 2:].clamp(-LARGEST_STEP, LARGEST_STEP).exp() / 2
    return torch.cat((middle - half, middle + half), dim=-1).clamp(0, 1)
