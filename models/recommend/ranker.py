"""Wide & Deep over candidates, three tasks at once: will the viewer click, put into the cart, buy."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.recommend.features import (
    BUCKETS,
    CROSS_NAMES,
    DENSE_NAMES,
    FEATURE_NAMES,
    SOURCES,
    ItemVectors,
    Rows,
    distinct,
    features,
    source_columns,
)
from models.types import ArtifactError, Candidate, LearnedKind, ModelInputError, ProductId, Ranked, RankRequest, SourceKind

TASKS = ("click", "cart", "purchase")
_PRESENT = [source_columns(source)[0] for source in SOURCES]
_WITHOUT = np.ones((len(SOURCES), len(FEATURE_NAMES)), dtype=np.float32)  # factors that take one source's word out of a row
for _number, _source in enumerate(SOURCES):
    _WITHOUT[_number, source_columns(_source)] = 0.0


@dataclass(frozen=True, slots=True)
class RankerConfig:
    hidden: tuple[int, ...] = (64, 32)
    utility: tuple[float, float, float] = (1.0, 2.0, 4.0)  # what a click, a cart and a purchase are worth in `Ranked.score`


class WideAndDeep(nn.Module):
    """Cheng et al. 2016, with the funnel of ESMM (Ma et al. 2018): P(cart) = P(click) P(cart | click), and so on.

    The wide part sums one learned logit per hashed cross, the deep part is an MLP over the standardised dense features. Each
    conditional logit is calibrated by its own slope and offset (Platt scaling), fitted after training.
    """

    mean: Tensor
    scale: Tensor
    offsets: Tensor

    def __init__(self, config: RankerConfig) -> None:
        super().__init__()
        self.wide = nn.Embedding(BUCKETS * len(CROSS_NAMES), len(TASKS))
        nn.init.zeros_(self.wide.weight)
        widths = (len(DENSE_NAMES), *config.hidden)
        hidden = [layer for pair in pairwise(widths) for layer in (nn.Linear(*pair), nn.ReLU())]
        self.deep = nn.Sequential(*hidden, nn.Linear(widths[-1], len(TASKS)))
        self.slope = nn.Parameter(torch.ones(len(TASKS)))
        self.bias = nn.Parameter(torch.zeros(len(TASKS)))
        self.register_buffer("mean", torch.zeros(len(DENSE_NAMES)))
        self.register_buffer("scale", torch.ones(len(DENSE_NAMES)))
        self.register_buffer("offsets", torch.arange(len(CROSS_NAMES)) * BUCKETS)

    def logits(self, rows: Tensor) -> Tensor:
        """float32 (n, features) -> conditional logits (n, 3), uncalibrated. Bucket 0 of a cross adds nothing."""
        dense, buckets = rows[:, : len(DENSE_NAMES)], rows[:, len(DENSE_NAMES) :].long()
        wide = self.wide(buckets + self.offsets) * (buckets > 0).unsqueeze(-1)
        out: Tensor = self.deep((dense - self.mean) * self.scale) + wide.sum(dim=1)
        return out

    def calibrated(self, logits: Tensor) -> Tensor:
        """Conditional logits -> log P(click), log P(cart), log P(purchase), each at most the one before."""
        return nn.functional.logsigmoid(logits * self.slope + self.bias).cumsum(dim=1)

    def forward(self, rows: Tensor) -> Tensor:
        return self.calibrated(self.logits(rows)).exp()


class Ranker:
    """A trained model with the item vectors that its features need. Stateless between calls, safe from any thread."""

    feature_names: tuple[str, ...] = FEATURE_NAMES
    feature_count: int = len(FEATURE_NAMES)

    def __init__(self, model: WideAndDeep, vectors: ItemVectors, config: RankerConfig) -> None:
        self._model = model.eval()
        self._vectors = vectors
        self._config = config
        self._utility = np.array(config.utility, dtype=np.float32) / np.float32(sum(config.utility))

    @property
    def ids(self) -> tuple[ProductId, ...]:
        """Products that it has vectors of."""
        return tuple(self._vectors.place)

    def with_vectors(self, vectors: ItemVectors) -> "Ranker":
        """The same weights over other item vectors; features are cosines, so the axes may differ."""
        return Ranker(self._model, vectors, self._config)

    def score(self, rows: Rows) -> Rows:
        """float32 (n, feature_count) in the order of `feature_names` -> float32 (n, 3): P(click), P(cart), P(purchase).

        Raises ModelInputError for rows that `check` refuses.
        """
        self.check(rows)
        return self._predict(rows)

    def check(self, rows: Rows) -> None:
        """Raises ModelInputError for another width, NaN or infinity, or a cross outside its buckets."""
        if rows.ndim != 2 or rows.shape[1] != self.feature_count:
            raise ModelInputError(f"features have shape {rows.shape}, the ranker takes (n, {self.feature_count}); see feature_names")
        if not np.isfinite(rows).all():
            raise ModelInputError("features contain NaN or infinity")
        crosses = rows[:, len(DENSE_NAMES) :]
        if crosses.size and (crosses.min() < 0 or crosses.max() >= BUCKETS):
            raise ModelInputError(f"crosses must be bucket numbers 0 to {BUCKETS - 1}, got {crosses.min()} to {crosses.max()}")

    def _predict(self, rows: Rows) -> Rows:
        with torch.inference_mode():
            scores: Rows = self._model(torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32))).numpy()
        return scores

    def rank(self, request: RankRequest) -> tuple[Ranked, ...]:
        """Every distinct candidate once, best first, ties by id.

        Reasons share out the score among the sources that proposed the product, in proportion to what the score would lose if that
        source had not: their weights are >= 0 and sum to the score.
        """
        asked = self.asked(request)
        return self.ranked(request, asked, self._predict(asked.rows)) if asked.products else ()

    def asked(self, request: RankRequest) -> "Asked":
        """What `score` is asked for this request; `ranked` makes the answer of it, whoever did the scoring."""
        products = distinct(request.candidates)
        if not products:
            return Asked((), np.zeros((0, self.feature_count), dtype=np.float32), np.zeros((0, len(SOURCES)), dtype=np.bool_))
        rows = features(request, self._vectors)
        present = rows[:, _PRESENT] > 0
        row, source = _without_one(present)
        return Asked(products, np.concatenate([rows, rows[row] * _WITHOUT[source]]), present)

    def ranked(self, request: RankRequest, asked: "Asked", chances: Rows) -> tuple[Ranked, ...]:
        """`chances`: float32 (n, 3), of the rows in `asked`."""
        products, present = asked.products, asked.present
        scores = chances @ self._utility
        lost = np.zeros(present.shape, dtype=np.float32)
        row, source = _without_one(present)
        lost[row, source] = np.maximum(0.0, scores[row] - scores[len(products) :])
        reasons = _reasons(request, products, present, _shared_out(scores[: len(products)], present, lost))
        by_row = zip(products, scores.tolist(), chances.tolist(), reasons, strict=False)
        ranked = [Ranked(product_id, score, click, cart, buy, why) for product_id, score, (click, cart, buy), why in by_row]
        return tuple(sorted(ranked, key=lambda item: (-item.score, item.product_id)))

    # --- files -----------------------------------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        """Write `ranker.safetensors` and `ranker.json` into an existing folder; the caller writes the manifest."""
        state = {name: tensor.contiguous() for name, tensor in self._model.state_dict().items()}
        save_file({**state, "item_vectors": torch.from_numpy(self._vectors.rows)}, folder / "ranker.safetensors")
        described = {"config": asdict(self._config), "feature_names": FEATURE_NAMES, "items": list(self._vectors.place)}
        (folder / "ranker.json").write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Ranker":
        """The ranker that `save` wrote; `folder` comes from `open_artifact(..., kind="recommender")`."""
        described = json.loads((folder / "ranker.json").read_text(encoding="utf-8"))
        config = RankerConfig(tuple(described["config"]["hidden"]), tuple(described["config"]["utility"]))
        tensors = load_file(folder / "ranker.safetensors")
        try:
            tensors = _widened(tensors, described["feature_names"])
        except ValueError as error:
            raise ArtifactError(f"{folder} was trained on {error}; run `livecart train recommender`") from error
        rows = tensors.pop("item_vectors").numpy()
        model = WideAndDeep(config)
        model.load_state_dict(tensors)
        return cls(model, ItemVectors(rows, {ProductId(item): place for place, item in enumerate(described["items"])}), config)


def _widened(tensors: dict[str, Tensor], names: Sequence[str]) -> dict[str, Tensor]:
    """The tensors for DENSE_NAMES; columns of sources that a ranker of `names` never saw count nothing. Raises ValueError."""
    dense = [name for name in names if name not in CROSS_NAMES]
    optional = {FEATURE_NAMES[column] for source in get_args(LearnedKind) for column in source_columns(source)}
    if [*dense, *CROSS_NAMES] != [name for name in FEATURE_NAMES if name in dense or name in CROSS_NAMES or name not in optional]:
        raise ValueError("other features than this version computes")
    columns = [DENSE_NAMES.index(name) for name in dense]
    widened = dict(tensors)
    for name in ("mean", "scale", "deep.0.weight"):
        wide = torch.zeros(*tensors[name].shape[:-1], len(DENSE_NAMES))
        wide[..., columns] = tensors[name]
        widened[name] = wide
    return widened


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The rows to be scored for a request."""

    products: tuple[ProductId, ...]
    rows: Rows  # float32 (n, features): of each product, then of those with several sources without each one of them
    present: NDArray[np.bool_]  # (products, sources): who proposed what


def _without_one(present: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Product and source of each counterfactual row: the same product without one of its several sources."""
    row, source = np.nonzero(present & (present.sum(axis=1, keepdims=True) > 1))
    return row, source


def _shared_out(scores: Rows, present: NDArray[np.bool_], lost: Rows) -> Rows:
    """float32 (n, sources): each score split in proportion to what is lost without a source; evenly where no single one is missed."""
    missed = lost.sum(axis=1, keepdims=True)
    shares = np.where(missed > 0, lost / np.maximum(missed, 1e-30), present / np.maximum(present.sum(axis=1, keepdims=True), 1))
    return np.asarray(shares * scores[:, None], dtype=np.float32)


def _reasons(
    request: RankRequest, products: Sequence[ProductId], present: NDArray[np.bool_], weights: Rows
) -> list[tuple[tuple[SourceKind, ProductId | None, float], ...]]:
    """Per product its sources, largest weight first, each with the `because` of the source's best-scored candidate."""
    best: dict[tuple[ProductId, SourceKind], Candidate] = {}
    for candidate in request.candidates:
        key = (candidate.product_id, candidate.source)
        if key not in best or candidate.score > best[key].score:
            best[key] = candidate
    reasons: list[list[tuple[SourceKind, ProductId | None, float]]] = [[] for _ in products]
    rows, sources = np.nonzero(present)
    for row, number, weight in zip(rows.tolist(), sources.tolist(), weights[rows, sources].tolist(), strict=True):
        source = SOURCES[number]
        reasons[row].append((source, best[products[row], source].because, weight))
    return [tuple(sorted(several, key=lambda reason: -reason[2])) if len(several) > 1 else tuple(several) for several in reasons]
