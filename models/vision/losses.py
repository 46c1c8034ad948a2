"""What the shipped detector is taught with. Loaded only when it is given labels.

Stage one: penalty-reduced focal loss on the heat map (Zhou et al., 2019) and generalised IoU on the boxes (Rezatofighi et al., 2019),
weighted by the heat of the cell (Liu et al., "TTFNet", 2020). Stage two, at each look: generalised IoU and L1 on the boxes, cross
entropy on the categories, and cross entropy of the predicted overlap with the overlap that the new box has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  # the field's name for it
from torch import Tensor

from models.vision.architecture import DenseMaps, cell_centres, corners
from models.vision.refinement import Looked, Refinement

SPREAD = 0.1  # standard deviation of a product's heat, in widths and heights of its box
WARM = 0.25  # heat from which a cell answers for the box
NEAR = 0.35  # IoU from which a candidate answers for a product
CANDIDATES = 10  # of stage one that stage two is taught on, a picture
SHAKEN = 8  # true boxes, moved at random, that it is taught on besides


@dataclass(frozen=True, slots=True)
class Truth:
    """The products of n pictures, padded to the same number: `boxes` (n, g, 4) x1 y1 x2 y2 in 0..1, `categories` and `exists` (n, g)."""

    boxes: Tensor
    categories: Tensor
    exists: Tensor


def truth_of(labels: Sequence[Mapping[str, Tensor]], device: torch.device) -> Truth:
    """From labels as DETR takes them: `boxes` cx, cy, w, h in 0..1 and `class_labels`. There is room for one product at least."""
    most = max(1, *(len(each["boxes"]) for each in labels))
    boxes, categories = torch.zeros(len(labels), most, 4), torch.zeros(len(labels), most, dtype=torch.int64)
    exists = torch.zeros(len(labels), most, dtype=torch.bool)
    for index, each in enumerate(labels):
        count = len(each["boxes"])
        middle, half = each["boxes"][:, :2], each["boxes"][:, 2:] / 2
        boxes[index, :count] = torch.cat((middle - half, middle + half), dim=1).cpu()
        categories[index, :count] = each["class_labels"].cpu()
        exists[index, :count] = True
    return Truth(boxes.to(device), categories.to(device), exists.to(device))


def detection_loss(
    maps: DenseMaps, candidates: Tensor, refinement: Refinement, labels: Sequence[Mapping[str, Tensor]], *, looks: int
) -> Tensor:
    """The sum of both stages' losses; `candidates` (n, k, 4) x1 y1 x2 y2 are the boxes of stage one, best first."""
    truth = truth_of(labels, maps.objectness.device)
    boxes = torch.cat((shaken(truth, SHAKEN), candidates[:, :CANDIDATES].detach().float()), dim=1)
    total = dense_loss(maps, truth)
    for _ in range(looks):
        looked = refinement(maps.features, maps.details, boxes)
        with torch.autocast(boxes.device.type, enabled=False):
            total = total + refinement_loss(looked, boxes, truth)
        boxes = looked.boxes.detach()
    return total


def dense_loss(maps: DenseMaps, truth: Truth) -> Tensor:
    heat, target = target_maps(truth, *maps.objectness.shape[-2:])
    weight = torch.where(heat > WARM, heat, torch.zeros_like(heat))
    overlap = generalised_iou(corners(maps).permute(0, 2, 3, 1), target)
    return heat_loss(maps.objectness, heat) + 2.5 * (weight * (1 - overlap)).sum() / weight.sum().clamp(min=1.0)


def refinement_loss(looked: Looked, boxes: Tensor, truth: Truth) -> Tensor:
    """Of one look at `boxes` (n, k, 4): those near a product answer for it, all answer for their overlap."""
    nearest, owner = _overlaps(boxes, truth).max(dim=2)
    target = truth.boxes.gather(1, owner[..., None].expand(-1, -1, 4))
    near = (nearest >= NEAR).float()
    total = near.sum().clamp(min=1.0)
    size = (target[..., 2:] - target[..., :2]).clamp(min=1e-3).repeat(1, 1, 2)
    off = F.smooth_l1_loss(looked.boxes / size, target / size, beta=0.02, reduction="none").sum(dim=-1)
    framing = (near * (2 * (1 - generalised_iou(looked.boxes, target)) + off)).sum() / total
    naming = F.cross_entropy(looked.categories.transpose(1, 2), truth.categories.gather(1, owner), reduction="none")
    reached = _overlaps(looked.boxes.detach(), truth).amax(dim=2)
    ranking = F.binary_cross_entropy_with_logits(looked.overlap, reached)
    return framing + 0.5 * (near * naming).sum() / total + ranking


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    """Penalty-reduced focal loss; cells with heat 1 are centres, the others count less the nearer they are to one."""
    probability = torch.sigmoid(logits)
    centre = heat == 1
    at_centres = -((1 - probability) ** 2) * F.logsigmoid(logits) * centre
    elsewhere = -((1 - heat) ** 4) * probability**2 * F.logsigmoid(-logits) * ~centre
    return (at_centres + elsewhere).sum() / centre.sum().clamp(min=1)


def generalised_iou(predicted: Tensor, target: Tensor) -> Tensor:
    """(...) in -1..1 of boxes (..., 4) x1 y1 x2 y2."""
    inner, union = _inner_and_union(predicted, target)
    outer = (torch.maximum(predicted[..., 2:], target[..., 2:]) - torch.minimum(predicted[..., :2], target[..., :2])).clamp(min=0)
    hull = outer.prod(dim=-1)
    return inner / union - (hull - union) / (hull + 1e-9)


def target_maps(truth: Truth, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Heat (n, h, w) and boxes (n, h, w, 4) that each cell should say; a cell belongs to its hottest product."""
    each = _heat_of(truth.boxes, cell_centres(height, width, truth.boxes.device)) * truth.exists[..., None, None]
    heat, owner = each.max(dim=1)
    target = truth.boxes.gather(1, owner.flatten(1)[..., None].expand(-1, -1, 4))
    return heat, target.reshape(*heat.shape, 4)


def shaken(truth: Truth, count: int) -> Tensor:
    """(n, count, 4): true boxes moved and scaled at random, from a little to a lot. Where there is no product, any boxes."""
    pictures, device = len(truth.boxes), truth.boxes.device
    chosen = torch.multinomial(truth.exists.float() + 1e-6, count, replacement=True)
    boxes = truth.boxes.gather(1, chosen[..., None].expand(-1, -1, 4))
    anywhere = torch.rand(pictures, count, 2, 2, device=device).sort(dim=2).values.flatten(2)
    boxes = torch.where(truth.exists.gather(1, chosen)[..., None], boxes, anywhere)
    middle, size = (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]
    strength = torch.rand(pictures, count, 1, device=device)
    noise = torch.randn(pictures, count, 4, device=device).clamp(-2, 2) * strength
    middle, half = middle + noise[..., :2] * 0.15 * size, size * (noise[..., 2:] * 0.25).exp() / 2
    return torch.cat((middle - half, middle + half), dim=-1).clamp(0, 1)


def _overlaps(boxes: Tensor, truth: Truth) -> Tensor:
    """IoU (n, k, g) of boxes (n, k, 4) with the products; 0 with those that are only padding."""
    inner, union = _inner_and_union(boxes[:, :, None], truth.boxes[:, None])
    return inner / union * truth.exists[:, None]


def _inner_and_union(some: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    area, other_area = ((each[..., 2:] - each[..., :2]).clamp(min=0).prod(dim=-1) for each in (some, others))
    inner = (torch.minimum(some[..., 2:], others[..., 2:]) - torch.maximum(some[..., :2], others[..., :2])).clamp(min=0).prod(dim=-1)
    return inner, area + other_area - inner + 1e-9


def _heat_of(boxes: Tensor, centres: Tensor) -> Tensor:
    """(n, g, h, w): a Gaussian over each box, exactly 1 in the cell that holds its middle."""
    height, width = centres.shape[1:]
    size = (boxes[..., 2:] - boxes[..., :2]).clamp(min=1e-3)
    grid = torch.tensor([width, height], device=boxes.device)
    middle = (((boxes[..., :2] + boxes[..., 2:]) / 2 * grid).floor().clamp(max=grid - 1) + 0.5) / grid
    spread = torch.maximum(size * SPREAD, 0.5 / grid)
    offset = (centres[None, None] - middle[..., None, None]) / spread[..., None, None]
    return torch.exp(-0.5 * (offset**2).sum(dim=2))
