"""A causal transformer over the order in which a user met items (after SASRec, Kang and McAuley 2018); serves where it wins.

Differences that the evaluation asked for: cosine of state and item over a temperature instead of their product, a softmax over all
items instead of sampled negatives, and a learned bias per distance instead of positions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.recommend.scoring import History, Scores

_HIDDEN = -1e4  # added to the attention that must not be paid; finite in bfloat16
_ROWS_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class SequenceConfig:
    items: int
    dim: int = 64
    layers: int = 1
    heads: int = 2
    length: int = 50  # latest items of a history that are looked at
    dropout: float = 0.4  # inside the layers
    item_dropout: float = 0.5  # of the items' vectors on the way in
    temperature: float = 0.06


class SequenceNetwork(nn.Module):
    """int64 (n, length) of items, `config.items` where there is none -> states (n, length, dim). Vectors of items are tied in and out."""

    def __init__(self, config: SequenceConfig) -> None:
        super().__init__()
        self.config = config
        self.vectors = nn.Embedding(config.items + 1, config.dim)
        nn.init.normal_(self.vectors.weight, std=config.dim**-0.5)
        self.bias = nn.Parameter(torch.zeros(config.items))
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.dim)
        self.dropout = nn.Dropout(config.item_dropout)

    def forward(self, items: Tensor) -> Tensor:
        length = items.shape[1]
        place = torch.arange(length, device=items.device)
        age = place[:, None] - place[None, :]
        hidden = (age < 0) | (items == self.config.items)[:, None, None, :]
        mask = torch.zeros(hidden.shape, device=items.device).masked_fill(hidden, _HIDDEN)
        states: Tensor = self.dropout(self.vectors(items))
        for layer in self.layers:
            states = layer(states, mask, age.clamp(0, self.config.length - 1))
        return cast("Tensor", self.norm(states))

    def targets(self) -> Tensor:
        """(items, dim): the items' unit vectors over the temperature."""
        return functional.normalize(self.vectors.weight[: self.config.items], dim=-1) / self.config.temperature

    def logits(self, states: Tensor) -> Tensor:
        """(n, dim) -> (n, items): what may come next."""
        return functional.linear(functional.normalize(states, dim=-1), self.targets()) + self.bias


class _Layer(nn.Module):
    def __init__(self, config: SequenceConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.before_attention, self.before_mlp = nn.LayerNorm(config.dim), nn.LayerNorm(config.dim)
        self.queries_keys_values = nn.Linear(config.dim, 3 * config.dim)
        self.out = nn.Linear(config.dim, config.dim)
        self.widen, self.narrow = nn.Linear(config.dim, 2 * config.dim), nn.Linear(2 * config.dim, config.dim)
        self.by_age = nn.Parameter(torch.zeros(config.heads, config.length))  # added to attention, by how many items ago
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, states: Tensor, mask: Tensor, age: Tensor) -> Tensor:
        count, length, dim = states.shape
        mixed = self.queries_keys_values(self.before_attention(states)).view(count, length, 3, self.heads, dim // self.heads)
        queries, keys, values = mixed.permute(2, 0, 3, 1, 4)
        bias = (self.by_age[:, age] + mask).to(queries.dtype)
        looked = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=bias)
        states = states + self.dropout(self.out(looked.transpose(1, 2).reshape(count, length, dim)))
        wide = self.dropout(functional.gelu(self.widen(self.before_mlp(states))))
        return cast("Tensor", states + self.dropout(self.narrow(wide)))


def steps(history: History, limit: int) -> list[int]:
    """The latest `limit` items in their order, repeats in a row once, as `models.recommend.history.touched` has them."""
    items = history.items
    kept: list[int] = items[np.flatnonzero(np.diff(items, prepend=-1))][-limit:].tolist()
    return kept


def padded(rows: Sequence[Sequence[int]], nothing: int) -> Tensor:
    """int64 (n, longest): the rows at the right end, `nothing` before them; at least one column."""
    longest = max((len(row) for row in rows), default=1) or 1
    return torch.tensor([[nothing] * (longest - len(row)) + list(row) for row in rows], dtype=torch.int64).reshape(len(rows), longest)


def sequence_scores(network: SequenceNetwork, histories: Sequence[History]) -> Scores:
    """float32 (n, items): logits after each history; the items' biases alone after an empty one."""
    config = network.config
    scores = np.zeros((len(histories), config.items), dtype=np.float32)
    by_length = sorted(range(len(histories)), key=lambda place: len(histories[place].items))
    network.eval()
    with torch.inference_mode():
        for part in range(math.ceil(len(by_length) / _ROWS_AT_ONCE)):
            places = by_length[part * _ROWS_AT_ONCE : (part + 1) * _ROWS_AT_ONCE]
            rows = [steps(histories[place], config.length) for place in places]
            logits = network.logits(network(padded(rows, config.items))[:, -1])
            empty = torch.tensor([not row for row in rows])
            scores[places] = torch.where(empty[:, None], network.bias, logits).float().numpy()
    return scores
