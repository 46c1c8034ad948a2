"""The sequence model as a source of candidates: what viewers with a history like this one went on to."""

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from models.recommend.history import touched
from models.recommend.item_search import item_search
from models.recommend.sequence import SequenceConfig, SequenceNetwork
from models.recommend.sequence_forward import SequenceForward
from models.types import Candidate, Event, LearnedKind, ProductId


class SequenceSource:
    """One forward pass over the latest `config.length` products of a history, on the CPU. Safe from any thread."""

    kind: LearnedKind = "sequence"

    def __init__(self, network: SequenceNetwork, ids: Sequence[ProductId]) -> None:
        self._network = network.eval()
        self._ids = tuple(ids)
        self._place = {product_id: place for place, product_id in enumerate(self._ids)}
        with torch.inference_mode():
            items = network.targets()  # float32 (items, dim), over the temperature
        self._search = item_search(items.numpy(), network.bias.detach().numpy())
        weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
        self._forward = SequenceForward(network.config, weights)

    def candidates(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        """At most `k`, best first, none for a viewer who touched nothing known; the score is the chance of being the next product, 0..1."""
        config = self._network.config
        steps = [place for p in touched(history, context, limit=config.length) if (place := self._place.get(p)) is not None]
        if not steps:
            return ()
        hidden = {*exclude, *context}
        places, logits, log_sum = self._search.best(self._forward.state(steps), k + len(hidden))
        named = [(self._ids[place], logit) for place, logit in zip(places.tolist(), logits.tolist(), strict=True)]
        kept = [(product_id, logit) for product_id, logit in named if product_id not in hidden][:k]
        return tuple(Candidate(product_id, "sequence", math.exp(logit - log_sum)) for product_id, logit in kept)

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
