"""How good a writer in training is: its loss, and the share of answers about held-out products that it would give word for word."""

import random

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

from models.training.corpus.examples import WRITTEN, make, random_recipe
from models.training.writer_batches import IGNORED, Batch, Row, collate, encode


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
