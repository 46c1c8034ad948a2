"""Trains the detector that ships, or any other of transformers, on frames drawn on the fly.

The loss is the network's own: `models/vision/losses.py` for ours, the matching losses of the paper for D-FINE and RT-DETR.
"""

import math
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import PreTrainedModel

from models.artifacts import write_manifest
from models.demo.drawing.look import CATEGORIES
from models.evaluation.detection import evaluate_detector
from models.training.labelled import UNNAMED, FrameExample, LabelledFrame
from models.training.loop import Schedule, Training, pick_device, save_network
from models.training.pictures import FrameStream
from models.types import ArtifactError
from models.vision.architecture import DenseDetector, DenseDetectorConfig
from models.vision.checkpoints import SCHEMA, Preparation, load_network, preparation_of
from models.vision.detector import ProductDetector
from models.vision.embedder import EmbedderConfig, ProductEmbedder
from models.vision.heads import Scaled

FrameBatch = tuple[Tensor, list[Tensor], list[Tensor]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a training goes, besides its pictures."""

    steps: int = 10_000
    batch_size: int = 16
    side_px: int = 320  # of the network's input, when it does not come with a checkpoint
    learning_rate: float = 2e-3
    held_out: int = 400  # unseen composites of the evaluation
    seed: int = 0
    max_minutes: float = math.inf  # the schedule is squeezed to end by then


def train(  # noqa: PLR0913  # one keyword per setting
    out: Path,
    *,
    run: Path = Path("runs/detector"),
    plan: Plan = Plan(),
    start: str | Path | None = None,
    frames: Sequence[LabelledFrame] = (),
    credit: str = "",
    options: Mapping[str, str] = {},
    model: DenseDetectorConfig | None = None,
    device: str = "auto",
    threads: int = 1,
) -> dict[str, float]:
    """Trains (or resumes what `run` holds), writes the model with its manifest to `out` and returns the held-out metrics.

    `start` is a folder or hub id of any AutoModelForObjectDetection checkpoint to go on from; else the network of `model` begins at
    random. `frames` that people labelled are shown besides the drawn ones; `credit` says in the manifest whose they are and under which
    licence, `options` where the command that makes the model again finds them (`--data`, `--pictures`). Returns `ap`, `ap50` and the
    like of unseen composites. Raises ArtifactError.
    """
    torch.manual_seed(plan.seed)
    torch.set_num_threads(threads)
    network, prepare = _network(model, start, plan.side_px)
    if not isinstance(network, DenseDetector) and any(UNNAMED in frame.categories for frame in frames):
        raise ArtifactError(f"{start} has to be told the category of every product: label them as one of {', '.join(CATEGORIES)}")
    schedule = Schedule(plan.steps, plan.learning_rate, limit_s=plan.max_minutes * 60, average_decay=0.998)
    training: Training[PreTrainedModel, FrameBatch] = Training(network, schedule, run=run, device=pick_device(device))
    stream = FrameStream(seed=plan.seed, side_px=prepare.height, first=training.step, labelled=frames)
    loader = DataLoader(stream, batch_size=plan.batch_size, num_workers=1, collate_fn=collate, prefetch_factor=6)
    scale = Scaled(prepare).to(training.device)
    training.fit(loader, lambda network, batch: loss_of(network, scale, batch), title="detector")
    data: dict[str, object] = {"generator": "models.training.pictures.FrameStream", "frames": training.step * plan.batch_size}
    if start is not None:
        data["start"] = str(start)
    if frames:
        data |= {"labelled_frames": len(frames), "labelled_frames_credit": credit}
    command = _command(out, plan, {"--start": str(start or ""), **options, "--credit": credit})
    return export(training.averaged, out, prepare=prepare, plan=plan, data=data, command=command)


def _command(out: Path, plan: Plan, options: Mapping[str, str]) -> str:
    """The command that makes the model again, each value one word of the shell; options without a value are left out."""
    limit = "" if math.isinf(plan.max_minutes) else f"{plan.max_minutes:g}"
    given = {"--out": out.as_posix(), "--steps": str(plan.steps), "--seed": str(plan.seed), **options, "--max-minutes": limit}
    return shlex.join(["livecart", "train", "detector", *(word for name, value in given.items() if value for word in (name, value))])


def _network(config: DenseDetectorConfig | None, start: str | Path | None, side_px: int) -> tuple[PreTrainedModel, Preparation]:
    labels, indices = dict(enumerate(CATEGORIES)), {name: index for index, name in enumerate(CATEGORIES)}
    if start is None:
        return DenseDetector(config or DenseDetectorConfig(id2label=labels, label2id=indices)), Preparation.of_side(side_px)
    network = load_network(str(start), kind="detector", id2label=labels, label2id=indices, ignore_mismatched_sizes=True)
    prepare = preparation_of(str(start))
    if not isinstance(prepare, Preparation) or prepare.height != prepare.width:
        raise ArtifactError(f"{start} has no square input of fixed size; choose a checkpoint that has (RT-DETR, D-FINE)")
    return network, prepare


def loss_of(model: PreTrainedModel, scale: Scaled, batch: FrameBatch) -> Tensor:
    """The loss that the network itself defines, of a batch of frames."""
    pixels, boxes, categories = batch
    device = next(model.parameters()).device
    labels = [
        {
            "class_labels": named.to(device),
            "boxes": torch.cat(((each[:, :2] + each[:, 2:]) / 2, each[:, 2:] - each[:, :2]), dim=1).to(device),
        }
        for each, named in zip(boxes, categories, strict=True)
    ]
    loss: Tensor = model(pixel_values=scale(pixels.permute(0, 2, 3, 1).to(device)), labels=labels).loss
    return loss.float()


def collate(examples: list[FrameExample]) -> FrameBatch:
    return torch.stack([pixels for pixels, _, _ in examples]), [boxes for _, boxes, _ in examples], [labels for _, _, labels in examples]


def export(
    model: PreTrainedModel, out: Path, *, prepare: Preparation, plan: Plan, data: dict[str, object], command: str
) -> dict[str, float]:
    """Writes weights (fp16), input settings and manifest to `out`; the metrics are those of unseen composites."""
    save_network(model, out, side_px=prepare.height, mean=prepare.mean, std=prepare.std)
    with tempfile.TemporaryDirectory() as scratch:
        save_network(ProductEmbedder(EmbedderConfig(widths=(8, 8, 8, 8), depths=(0, 0, 0, 0), dim=8)), Path(scratch), side_px=32)
        metrics = evaluate_detector(ProductDetector.load(out, scratch, min_score=0.01), frames=plan.held_out)
    facts = {**data, "held_out_frames": plan.held_out, "side_px": prepare.height}
    write_manifest(out, kind="detector", schema=SCHEMA, command=command, seed=plan.seed, data=facts, metrics=metrics)
    return metrics
