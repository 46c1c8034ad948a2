"""Train the shipped writer from scratch: a small Qwen3-architecture model on generated live-commerce conversations."""

import math
import random
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm  # type: ignore[import-untyped]  # its stubs are a package of their own
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from models.training.corpus.examples import make, random_recipe
from models.training.writer_batches import IGNORED, Batch, Row, batches, collate, encode
from models.training.writer_tokenizer import train_tokenizer

CONTEXT_LENGTH = 2048


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train; the learning rate rises over `warmup` steps, stays, and falls to zero over the last `decay` of the steps."""

    steps: int = 2400
    tokens_per_step: int = 2048
    learning_rate: float = 2e-3
    warmup: int = 100
    decay: float = 0.3
    seed: int = 20261121
    hidden: int = 256
    layers: int = 5
    heads: int = 4
    save_every: int = 100


def train(out: Path, *, state_folder: Path, plan: Plan | None = None) -> dict[str, float]:
    """Train (or go on where `state_folder` left off) and save a Hugging Face checkpoint in `out`; returns scores on held-out families.

    The checkpoint is written again every `save_every` steps, so an interrupted run leaves a model that can be loaded.
    """
    plan = plan or Plan()
    torch.manual_seed(plan.seed)
    state_file = state_folder / "training_state.pt"
    tokenizer = _tokenizer(out, plan, resumed=state_file.is_file())
    model = new_model(plan, tokenizer)
    optimizers = _optimizers(model, plan)
    done = _restore(state_file, model, optimizers)
    held_out = held_out_batches(tokenizer, count=240, seed=plan.seed)
    stream = batches(tokenizer, seed=plan.seed, tokens=plan.tokens_per_step, curriculum=6)
    scores: dict[str, float] = {}
    progress = tqdm(range(plan.steps), desc=f"writer -> {out}", unit="step")
    for step in progress:
        batch = next(stream)
        if step < done:
            continue
        loss = _step(model, batch, optimizers, _learning_rate(step, plan))
        progress.set_postfix(loss=f"{loss:.3f}", **scores, refresh=False)
        if (step + 1) % plan.save_every == 0 or step + 1 == plan.steps:
            scores = exact_share(model, held_out)
            tqdm.write(f"step {step + 1} loss {loss:.3f} " + " ".join(f"{kind} {share:.2f}" for kind, share in scores.items()))
            _save_state(state_file, model, optimizers, step + 1)
            save(model, tokenizer, out)
    return scores


def _tokenizer(out: Path, plan: Plan, *, resumed: bool) -> PreTrainedTokenizerFast:
    if resumed:
        return PreTrainedTokenizerFast.from_pretrained(out)
    return train_tokenizer(seed=plan.seed, context_length=CONTEXT_LENGTH)


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
    return Qwen3ForCausalLM(config)


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
    """Share of answers that greedy decoding would give word for word, for each kind; `script` counts tokens, as scripts vary."""
    model.eval()
    shares = {}
    for kind, batch in held_out.items():
        _, logits, labels = answer_loss(model, batch)
        right = logits.argmax(-1) == labels
        row = (batch.labels != IGNORED).nonzero()[:, 0]
        wrong = torch.zeros(len(batch.labels)).index_add_(0, row, (~right).float())
        shares[kind] = float(right.float().mean()) if kind == "script" else float((wrong == 0).float().mean())
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
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return float(loss.detach())


def _learning_rate(step: int, plan: Plan) -> float:
    falling = (plan.steps - step) / (plan.decay * plan.steps)
    return plan.learning_rate * min(1.0, (step + 1) / plan.warmup, falling)


def _restore(state_file: Path, model: Qwen3ForCausalLM, optimizers: list[torch.optim.Optimizer]) -> int:
    """Load the state of an earlier run; the number of steps it has done, 0 without one."""
    if not state_file.is_file():
        return 0
    state = torch.load(state_file, weights_only=True)
    model.load_state_dict(state["model"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    return int(state["step"])


def _save_state(state_file: Path, model: Qwen3ForCausalLM, optimizers: list[torch.optim.Optimizer], step: int) -> None:
    state_file.parent.mkdir(parents=True, exist_ok=True)
    partial = state_file.with_suffix(".partial")
    torch.save({"model": model.state_dict(), "optimizers": [optimizer.state_dict() for optimizer in optimizers], "step": step}, partial)
    partial.replace(state_file)
