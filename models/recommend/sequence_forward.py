"""The forward pass of `SequenceNetwork` for one history, in numpy: a tenth of the time that a network of modules takes for it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import erf

from models.recommend.sequence import SequenceConfig
from models.types import Vectors

Arrays = Mapping[str, Vectors]  # of a SequenceNetwork's `state_dict`


@dataclass(frozen=True, slots=True)
class SequenceForward:
    """Weights as `SequenceNetwork` names them. No state is kept between calls."""

    config: SequenceConfig
    weights: Arrays

    def state(self, steps: Sequence[int]) -> Vectors:
        """float32 (dim,), L2-normalised, after the last of at least one step; at most `config.length` of them."""
        states: Vectors = self.weights["vectors.weight"][list(steps)]
        for number in range(self.config.layers):
            states = self._layer(states, f"layers.{number}.", last_only=number == self.config.layers - 1)
        state = self._norm(states[-1], "norm")
        return np.asarray(state / max(float(np.linalg.norm(state)), 1e-12), dtype=np.float32)

    def _layer(self, states: Vectors, name: str, *, last_only: bool) -> Vectors:
        """(n, dim) -> (n, dim), or (1, dim) of the last position, for which alone the last layer is asked."""
        count, dim = states.shape
        heads = self.config.heads
        mixed = self._linear(self._norm(states, f"{name}before_attention"), f"{name}queries_keys_values")
        queries, keys, values = mixed.reshape(count, 3, heads, dim // heads).transpose(1, 2, 0, 3)
        first = count - 1 if last_only else 0
        age = np.arange(first, count)[:, None] - np.arange(count)[None, :]
        logits = queries[:, first:] @ keys.transpose(0, 2, 1) / math.sqrt(dim // heads)
        logits = np.where(age < 0, -np.inf, logits + self.weights[f"{name}by_age"][:, np.maximum(age, 0)])
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        looked = (powers / powers.sum(axis=-1, keepdims=True)) @ values
        kept = states[first:] + self._linear(looked.transpose(1, 0, 2).reshape(-1, dim), f"{name}out")
        wide = self._linear(self._norm(kept, f"{name}before_mlp"), f"{name}widen")
        gelu = np.asarray(0.5 * wide * (1.0 + erf(wide / math.sqrt(2.0))), dtype=np.float32)
        return np.asarray(kept + self._linear(gelu, f"{name}narrow"), dtype=np.float32)

    def _linear(self, rows: Vectors, name: str) -> Vectors:
        return np.asarray(rows @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"], dtype=np.float32)

    def _norm(self, rows: Vectors, name: str) -> Vectors:
        centred = rows - rows.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + 1e-5)
        return np.asarray(centred / spread * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"], dtype=np.float32)
