"""Train the shipped writer, from scratch or further: a small Qwen3-architecture model on generated live-commerce conversations."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
import torch.distributed as dist
from torch import nn
from tqdm import tqdm  # type: ignore[import-untyped]  # its stubs are a package of their own
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from models.training.corpus.given import Given, read_given
from models.training.writer_batches import Batch, Mixture, batches
from models.training.writer_plan import Clock, Done, Material, Plan, describe
from models.training.writer_scores import answer_loss, exact_share, held_out_batches
from models.training.writer_start import prepare_copying, with_tokenizer
from models.training.writer_tokenizer import train_tokenizer

CONTEXT_LENGTH = 2048


def train(
    out: Path,
    *,
    state_folder: Path,
    plan: Plan | None = None,
    material: Material | None = None,
    on_save: Callable[[int], None] | None = None,
) -> dict[str, float]:
    """Train (or go on where `state_folder` left off) and save a Hugging Face checkpoint in `out`; returns scores on held-out families.

    The checkpoint is written again every `save_every` steps, so an interrupted run leaves a model that can be loaded; `on_save` is
    called with the number of steps done each time. In a process group of torch.distributed each process learns from its own
    conversations, the gradients are averaged, and the first one saves.
    """
    plan, material = plan or Plan(), material or Material()
    given = read_given(material.data) if material.data is not None else ()
    torch.manual_seed(plan.seed)
    learner = _Learner.begin(out, state_folder / "training_state.pt", plan, material, given)
    rank = dist.get_rank() if dist.is_initialized() else 0
    mixture = Mixture(plan.tokens_per_step, curriculum=0 if material.start else 5, given=given)
    scores = _learn(learner, batches(learner.tokenizer, mixture, seed=plan.seed + rank), rank, on_save)
    if rank == 0:
        describe(out, plan, material, scores, tokens=learner.done.tokens)
    return scores


@dataclass
class _Learner:
    """What one process trains, and how far it has come."""

    out: Path
    state_file: Path
    plan: Plan
    tokenizer: PreTrainedTokenizerFast
    model: Qwen3ForCausalLM
    optimizers: list[torch.optim.Optimizer]
    done: Done

    @classmethod
    def begin(cls, out: Path, state_file: Path, plan: Plan, material: Material, given: tuple[Given, ...]) -> Self:
        """Fresh weights, those of `material.start`, or those of the run that left `state_file`."""
        trained = out if state_file.is_file() else None if plan.new_tokenizer else material.start
        tokenizer = _tokenizer(trained, plan, given)
        model = new_model(plan, tokenizer) if material.start is None else _started(material.start, tokenizer)
        optimizers = _optimizers(model, plan)
        done = _restore(state_file, model, optimizers)
        if plan.compiled:
            model.model.compile(dynamic=True)
        return cls(out, state_file, plan, tokenizer, model, optimizers, done)

    def keep(self) -> None:
        """Save what a later run goes on from, and the checkpoint."""
        _save_state(self.state_file, self.model, self.optimizers, self.done)
        save(self.model, self.tokenizer, self.out)


def _learn(learner: _Learner, stream: Iterator[Batch], rank: int, on_save: Callable[[int], None] | None) -> dict[str, float]:
    """All steps that are not done yet; batches of steps that are, are drawn and left. Returns the last scores on held-out families."""
    plan = learner.plan
    held_out = held_out_batches(learner.tokenizer, count=plan.held_out_examples, seed=plan.seed)
    scores: dict[str, float] = {}
    clock = Clock(plan)
    progress = tqdm(range(plan.steps), desc=f"writer -> {learner.out}", unit="step", disable=rank > 0)
    for step in progress:
        batch = next(stream)
        if step < learner.done.steps:
            continue
        loss = _step(learner.model, batch, learner.optimizers, clock.learning_rate(step))
        learner.done = Done(step + 1, learner.done.tokens + batch.token_ids.numel())
        progress.set_postfix(loss=f"{loss:.3f}", **scores, refresh=False)
        ends = clock.progress(step + 1) >= 1
        if rank == 0 and (learner.done.steps % plan.save_every == 0 or ends):
            scores = exact_share(learner.model, held_out)
            told = " ".join(f"{kind} {share:.2f}" for kind, share in scores.items())
            tqdm.write(f"step {learner.done.steps} loss {loss:.3f} {told}")
            learner.keep()
            if on_save is not None:
                on_save(learner.done.steps)
        if ends:
            break
    return scores


def _tokenizer(trained: Path | None, plan: Plan, given: tuple[Given, ...]) -> PreTrainedTokenizerFast:
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
