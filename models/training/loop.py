"""What the vision trainings share: a seeded, resumable loop with averaged weights, a cosine schedule and progress."""

import copy
import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from transformers import PreTrainedModel

from models.artifacts import MANIFEST

Module = TypeVar("Module", bound=nn.Module)
Batch = TypeVar("Batch")


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast: AdamW with a linear warm-up and a cosine to zero, weights averaged exponentially."""

    steps: int
    learning_rate: float
    warm_up_steps: int = 80
    weight_decay: float = 1e-2
    average_decay: float = 0.99
    checkpoint_every: int = 50
    limit_s: float = math.inf  # wall clock: the schedule is squeezed so that it ends by then

    def progress(self, step: int, elapsed_s: float = 0.0) -> float:
        """How much of the schedule is behind, 0..1, by steps or by time, whichever is further."""
        return min(1.0, max(step / self.steps, elapsed_s / self.limit_s))

    def rate(self, step: int, elapsed_s: float = 0.0) -> float:
        """The factor on the learning rate at `step`.

        >>> Schedule(steps=1000, learning_rate=1.0, warm_up_steps=10).rate(500)
        0.5
        """
        warm = min(1.0, (step + 1) / (self.warm_up_steps + 1))
        return warm * 0.5 * (1 + math.cos(math.pi * self.progress(step, elapsed_s)))


class Training(Generic[Module, Batch]):
    """One training in `run`: its checkpoint there is taken up when there is one. `averaged` holds the weights to ship."""

    def __init__(self, model: Module, schedule: Schedule, *, run: Path, device: torch.device) -> None:
        self.model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub forgets this form
        self.averaged = copy.deepcopy(self.model).eval()
        self.schedule = schedule
        self.device = device
        self.step = 0
        self._started_s = time.monotonic()
        self._checkpoint = run / "checkpoint.pt"
        self._optimiser = torch.optim.AdamW(self.model.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay)
        run.mkdir(parents=True, exist_ok=True)
        if self._checkpoint.exists():
            self._resume()

    def fit(self, batches: Iterable[Batch], loss_of: Callable[[Module, Batch], Tensor], *, title: str) -> None:
        """Runs to the end of the schedule; `loss_of` is called under bf16 autocast. Ctrl-C keeps the last checkpoint."""
        self.model.train()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("loss {task.fields[loss]:.3f}"),
        )
        smoothed = float("nan")
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task(title, total=self.schedule.steps, completed=self.step, loss=smoothed)
            stream = iter(batches)
            while self.schedule.progress(self.step, self._elapsed_s()) < 1:
                loss = self._advance(next(stream), loss_of)
                smoothed = loss if math.isnan(smoothed) else 0.98 * smoothed + 0.02 * loss
                progress.update(task, completed=self.step, loss=smoothed)
                if self.step % self.schedule.checkpoint_every == 0:
                    self.save()
                    progress.console.print(f"{title} step {self.step} loss {smoothed:.4f}")
        self.save()

    def save(self) -> None:
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }
        partial = self._checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self._checkpoint)

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started_s

    def _advance(self, batch: Batch, loss_of: Callable[[Module, Batch], Tensor]) -> float:
        for group in self._optimiser.param_groups:
            group["lr"] = self.schedule.learning_rate * self.schedule.rate(self.step, self._elapsed_s())
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            loss = loss_of(self.model, batch)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's stub
        nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self._optimiser.step()
        self.step += 1
        self._average()
        return float(loss.detach())

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.schedule.average_decay, (1 + self.step) / (10 + self.step))
        for mean, value in zip(self.averaged.state_dict().values(), self.model.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    def _resume(self) -> None:
        state = torch.load(self._checkpoint, map_location=self.device, weights_only=True)
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.averaged.load_state_dict(state["averaged"])
        self._optimiser.load_state_dict(state["optimiser"])


Channels = tuple[float, ...]


def save_network(
    model: PreTrainedModel, out: Path, *, side_px: int, mean: Channels = (0.0, 0.0, 0.0), std: Channels = (1.0, 1.0, 1.0)
) -> None:
    """Weights in half precision and the input settings, as `from_pretrained` reads them. `model` itself stays as it is."""
    out.mkdir(parents=True, exist_ok=True)
    (out / MANIFEST).unlink(missing_ok=True)  # it speaks of other weights
    copy.deepcopy(model).to("cpu", torch.float16).save_pretrained(out)
    settings = {
        "image_processor_type": "RTDetrImageProcessor",
        "do_resize": True,
        "size": {"height": side_px, "width": side_px},
        "resample": 2,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": any(mean) or set(std) != {1.0},
        "image_mean": list(mean),
        "image_std": list(std),
        "do_pad": False,
    }
    (out / "preprocessor_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def pick_device(name: str) -> torch.device:
    """`auto` is the GPU when there is one."""
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)
