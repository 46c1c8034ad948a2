"""Trains the detector that ships, on frames drawn on the fly.

Losses: penalty-reduced focal loss on the heat map (Zhou et al., 2019), generalised IoU on the boxes (Rezatofighi et al., 2019) and
cross entropy on the category, both weighted by the heat of the cell (Liu et al., "TTFNet", 2020).
"""

import math
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812  # the field's name for it
from torch import Tensor
from torch.utils.data import DataLoader

from models.artifacts import write_manifest
from models.demo.drawing.look import CATEGORIES
from models.evaluation.detection import evaluate_detector
from models.training.loop import Schedule, Training, pick_device, save_network
from models.training.pictures import FrameExample, FrameStream
from models.vision.architecture import STRIDE, DenseDetector, DenseDetectorConfig, cell_centres, corners
from models.vision.checkpoints import SCHEMA
from models.vision.detector import ProductDetector
from models.vision.embedder import EmbedderConfig, ProductEmbedder

SPREAD = 0.1  # standard deviation of a product's heat, in widths and heights of its box
FrameBatch = tuple[Tensor, list[Tensor], list[Tensor]]


def train(  # noqa: PLR0913  # one keyword per setting
    out: Path,
    *,
    run: Path = Path("runs/detector"),
    steps: int = 1500,
    batch_size: int = 16,
    seed: int = 0,
    device: str = "auto",
    side_px: int = 256,
    threads: int = 1,
    held_out: int = 400,
    model: DenseDetectorConfig | None = None,
    max_minutes: float = math.inf,
) -> dict[str, float]:
    """Trains (or resumes what `run` holds), writes the model with its manifest to `out` and returns the held-out metrics.

    With `max_minutes` the schedule is squeezed to end by then. Returns `ap`, `ap50` and the like of unseen composites.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    config = model or DenseDetectorConfig(
        id2label=dict(enumerate(CATEGORIES)), label2id={name: index for index, name in enumerate(CATEGORIES)}
    )
    schedule = Schedule(steps=steps, learning_rate=2e-3, limit_s=max_minutes * 60)
    training: Training[DenseDetector, FrameBatch] = Training(DenseDetector(config), schedule, run=run, device=pick_device(device))
    stream = FrameStream(seed=seed, side_px=side_px, first=training.step)
    loader = DataLoader(stream, batch_size=batch_size, num_workers=1, collate_fn=collate, prefetch_factor=6)
    training.fit(loader, loss_of, title="detector")
    return export(training.averaged, out, side_px=side_px, seed=seed, frames=training.step * batch_size, held_out=held_out)


def loss_of(model: DenseDetector, batch: FrameBatch) -> Tensor:
    """The sum of the three losses over a batch of frames."""
    pixels, boxes, categories = batch
    device = next(model.parameters()).device
    maps = model.maps(pixels.to(device, torch.float32, memory_format=torch.channels_last) / 255)
    with torch.autocast(device.type, enabled=False):
        heat, target, labels = (
            value.to(device) for value in target_maps(boxes, categories, pixels.shape[-2] // STRIDE, pixels.shape[-1] // STRIDE)
        )
        weight = torch.where(heat > 0.25, heat, torch.zeros_like(heat))
        total = weight.sum().clamp(min=1.0)
        box_loss = (weight * (1 - generalised_iou(corners(maps), target))).sum() / total
        category_loss = (weight * F.cross_entropy(maps.categories, labels, reduction="none")).sum() / total
        return heat_loss(maps.objectness, heat) + 2.5 * box_loss + 0.5 * category_loss


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    """Penalty-reduced focal loss; cells with heat 1 are centres, the others count less the nearer they are to one."""
    probability = torch.sigmoid(logits)
    centre = heat == 1
    at_centres = -((1 - probability) ** 2) * F.logsigmoid(logits) * centre
    elsewhere = -((1 - heat) ** 4) * probability**2 * F.logsigmoid(-logits) * ~centre
    return (at_centres + elsewhere).sum() / centre.sum().clamp(min=1)


def generalised_iou(predicted: Tensor, target: Tensor) -> Tensor:
    """(n, h, w) in -1..1 of boxes (n, 4, h, w) x1 y1 x2 y2."""
    area = ((side[:, 2] - side[:, 0]).clamp(min=0) * (side[:, 3] - side[:, 1]).clamp(min=0) for side in (predicted, target))
    inner = (torch.minimum(predicted[:, 2:], target[:, 2:]) - torch.maximum(predicted[:, :2], target[:, :2])).clamp(min=0).prod(dim=1)
    outer = (torch.maximum(predicted[:, 2:], target[:, 2:]) - torch.minimum(predicted[:, :2], target[:, :2])).clamp(min=0).prod(dim=1)
    union = sum(area, -inner) + 1e-9
    return inner / union - (outer - union) / (outer + 1e-9)


def target_maps(boxes: list[Tensor], categories: list[Tensor], height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Heat (n, h, w), boxes (n, 4, h, w) and labels (n, h, w) that each cell should say; a cell belongs to its hottest product."""
    centres = cell_centres(height, width, torch.device("cpu"))
    heat, target = torch.zeros(len(boxes), height, width), torch.zeros(len(boxes), 4, height, width)
    labels = torch.zeros(len(boxes), height, width, dtype=torch.int64)
    for index, (frame_boxes, frame_categories) in enumerate(zip(boxes, categories, strict=True)):
        if len(frame_boxes) == 0:
            continue
        each = _heat_of(frame_boxes, centres)
        heat[index], owner = each.max(dim=0)
        target[index] = frame_boxes[owner].permute(2, 0, 1)
        labels[index] = frame_categories[owner]
    return heat, target, labels


def _heat_of(boxes: Tensor, centres: Tensor) -> Tensor:
    """(k, h, w): a Gaussian over each box, exactly 1 in the cell that holds its middle."""
    height, width = centres.shape[1:]
    size = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-3)
    grid = torch.tensor([width, height])
    middle = (((boxes[:, :2] + boxes[:, 2:]) / 2 * grid).floor().clamp(max=grid - 1) + 0.5) / grid
    spread = torch.maximum(size * SPREAD, 0.5 / grid)
    offset = (centres[None] - middle[:, :, None, None]) / spread[:, :, None, None]
    return torch.exp(-0.5 * (offset**2).sum(dim=1))


def collate(examples: list[FrameExample]) -> FrameBatch:
    return torch.stack([pixels for pixels, _, _ in examples]), [boxes for _, boxes, _ in examples], [labels for _, _, labels in examples]


def export(model: DenseDetector, out: Path, *, side_px: int, seed: int, frames: int, held_out: int) -> dict[str, float]:
    """Writes weights (fp16), input settings and manifest to `out`; the metrics are those of `held_out` unseen composites."""
    save_network(model, out, side_px=side_px)
    with tempfile.TemporaryDirectory() as scratch:
        save_network(ProductEmbedder(EmbedderConfig(widths=(8, 8, 8, 8), depths=(0, 0, 0, 0), dim=8)), Path(scratch), side_px=32)
        metrics = evaluate_detector(ProductDetector.load(out, scratch, min_score=0.01), frames=held_out)
    data = {"generator": "models.training.pictures.FrameStream", "frames": frames, "held_out_frames": held_out, "side_px": side_px}
    command = f"livecart train detector --out {out.as_posix()} --seed {seed}"
    write_manifest(out, kind="detector", schema=SCHEMA, command=command, seed=seed, data=data, metrics=metrics)
    return metrics
