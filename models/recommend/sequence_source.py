"""The sequence model as a source of candidates: what viewers with a history like this one went on to."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from models.recommend.history import touched
from models.recommend.scoring import best_places
from models.recommend.sequence import SequenceConfig, SequenceNetwork
from models.types import Candidate, Event, LearnedKind, ProductId, Vectors


class SequenceSource:
    """One forward pass over the latest `config.length` products of a history, on the CPU. Safe from any thread."""

    kind: LearnedKind = "sequence"

    def __init__(self, network: SequenceNetwork, ids: Sequence[ProductId]) -> None:
        self._network = network.eval()
        self._ids = tuple(ids)
        self._place = {product_id: place for place, product_id in enumerate(self._ids)}
        with torch.inference_mode():
            self._items: Vectors = network.targets().numpy()  # float32 (items, dim), over the temperature
            self._bias: Vectors = network.bias.detach().numpy()

    def candidates(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        """At most `k`, best first, none for a viewer who touched nothing known; the score is the chance of being the next product, 0..1."""
        config = self._network.config
        steps = [place for p in touched(history, context, limit=config.length) if (place := self._place.get(p)) is not None]
        if not steps:
            return ()
        logits = self._items @ self._state(steps) + self._bias
        chances = np.exp(logits - logits.max())
        chances /= chances.sum()
        hidden = {*exclude, *context}
        best = [place for place in best_places(logits, k + len(hidden)) if self._ids[place] not in hidden][:k]
        return tuple(Candidate(self._ids[place], "sequence", float(chances[place])) for place in best)

    def _state(self, steps: Sequence[int]) -> Vectors:
        """float32 (dim,), L2-normalised: the state after the last step."""
        with torch.inference_mode():
            state = self._network(torch.tensor([steps]))[0, -1]
            unit: Vectors = torch.nn.functional.normalize(state, dim=-1).numpy()
        return unit

    # --- files -----------------------------------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        """Write `sequence.safetensors` and `sequence.json` into an existing folder; the caller writes the manifest."""
        state = {name: tensor.contiguous() for name, tensor in self._network.state_dict().items()}
        save_file(state, folder / "sequence.safetensors")
        described = {"config": asdict(self._network.config), "ids": self._ids}
        (folder / "sequence.json").write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "SequenceSource":
        """The source that `save` wrote."""
        described = json.loads((folder / "sequence.json").read_text(encoding="utf-8"))
        network = SequenceNetwork(SequenceConfig(**described["config"]))
        network.load_state_dict(load_file(folder / "sequence.safetensors"))
        return cls(network, [ProductId(product_id) for product_id in described["ids"]])
