"""Trains the product embedder that ships: supervised contrastive learning (Khosla et al., 2020) where each drawn look is a class."""

import math
from pathlib import Path
from random import Random

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from models.artifacts import write_manifest
from models.demo.drawing import scene
from models.demo.drawing.look import random_look
from models.evaluation.recognition import choose_threshold
from models.training.crops import CropStream, crops_of, similar_looks, twice
from models.training.loop import Schedule, Training, pick_device, save_network
from models.vision.checkpoints import SCHEMA
from models.vision.embedder import EmbedderConfig, ProductEmbedder


def train(  # noqa: PLR0913  # one keyword per setting
    out: Path,
    *,
    run: Path = Path("runs/embedder"),
    steps: int = 800,
    looks: int = 32,
    views: int = 4,
    seed: int = 0,
    device: str = "auto",
    side_px: int = 80,
    threads: int = 1,
    held_out: int = 400,
    model: EmbedderConfig | None = None,
    max_minutes: float = math.inf,
) -> dict[str, float]:
    """Trains (or resumes what `run` holds) on `looks` x `views` crops a step, writes the model to `out`, returns the held-out metrics.

    With `max_minutes` the schedule is squeezed to end by then.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    schedule = Schedule(steps=steps, learning_rate=2e-3, limit_s=max_minutes * 60)
    training: Training[ProductEmbedder, Tensor] = Training(
        ProductEmbedder(model or EmbedderConfig()), schedule, run=run, device=pick_device(device)
    )
    stream = CropStream(seed=seed, side_px=side_px, looks=looks, views=views, first=training.step)
    loader: DataLoader[Tensor] = DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=4)
    training.fit(twice(loader, seed=training.step), loss_of, title="embedder")
    return export(training.averaged, out, side_px=side_px, seed=seed, crops=training.step * looks * views, held_out=held_out)


def loss_of(model: ProductEmbedder, crops: Tensor) -> Tensor:
    """The contrastive loss of crops uint8 (looks, views, 3, side, side)."""
    looks, views = crops.shape[:2]
    device = next(model.parameters()).device
    vectors = model(crops.flatten(0, 1).to(device, torch.float32, memory_format=torch.channels_last) / 255)
    return contrastive_loss(vectors.float(), torch.arange(looks, device=device).repeat_interleave(views))


def contrastive_loss(vectors: Tensor, labels: Tensor, *, temperature: float = 0.1) -> Tensor:
    """L_out of Khosla et al. (2020): vectors (n, dim), unit; labels (n,), each at least twice.

    With P(i) the others of i's label: mean over i of
    -1/|P(i)| sum over p in P(i) of log(exp(v_i v_p / t) / sum over a != i of exp(v_i v_a / t)).
    """
    itself = torch.eye(len(labels), dtype=torch.bool, device=vectors.device)
    similarity = (vectors @ vectors.T / temperature).masked_fill(itself, float("-inf"))
    log_probability = similarity - similarity.logsumexp(dim=1, keepdim=True)
    positive = (labels[:, None] == labels[None, :]) & ~itself
    return -(log_probability.masked_fill(~positive, 0.0).sum(dim=1) / positive.sum(dim=1)).mean()


def export(model: ProductEmbedder, out: Path, *, side_px: int, seed: int, crops: int, held_out: int) -> dict[str, float]:
    """Writes weights (fp16), input settings and manifest to `out`; metrics and match threshold come from `held_out` unseen looks."""
    metrics = evaluate_embedder(model, looks=held_out, side_px=side_px)
    model.config.match_threshold = round(metrics["match_threshold"], 4)
    save_network(model, out, side_px=side_px)
    data = {"generator": "models.training.crops.CropStream", "crops": crops, "held_out_looks": held_out, "side_px": side_px}
    command = f"livecart train embedder --out {out.as_posix()} --seed {seed}"
    write_manifest(out, kind="embedder", schema=SCHEMA, command=command, seed=seed, data=data, metrics=metrics)
    return metrics


@torch.inference_mode()
def evaluate_embedder(model: ProductEmbedder, *, looks: int, side_px: int, shelf_size: int = 20) -> dict[str, float]:
    """Held-out crops, two enrolled and four sought of each look, on shelves of `shelf_size`: `rank1`, the threshold and its costs.

    `hard_rank1` is over shelves of which half the looks differ from others in little more than colour or print.
    """
    rng = Random("held-out looks")
    backdrops = [scene.stage(rng, (160, 160)).picture for _ in range(32)]
    pools = {"": [random_look(rng) for _ in range(looks)], "hard_": similar_looks(rng, looks)}
    metrics: dict[str, float] = {}
    for prefix, pool in pools.items():
        same, strangers = [], []
        for start in range(0, looks - shelf_size + 1, shelf_size):
            crops = torch.stack([crops_of(look, rng, backdrops, views=6, side_px=side_px) for look in pool[start : start + shelf_size]])
            vectors = model(crops.flatten(0, 1).float() / 255).reshape(shelf_size, 6, -1)
            similarity = torch.einsum("aqd,bgd->aqbg", vectors[:, 2:], vectors[:, :2]).amax(dim=-1)
            own = torch.eye(shelf_size, dtype=torch.bool)[:, None].expand(-1, 4, -1)
            same.append(similarity[own])
            strangers.append(similarity.masked_fill(own, -1.0).amax(dim=-1).flatten())
        mine, others = torch.cat(same).double().numpy(), torch.cat(strangers).double().numpy()
        threshold = choose_threshold(mine, others)
        metrics |= {f"{prefix}rank1": float((mine > others).mean()), f"{prefix}match_threshold": threshold.value}
        metrics |= {f"{prefix}true_accepts": threshold.true_accepts, f"{prefix}false_accepts": threshold.false_accepts}
    return metrics
