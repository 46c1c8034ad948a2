"""iALS as a source of candidates: a viewer's vector is solved for at the moment of asking, from what they touched lately."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from models.recommend.behaviour import HISTORY_PRODUCTS
from models.recommend.history import weighted_products
from models.recommend.scoring import best_places
from models.types import Candidate, Event, LearnedKind, ProductId, Vectors


class AlsSource:
    """Hu, Koren and Volinsky 2008. With confidences c_i of the products touched, a viewer is x = A^-1 sum c_i y_i and
    A = Y'Y + regularization I + sum (c_i - 1) y_i y_i'; so a score y_j x is a sum over products touched, of which the largest that speaks
    for another product is the candidate's `because`. Safe from any thread."""

    kind: LearnedKind = "ials"

    def __init__(self, factors: Vectors, ids: Sequence[ProductId], *, regularization: float, alpha: float) -> None:
        self._factors = factors  # float32 (items, factors)
        self._ids = tuple(ids)
        self._place = {product_id: place for place, product_id in enumerate(self._ids)}
        self._regularization, self._alpha = regularization, alpha
        self._gram = factors.astype(np.float64).T @ factors + regularization * np.eye(factors.shape[1])

    def candidates(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        """At most `k`, best first, none for a viewer who touched nothing known; the score is the predicted preference, about 0..1."""
        votes = weighted_products(history, context, limit=HISTORY_PRODUCTS)
        voters = [
            (place, weight * self._alpha) for product_id, weight in votes.items() if (place := self._place.get(product_id)) is not None
        ]
        if not voters:
            return ()
        places = [place for place, _ in voters]
        shares = self._shares(self._factors[places], np.array([confidence for _, confidence in voters]))
        scores = self._factors @ shares.sum(axis=0)
        hidden = {*exclude, *context}
        best = [place for place in best_places(scores, k + len(hidden)) if scores[place] > 0 and self._ids[place] not in hidden][:k]
        because = self._because(best, places, shares)
        return tuple(Candidate(self._ids[place], "ials", float(scores[place]), why) for place, why in zip(best, because, strict=True))

    def _because(self, best: Sequence[int], seen: Sequence[int], shares: Vectors) -> list[ProductId | None]:
        """Of each of `best` the product seen that adds most to its score: never itself, and none where no other one adds anything."""
        parts = np.where(np.equal.outer(best, seen), 0.0, self._factors[list(best)] @ shares.T)
        return [self._ids[seen[row.argmax()]] if row.max() > 0 else None for row in parts]

    def _shares(self, seen: Vectors, confidences: Vectors) -> Vectors:
        """float32 (seen, factors): what each product touched adds to the viewer's vector."""
        system = self._gram + (seen.T * (confidences - 1.0)) @ seen
        return np.asarray(np.linalg.solve(system, (seen * confidences[:, None]).T).T, dtype=np.float32)

    # --- files -----------------------------------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        """Write `ials.safetensors` and `ials.json` into an existing folder; the caller writes the manifest."""
        save_file({"factors": self._factors}, folder / "ials.safetensors")
        described = {"ids": self._ids, "regularization": self._regularization, "alpha": self._alpha}
        (folder / "ials.json").write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "AlsSource":
        """The source that `save` wrote."""
        described = json.loads((folder / "ials.json").read_text(encoding="utf-8"))
        factors = load_file(folder / "ials.safetensors")["factors"]
        ids = [ProductId(product_id) for product_id in described["ids"]]
        return cls(factors, ids, regularization=described["regularization"], alpha=described["alpha"])
