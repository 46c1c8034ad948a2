"""Trains the product embedder that ships: supervised contrastive learning (Khosla et al., 2020) where each drawn look is a class.

Photographs of real products, when there are some, join the same loss and, beside it, a large-margin classification (Wang et al.,
"CosFace", 2018). A few of their products are held out of the first stage: what it scores on those is what a new product gets.
"""

import math
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from random import Random
from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812  # the field's name for it
from torch import Tensor, nn
from torch.utils.data import DataLoader

from models.artifacts import open_artifact, write_manifest
from models.training.crops import CropStream, twice
from models.training.embedder_metrics import Scores, drawn_scores, photograph_scores, shared_threshold
from models.training.loop import Schedule, Training, pick_device, save_network
from models.training.photographs import Album, PhotographBatch, PhotographStream, read_album
from models.vision.checkpoints import SCHEMA
from models.vision.embedder import EmbedderConfig, ProductEmbedder

MARGIN = 0.2
PALETTE = 6  # levels per channel: colour tells much of a product before shapes are learnt
SCALE = 20.0  # of cosines, before the softmax of the classification
SHELF_SIZE = 20
WIDE_SHELF = 60  # the size of a small catalogue
NEW = "new_product_"  # photographs of products that were not trained on
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 5e-2
KEPT_BACK = 0.12  # of the photographs of each product are never trained on
FIRST_STAGE = 0.7  # of the steps: without the held-out products
FIRST_SIDE = 0.8  # of the input: smaller pictures first, as cheap as they are instructive (Touvron et al., 2019)
Batch = tuple[Tensor, Tensor, Tensor]  # drawn uint8 (looks, views, 3, side, side), photographs alike, int64 (groups,): their products


@dataclass(frozen=True, slots=True)
class Plan:
    """How a training goes, besides its photographs."""

    steps: int = 6_000
    looks: int = 12  # drawn products a step, half of them hard to tell apart
    groups: int = 40  # photographed products a step
    views: int = 4  # crops of each drawn product, half as many photographs of each photographed one
    side_px: int = 80
    held_out: int = 400  # drawn looks of the evaluation
    held_out_products: int = 16  # photographed products that the first stage never sees
    seed: int = 0
    warm_up_steps: int = 80
    max_minutes: float = math.inf


class Learner(nn.Module):
    """The embedder and, for the training alone, one direction per photographed product."""

    def __init__(self, embedder: ProductEmbedder, products: int) -> None:
        super().__init__()
        self.embedder = embedder
        self.proxies = nn.Parameter(torch.randn(products, embedder.config.dim))


def train(  # noqa: PLR0913  # one keyword per setting
    out: Path,
    *,
    run: Path = Path("runs/embedder"),
    plan: Plan | None = None,
    photographs: Path | None = None,
    credit: str = "",
    device: str = "auto",
    threads: int = 1,
    start: Path | EmbedderConfig | None = None,
) -> dict[str, float]:
    """Trains `start` further (the folder of an embedder, or the configuration of a new one) or resumes what `run` holds.

    `photographs` is a CSV `path,product_id` or a folder with a sub-folder per product; `credit` says in the manifest whose they are and
    under which licence. Without them the drawings alone are used. With the plan's `max_minutes` the schedule is squeezed to end by then.
    Writes the model to `out`, returns the held-out metrics. Raises DatasetError and ArtifactError.
    """
    plan = plan or Plan()
    torch.manual_seed(plan.seed)
    torch.set_num_threads(threads)
    learner = Learner(_started(start), 0)
    source = {"started_from": start.as_posix()} if isinstance(start, Path) else {}
    if photographs is None:
        drawings = _stage(learner, plan, run=run / "drawings", device=device)
        return _export(drawings.averaged, out, plan, [], {**source, "steps": drawings.step})
    album = read_album(photographs)
    return _with_photographs(
        learner, album, out, plan, run=run, device=device, source={**source, "photographs": photographs.name, "photographs_credit": credit}
    )


def _started(start: Path | EmbedderConfig | None) -> ProductEmbedder:
    if isinstance(start, Path):
        folder = open_artifact(start, kind="embedder", schema=SCHEMA)
        return _with_palette(cast(ProductEmbedder, ProductEmbedder.from_pretrained(folder, dtype=torch.float32)))
    return ProductEmbedder(start or EmbedderConfig(palette=PALETTE))


def _with_palette(embedder: ProductEmbedder) -> ProductEmbedder:
    """An embedder without a colour histogram gets one, which at first counts nothing."""
    if embedder.config.palette:
        return embedder
    wider = ProductEmbedder(EmbedderConfig(**{**embedder.config.to_diff_dict(), "palette": PALETTE}))
    state = dict(embedder.state_dict())
    state["project.weight"] = F.pad(state["project.weight"], (0, PALETTE**3))
    wider.load_state_dict(state)
    return wider


def _with_photographs(  # noqa: PLR0913  # one keyword per setting
    learner: Learner, album: Album, out: Path, plan: Plan, *, run: Path, device: str, source: Mapping[str, str]
) -> dict[str, float]:
    everything = range(len(album.products))
    unseen = sorted(Random(plan.seed).sample(everything, min(plan.held_out_products, len(everything) - 2)))
    known = [product for product in everything if product not in unseen]
    shown, kept_back = album.split(KEPT_BACK)
    learner = Learner(learner.embedder, len(everything))
    small = round(plan.side_px * FIRST_SIDE)
    first = _stage(learner, plan, run=run / "held-out", device=device, album=shown, products=known, share=FIRST_STAGE, side_px=small)
    sizes = {"side_px": plan.side_px, "shelf_size": SHELF_SIZE}
    new = photograph_scores(first.averaged.embedder, kept_back, shown, products=unseen, **sizes)
    last = _stage(
        first.averaged, plan, run=run / "all", device=device, album=shown, products=everything, share=1 - FIRST_STAGE, seed=plan.seed + 1
    )
    trained = photograph_scores(last.averaged.embedder, shown, kept_back, products=everything, **sizes)
    data = {
        **source,
        "steps": first.step + last.step,
        "photograph_count": sum(map(len, shown.pictures)),
        "held_out_products": [album.products[product] for product in unseen],
    }
    return _export(last.averaged, out, plan, [(NEW, new), ("trained_product_", trained)], data)


def _stage(  # noqa: PLR0913  # one keyword per setting
    learner: Learner,
    plan: Plan,
    *,
    run: Path,
    device: str,
    album: Album | None = None,
    products: Sequence[int] = (),
    share: float = 1.0,
    side_px: int | None = None,
    seed: int | None = None,
) -> Training[Learner, Batch]:
    """`share` of the plan's steps, photographs of `products` among the drawings."""
    seed, side_px = plan.seed if seed is None else seed, side_px or plan.side_px
    schedule = Schedule(
        steps=max(1, round(plan.steps * share)),
        learning_rate=LEARNING_RATE,
        weight_decay=WEIGHT_DECAY,
        warm_up_steps=plan.warm_up_steps,
        limit_s=plan.max_minutes * 60 * share,
    )
    training: Training[Learner, Batch] = Training(learner, schedule, run=run, device=pick_device(device))
    drawn = CropStream(seed=seed, side_px=side_px, looks=plan.looks, views=plan.views, first=training.step)
    photographs: Iterable[PhotographBatch] = repeat((torch.zeros(0, 1, 3, side_px, side_px, dtype=torch.uint8), torch.zeros(0)))
    if album is not None:
        stream = PhotographStream(
            album, products, seed=seed, side_px=side_px, groups=plan.groups, views=max(2, plan.views // 2), first=training.step
        )
        photographs = DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=4)
    loader: DataLoader[Tensor] = DataLoader(drawn, batch_size=None, num_workers=1, prefetch_factor=4)
    training.fit(_joined(twice(loader, seed=training.step), photographs), loss_of, title=f"embedder {run.name}")
    return training


def _joined(drawn: Iterable[Tensor], photographs: Iterable[PhotographBatch]) -> Iterator[Batch]:
    for crops, (pictures, products) in zip(drawn, photographs, strict=False):
        yield crops, pictures, products


def loss_of(learner: Learner, batch: Batch) -> Tensor:
    """The contrastive loss of all crops, and for the photographs the classification's beside it."""
    drawn, photographs, products = batch
    device = learner.proxies.device
    pixels = torch.cat((drawn.flatten(0, 1), photographs.flatten(0, 1))).to(device, torch.float32, memory_format=torch.channels_last)
    vectors = learner.embedder(pixels / 255).float()
    own = (
        torch.arange(len(drawn)).repeat_interleave(drawn.shape[1]),
        (len(drawn) + torch.arange(len(photographs))).repeat_interleave(photographs.shape[1]),
    )
    loss = contrastive_loss(vectors, torch.cat(own).to(device))
    if len(photographs) == 0:
        return loss
    shown = vectors[drawn.shape[0] * drawn.shape[1] :]
    return loss + margin_loss(shown, learner.proxies, products.to(device).repeat_interleave(photographs.shape[1]))


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


def margin_loss(vectors: Tensor, proxies: Tensor, labels: Tensor) -> Tensor:
    """CosFace: cross entropy of s (cos - m [own class]); vectors (n, dim), unit; proxies (classes, dim); labels (n,)."""
    cosines = vectors @ F.normalize(proxies.float(), dim=-1).T
    return F.cross_entropy(SCALE * (cosines - MARGIN * F.one_hot(labels, len(proxies))), labels)


def _export(
    learner: Learner, out: Path, plan: Plan, photographs: Sequence[tuple[str, Scores]], data: Mapping[str, object]
) -> dict[str, float]:
    """Writes weights (fp16), input settings and manifest. Metrics and match threshold come from what the training did not see."""
    model = learner.embedder
    looks, side_px = plan.held_out, plan.side_px
    drawn = drawn_scores(model, looks=looks, side_px=side_px, shelf_size=SHELF_SIZE)
    threshold = shared_threshold([drawn, *(scores for name, scores in photographs if name == NEW)])
    parts = [
        ("", drawn),
        ("hard_", drawn_scores(model, looks=looks, side_px=side_px, shelf_size=SHELF_SIZE, similar=True)),
        (f"shelf_{WIDE_SHELF}_", drawn_scores(model, looks=looks, side_px=side_px, shelf_size=WIDE_SHELF)),
        *photographs,
    ]
    metrics = {"match_threshold": threshold}
    for prefix, scores in parts:
        metrics |= scores.summary(prefix, threshold)
    model.config.match_threshold = round(threshold, 4)
    save_network(model, out, side_px=plan.side_px)
    facts = {
        "generator": "models.training.crops.CropStream",
        "held_out_looks": plan.held_out,
        "side_px": plan.side_px,
        **data,
    }
    write_manifest(out, kind="embedder", schema=SCHEMA, command=_command(out, plan, data), seed=plan.seed, data=facts, metrics=metrics)
    return metrics


def _command(out: Path, plan: Plan, data: Mapping[str, object]) -> str:
    """The command that makes the model again, each value one word of the shell; options without a value are left out.

    `--steps` are those that were taken, fewer than asked for where `--max-minutes` ended the training.
    """
    given = {
        "--out": out.as_posix(),
        "--steps": data["steps"],
        "--seed": plan.seed,
        "--start": data.get("started_from"),
        "--photographs": data.get("photographs"),
        "--credit": data.get("photographs_credit"),
        "--max-minutes": None if math.isinf(plan.max_minutes) else f"{plan.max_minutes:g}",
    }
    words = [word for name, value in given.items() if value not in (None, "") for word in (name, str(value))]
    return shlex.join(["livecart", "train", "embedder", *words])
