"""Several scorers as one: how much each is believed is learnt from what some users did last."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from models.interactions.log import Interactions, Places
from models.recommend.scoring import History, Scorer, Scores, UnsuitableLogError, histories_of, proposed
from models.training.choice import likeliest_weights

TAUGHT_BY = 4_000  # users whose last new item teaches the weights, at most every fifth
CANDIDATES = 100  # of each source, that the target is told apart from
_ROWS_AT_ONCE = 500
_PER_SOURCE = 2


class BlendScorer:
    """Multinomial logit over the sources' scores: the weights under which users' last items are likeliest among the candidates.

    Each source gives two columns per item: its score as a share of the best in the row, and the logarithm of that. Sources are fitted
    once, without the last items of the users that teach. A source that the log does not suit is left out.
    """

    def __init__(self, sources: Mapping[str, Scorer], *, seed: int = 7) -> None:
        self._offered = dict(sources)
        self._seed = seed
        self.weights: dict[str, tuple[float, ...]] = {}

    def fit(self, log: Interactions) -> None:
        known, histories, targets = _held_out(log, self._seed)
        self._sources = dict(_fitted(self._offered, known))
        if not self._sources:
            raise UnsuitableLogError(f"none of {', '.join(self._offered)} can learn from this log; name a model to see why")
        rows, owners, wanted = self._examples(histories, targets)
        weights = likeliest_weights(rows, owners, wanted) if len(wanted) else np.ones(rows.shape[1])
        pairs = weights.reshape(-1, _PER_SOURCE).tolist()
        self.weights = {name: tuple(pair) for name, pair in zip(self._sources, pairs, strict=True)}

    def described(self) -> Mapping[str, object]:
        """The sources that the log suited, with the two weights of each."""
        return {"is": "a learned blend", "weights": {name: [round(each, 3) for each in pair] for name, pair in self.weights.items()}}

    def scores(self, histories: Sequence[History]) -> Scores:
        columns = [_columns(scorer.scores(histories)) for scorer in self._sources.values()]
        weighed = [w * column for pair, ws in zip(columns, self.weights.values(), strict=True) for column, w in zip(pair, ws, strict=True)]
        return np.asarray(np.sum(weighed, axis=0), dtype=np.float32)

    def _examples(self, histories: Sequence[History], targets: Places) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """Rows (candidates of all users, columns), which user each belongs to, and the row of each user's target.

        Users whose target no source proposes teach nothing about the order of proposals; they are left out.
        """
        rows, owners, wanted = list[NDArray[np.float64]](), list[NDArray[np.int64]](), list[int]()
        count = 0
        for first in range(0, len(histories), _ROWS_AT_ONCE):
            block = histories[first : first + _ROWS_AT_ONCE]
            scores = [scorer.scores(block) for scorer in self._sources.values()]
            best = np.concatenate([proposed(each, [history.items for history in block], CANDIDATES) for each in scores], axis=1)
            columns = np.stack([column for each in scores for column in _columns(each)], axis=2)
            for row, target in enumerate(targets[first : first + _ROWS_AT_ONCE].tolist()):
                candidates = np.unique(best[row][best[row] >= 0])
                place = int(np.searchsorted(candidates, target))
                if place == len(candidates) or candidates[place] != target:
                    continue
                rows.append(columns[row, candidates].astype(np.float64))
                owners.append(np.full(len(candidates), len(wanted)))
                wanted.append(count + place)
                count += len(candidates)
        empty = np.zeros((0, _PER_SOURCE * len(self._sources)))
        return np.concatenate([empty, *rows]), np.concatenate([np.zeros(0, np.int64), *owners]), np.array(wanted, dtype=np.int64)


def _fitted(offered: Mapping[str, Scorer], log: Interactions) -> Iterator[tuple[str, Scorer]]:
    for name, scorer in offered.items():
        with suppress(UnsuitableLogError):
            scorer.fit(log)
            yield name, scorer


def _held_out(log: Interactions, seed: int) -> tuple[Interactions, list[History], Places]:
    """The log without the last items of users drawn by lot, their histories, and these items; users who had them before are not drawn."""
    entries = log.by_user()
    usable = [user for user, places in enumerate(entries) if len(places) > 1 and log.item[places[-1]] not in log.item[places[:-1]]]
    count = min(TAUGHT_BY, len(usable) // 5)
    drawn = sorted(np.random.default_rng(seed).choice(usable, size=count, replace=False).tolist()) if count else []
    last = np.array([entries[user][-1] for user in drawn], dtype=np.int64)
    kept = np.ones(len(log), dtype=np.bool_)
    kept[last] = False
    known = log.where(kept)
    histories = histories_of(known)
    return known, [histories[user] for user in drawn], log.item[last]


def _columns(scores: Scores) -> tuple[Scores, Scores]:
    """Two (n, items): the share of the row's best, 0..1, and log(1 + 100 share), 0..4.6."""
    positive = np.maximum(scores, 0.0)
    share = positive / np.maximum(positive.max(axis=1, keepdims=True), 1e-12)
    return share, np.log1p(100.0 * share)
