"""Trains the sequence model on a log: seeded, resumable, within a number of minutes."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from torch import Tensor
from torch.nn import functional

from models.interactions.log import Interactions
from models.recommend.scoring import History, Scores, UnsuitableLogError, histories_of, interest_of
from models.recommend.sequence import SequenceConfig, SequenceNetwork, padded, sequence_scores, steps
from models.training.loop import Schedule, Training

LARGEST = 100_000  # items: the softmax is over all of them
_LEAST_ITEMS = 2
_NOISE = 0.02  # on the vectors that training starts from, so that equal ones part


@dataclass(frozen=True, slots=True)
class SequencePlan:
    epochs: int = 10
    least_steps: int = 1_000  # more epochs for a log of few users
    batch: int = 128  # sequences
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    max_minutes: float = 15.0  # wall clock: the schedule is squeezed to end by then, which makes a run depend on the machine
    seed: int = 7
    threads: int = 1  # the order of sums, and with it the last digits, depends on them
    network: SequenceConfig = field(default_factory=lambda: SequenceConfig(items=1))  # `items` is the log's


class SequenceScorer:
    """`models.recommend.sequence` as a Scorer. With `run` a checkpoint is kept there, and taken up by the same plan on the same log."""

    def __init__(self, plan: SequencePlan | None = None, *, run: Path | None = None) -> None:
        self._plan = plan or SequencePlan()
        self._run = run

    def fit(self, log: Interactions) -> None:
        if len(log.items) > LARGEST:
            raise UnsuitableLogError(f"the sequence model's softmax is over all items: {len(log.items)} are more than {LARGEST}")
        with ExitStack() as stack:
            folder = self._run or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="livecart-sequence-")))
            self.network = train(log, self._plan, folder / _fingerprint(log, self._plan))

    def scores(self, histories: Sequence[History]) -> Scores:
        return sequence_scores(self.network, histories)


def train(log: Interactions, plan: SequencePlan, run: Path) -> SequenceNetwork:
    """The network with averaged weights after `plan` on `log`; a checkpoint in `run` is resumed. Shows progress."""
    torch.manual_seed(plan.seed)
    torch.set_num_threads(plan.threads)
    config = replace(plan.network, items=len(log.items))
    network = SequenceNetwork(config)
    _start(network, log, plan.seed)
    sequences = [items for history in histories_of(log) if len(items := steps(history, config.length + 1)) >= _LEAST_ITEMS]
    if not sequences:
        return network
    count = max(plan.least_steps, plan.epochs * -(-len(sequences) // plan.batch))
    schedule = Schedule(
        count,
        plan.learning_rate,
        weight_decay=plan.weight_decay,
        average_decay=0.998,
        checkpoint_every=max(50, count // 20),
        limit_s=plan.max_minutes * 60,
    )
    training: Training[SequenceNetwork, Tensor] = Training(network, schedule, run=run, device=torch.device("cpu"))
    training.fit(_batches(sequences, plan, config.items, first=training.step), loss_of, title="sequence")
    averaged: SequenceNetwork = training.averaged
    return averaged


def loss_of(network: SequenceNetwork, rows: Tensor) -> Tensor:
    """Mean cross-entropy of each next item among all items; `rows` int64 (n, length), padded before."""
    seen, following = rows[:, :-1], rows[:, 1:]
    real = seen != network.config.items
    return functional.cross_entropy(network.logits(network(seen)[real]).float(), following[real])


def _start(network: SequenceNetwork, log: Interactions, seed: int) -> None:
    """Begin at the vectors that matrix factorisation finds: items that go together are near each other from the first step."""
    matrix = interest_of(log)
    lengths = np.sqrt((matrix * matrix).sum(axis=1))
    scaled = sparse.csr_array(sparse.diags_array(1.0 / np.maximum(lengths, 1e-12)) @ matrix)
    rank = min(network.config.dim, *scaled.shape)
    _, values, right = randomized_svd(scaled, n_components=rank, n_iter=4, random_state=seed)
    vectors = right.T * np.sqrt(values)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    with torch.no_grad():
        start = network.vectors.weight[: len(unit), :rank]
        start.copy_(torch.from_numpy(unit.astype(np.float32)) + _NOISE * torch.randn_like(start))


def _batches(sequences: Sequence[Sequence[int]], plan: SequencePlan, nothing: int, *, first: int) -> Iterator[Tensor]:
    """Batches without end from number `first` on, each of sequences of about one length; every epoch has an order of its own."""
    lengths = np.array([len(sequence) for sequence in sequences])
    per_epoch = -(-len(sequences) // plan.batch)
    epoch, skipped = divmod(first, per_epoch)
    while True:
        rng = np.random.default_rng((plan.seed, epoch))
        order = np.argsort(lengths + 2.0 * rng.random(len(sequences)), kind="stable")
        parts = [order[part * plan.batch : (part + 1) * plan.batch] for part in range(per_epoch)]
        for part in rng.permutation(per_epoch)[skipped:]:
            yield padded([sequences[place] for place in parts[part]], nothing)
        epoch, skipped = epoch + 1, 0


def _fingerprint(log: Interactions, plan: SequencePlan) -> str:
    digest = blake2b(repr((plan, len(log.items))).encode(), digest_size=8)
    for part in (log.user, log.item):
        digest.update(part.tobytes())
    return digest.hexdigest()
