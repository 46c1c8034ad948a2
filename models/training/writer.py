"""Train the shipped writer, from scratch or further: a small Qwen3-architecture model on generated live-commerce conversations."""

import math
import random
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from tqdm import tqdm  # type: ignore[import-untyped]  # its stubs are a package of their own
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from models.artifacts import write_manifest
from models.training.corpus.examples import WRITTEN, make, random_recipe
from models.training.corpus.given import Given
from models.training.writer_batches import IGNORED, Batch, Mixture, Row, batches, collate, encode
from models.training.writer_start import prepare_copying, with_tokenizer
from models.training.writer_tokenizer import train_tokenizer

CONTEXT_LENGTH = 2048


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train; the learning rate rises over `warmup` steps, stays, and falls to zero over the last `decay` of the run.

    The run ends after `steps` or after `max_minutes` of this process, whichever is nearer, and the fall comes before that end.
    """

    steps: int = 1500
    tokens_per_step: int = 4096
    learning_rate: float = 3e-3
    warmup: int = 30
    decay: float = 0.5
    max_minutes: float = math.inf
    compiled: bool = False  # layers fused by torch.compile, which needs a C++ compiler
    new_tokenizer: bool = False  # learnt again, for going on from weights whose tokenizer knows other words
    seed: int = 20261121
    hidden: int = 256
    layers: int = 5
    heads: int = 4
    save_every: int = 100
    tokenizer_examples: int = 20_000
    held_out_examples: int = 160


def train(
    out: Path,
    *,
    state_folder: Path,
    plan: Plan | None = None,
    start: Path | None = None,
    given: Sequence[Given] = (),
    on_save: Callable[[int], None] | None = None,
) -> dict[str, float]:
    """Train (or go on where `state_folder` left off) and save a Hugging Face checkpoint in `out`; returns scores on held-out families.

    With `start`, the weights and the tokenizer of that folder are where a new run begins. `given` are questions of a file, learnt
    besides the generated ones. The checkpoint is written again every
    `save_every` steps, so an interrupted run leaves a model that can be loaded; `on_save` is called with the number of steps done
    each time. In a process group of torch.distributed each process learns from its own conversations, the gradients are averaged,
    and the first one saves.
    """
    plan = plan or Plan()
    torch.manual_seed(plan.seed)
    state_file = state_folder / "training_state.pt"
    tokenizer = _tokenizer(out if state_file.is_file() else None if plan.new_tokenizer else start, plan, given)
    model = new_model(plan, tokenizer) if start is None else _started(start, tokenizer)
    optimizers = _optimizers(model, plan)
    done = _restore(state_file, model, optimizers)
    if plan.compiled:
        model.model.compile(dynamic=True)
    held_out = held_out_batches(tokenizer, count=plan.held_out_examples, seed=plan.seed)
    rank = dist.get_rank() if dist.is_initialized() else 0
    mixture = Mixture(plan.tokens_per_step, curriculum=0 if start else 5, given=given)
    stream = batches(tokenizer, mixture, seed=plan.seed + rank)
    scores: dict[str, float] = {}
    clock = Clock(plan)
    progress = tqdm(range(plan.steps), desc=f"writer -> {out}", unit="step", disable=rank > 0)
    for step in progress:
        batch = next(stream)
        if step < done.steps:
            continue
        loss = _step(model, batch, optimizers, clock.learning_rate(step))
        done = Done(step + 1, done.tokens + batch.token_ids.numel())
        progress.set_postfix(loss=f"{loss:.3f}", **scores, refresh=False)
        ends = clock.progress(step + 1) >= 1
        if rank == 0 and (done.steps % plan.save_every == 0 or ends):
            scores = exact_share(model, held_out)
            tqdm.write(f"step {done.steps} loss {loss:.3f} " + " ".join(f"{kind} {share:.2f}" for kind, share in scores.items()))
            _save_state(state_file, model, optimizers, done)
            save(model, tokenizer, out)
            if on_save is not None:
                on_save(done.steps)
        if ends:
            break
    if rank == 0:
        describe(out, plan, scores, tokens=done.tokens, start=start)
    return scores


@dataclass(frozen=True, slots=True)
class Done:
    """What a run has behind it, padding included in the tokens of this process."""

    steps: int = 0
    tokens: int = 0


class Clock:
    """Where a run stands in its plan: by steps or by the time since this object was made, whichever is further."""

    def __init__(self, plan: Plan, now_s: Callable[[], float] = time.monotonic) -> None:
        self._plan, self._now_s, self._started_s = plan, now_s, now_s()

    def progress(self, step: int) -> float:
        """How much of the run is behind after `step` steps, from 0 to 1."""
        elapsed_minutes = (self._now_s() - self._started_s) / 60
        return min(1.0, max(step / self._plan.steps, elapsed_minutes / self._plan.max_minutes))

    def learning_rate(self, step: int) -> float:
        """The rate for the step after `step` steps."""
        return self._plan.learning_rate * min(1.0, (step + 1) / self._plan.warmup, (1 - self.progress(step)) / self._plan.decay)


def describe(out: Path, plan: Plan, metrics: dict[str, float], *, tokens: int, start: Path | None = None) -> None:
    """Write the manifest of a checkpoint that `plan` made of `tokens`; `metrics` are shares on families that training never shows."""
    write_manifest(
        out,
        kind="writer",
        schema=1,
        command=_command(plan, start),
        seed=plan.seed,
        data={
            "source": "generated by models/training/corpus: our own word lists in Chinese and English, invented products",
            "tokens": tokens,
            "held_out": "two product families in each language with their parts, and eight specifications",
        },
        metrics=metrics,
    )


def _command(plan: Plan, start: Path | None) -> str:
    options = {"--steps": plan.steps, "--seed": plan.seed, "--rate": plan.learning_rate}
    if start is not None:
        options["--start"] = shlex.quote(start.as_posix())
    if plan.max_minutes < math.inf:
        options["--max-minutes"] = f"{plan.max_minutes:g}"
    return " ".join(["livecart train writer", *(f"{name} {value}" for name, value in options.items())])


def _tokenizer(trained: Path | None, plan: Plan, given: Sequence[Given]) -> PreTrainedTokenizerFast:
    if trained is not None:
        return PreTrainedTokenizerFast.from_pretrained(trained)
    return train_tokenizer(seed=plan.seed, given=given, example_count=plan.tokenizer_examples, context_length=CONTEXT_LENGTH)


def _started(start: Path, tokenizer: PreTrainedTokenizerFast) -> Qwen3ForCausalLM:
    model = Qwen3ForCausalLM.from_pretrained(start, dtype=torch.float32)
    old = PreTrainedTokenizerFast.from_pretrained(start)
    if old.get_vocab() != tokenizer.get_vocab():
        with_tokenizer(model, old, tokenizer)
    return model


def new_model(plan: Plan, tokenizer: PreTrainedTokenizerFast) -> Qwen3ForCausalLM:
    """Fresh weights with the sizes of `plan`; the vocabulary is rounded up to a multiple of 64."""
    config = Qwen3Config(
        vocab_size=math.ceil(len(tokenizer) / 64) * 64,
        hidden_size=plan.hidden,
        intermediate_size=3 * plan.hidden,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        num_key_value_heads=plan.heads,
        head_dim=64,
        max_position_embeddings=CONTEXT_LENGTH,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    model = Qwen3ForCausalLM(config)
    prepare_copying(model)
    return model


def answer_loss(model: Qwen3ForCausalLM, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Mean cross-entropy over the answers' tokens; the logits (m, vocabulary) and labels (m,) it was taken from."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        states = model.model(input_ids=batch.token_ids, use_cache=False).last_hidden_state
        kept = batch.labels != IGNORED
        logits = model.lm_head(states[kept]).float()
    labels = batch.labels[kept]
    return nn.functional.cross_entropy(logits, labels), logits, labels


def held_out_batches(tokenizer: PreTrainedTokenizerFast, *, count: int, seed: int) -> dict[str, Batch]:
    """One batch for each kind of example, about product families and specifications that training never shows."""
    rng = random.Random(f"held out {seed}")
    rows: dict[str, list[Row]] = {}
    for _ in range(count):
        example = make(random_recipe(rng, held_out=True), rng)
        messages = (*example.prompt.messages, ("assistant", example.answer))
        rows.setdefault(example.kind, []).append(encode(messages, tokenizer))
    return {kind: collate(rows[kind], tokenizer.pad_token_id) for kind in sorted(rows)}


@torch.no_grad()
def exact_share(model: Qwen3ForCausalLM, held_out: dict[str, Batch]) -> dict[str, float]:
    """Share of answers that greedy decoding would give word for word, for each kind; of scripts and copy the share of tokens."""
    model.eval()
    shares = {}
    for kind, batch in held_out.items():
        with torch.compiler.set_stance("force_eager"):
            _, logits, labels = answer_loss(model, batch)
        right = logits.argmax(-1) == labels
        row = (batch.labels != IGNORED).nonzero()[:, 0]
        wrong = torch.zeros(len(batch.labels)).index_add_(0, row, (~right).float())
        shares[kind] = float(right.float().mean()) if kind in WRITTEN else float((wrong == 0).float().mean())
    model.train()
    return shares


def save(model: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    """Write bfloat16 safetensors, configuration and tokenizer; the model in memory stays float32."""
    weights = {name: value.to(torch.bfloat16) for name, value in model.state_dict().items()}
    copy = Qwen3ForCausalLM(model.config).to(torch.bfloat16)
    copy.load_state_dict(weights)
    copy.generation_config.eos_token_id = tokenizer.eos_token_id
    copy.generation_config.pad_token_id = tokenizer.pad_token_id
    copy.save_pretrained(out)
    tokenizer.save_pretrained(out)


def _optimizers(model: Qwen3ForCausalLM, plan: Plan) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers (Jordan et al. 2024), AdamW for the embedding and the norms."""
    matrices = [value for name, value in model.named_parameters() if value.ndim == 2 and "embed" not in name]
    others = [value for name, value in model.named_parameters() if value.ndim != 2 or "embed" in name]
    return [
        torch.optim.Muon(matrices, lr=plan.learning_rate, weight_decay=0.01, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=plan.learning_rate, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def _step(model: Qwen3ForCausalLM, batch: Batch, optimizers: list[torch.optim.Optimizer], learning_rate: float) -> float:
    loss, _, _ = answer_loss(model, batch)
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
    _average_gradients(model)
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return float(loss.detach())


def _average_gradients(model: Qwen3ForCausalLM) -> None:
    if not dist.is_initialized():
        return
    gradients = [value.grad for value in model.parameters() if value.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    parts = flat.div_(dist.get_world_size()).split([gradient.numel() for gradient in gradients])  # type: ignore[no-untyped-call]  # torch's stub
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def _restore(state_file: Path, model: Qwen3ForCausalLM, optimizers: list[torch.optim.Optimizer]) -> Done:
    """Load the state of an earlier run, if there is one, and tell how far it came."""
    if not state_file.is_file():
        return Done()
    state = torch.load(state_file, weights_only=True)
    model.load_state_dict(state["model"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    return Done(int(state["step"]), int(state["tokens"]))


def _save_state(state_file: Path, model: Qwen3ForCausalLM, optimizers: list[torch.optim.Optimizer], done: Done) -> None:
    state_file.parent.mkdir(parents=True, exist_ok=True)
    partial = state_file.with_suffix(".partial")
    states = [optimizer.state_dict() for optimizer in optimizers]
    torch.save({"model": model.state_dict(), "optimizers": states, "step": done.steps, "tokens": done.tokens}, partial)
    partial.replace(state_file)
