"""A small text classifier from labelled comments of your own: `livecart train intent|sentiment --data FILE`."""

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.artifacts import write_manifest
from models.evaluation.datasets.sentences import LabelledSentence, read_sentences
from models.language.comprehension import KIND, SCHEMA
from models.training.linear import Fitted, Plan, Sample, fit

MEASURED = "5-fold cross-validation, whole templates and repeated sentences held out; the weights are then fitted on everything"
OWN = "labelled"  # the source of samples that people labelled
_DESCRIPTION_WEIGHT = 4.0
_SENTIMENT = Plan(inverse_regularisation=1.0, longest=3, least_texts=3)  # reviews are long and their labels seldom wrong


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row that cross-validation believes to be mislabelled."""

    index: int  # of the sample
    likelier: str
    probability: float  # of the likelier label
    given: float  # probability of the label that it has


def train_on_file(  # noqa: PLR0913  # one keyword per fact of the run
    out: Path, data: Path, *, name: str, plan: Plan, beside: Sequence[Sample] = (), suspects: Path | None = None, credit: str = ""
) -> Mapping[str, float]:
    """Fit on the labelled sentences of `data` and the samples `beside` them, save to `out` with a manifest, give the metrics.

    `suspects`: where the rows that look mislabelled are written, likeliest first, a JSON object a line: line, sentence, label,
    likelier, probability. Raises DatasetError or ModelInputError.
    """
    rows = read_sentences(data)
    samples = [*samples_of(rows), *beside]
    fitted = fit(samples, plan)
    fitted.classifier.save(out)
    found = [each for each in find_suspects(fitted, samples) if each.index < len(rows)]
    if suspects is not None:
        suspects.write_text("".join(_line(rows[each.index], each) for each in found), encoding="utf-8")
    metrics = {**fitted.metrics, "suspects": float(len(found))}
    options = {"--data": data.as_posix(), "--seed": str(plan.seed), "--credit": credit}
    write_manifest(
        out,
        kind=KIND,
        schema=SCHEMA,
        command=command(name, out, options, ["--generated"] if beside else []),
        seed=plan.seed,
        data={
            "source": data.name,
            "sha256": hashlib.sha256(data.read_bytes()).hexdigest(),
            "credit": credit,
            "samples": len(rows),
            "generated_samples": len(beside),
            "measured": MEASURED,
        },
        metrics=metrics,
    )
    return metrics


def plan_for(name: str, seed: int) -> Plan:
    """How labelled sentences are learnt: `intent` or `sentiment`."""
    return replace(_SENTIMENT if name == "sentiment" else Plan(), seed=seed)


def command(name: str, out: Path, options: Mapping[str, str], flags: Sequence[str] = ()) -> str:
    """The line for the shell that makes the artifact again; options without a value are left out."""
    words = [word for option, value in options.items() if value for word in (option, value)]
    return shlex.join(["livecart", "train", name, "--out", out.as_posix(), *words, *flags])


def samples_of(rows: Sequence[LabelledSentence]) -> list[Sample]:
    """A sample for each row, in order, and after them one for each description of a label. Repeated sentences are one group."""
    described = {row.description: row.label for row in rows if row.description}
    return [
        *(Sample(row.sentence, row.label, " ".join(row.sentence.lower().split()), source=OWN) for row in rows),
        *(Sample(text, label, "", weight=_DESCRIPTION_WEIGHT, source=OWN, tested=False) for text, label in described.items()),
    ]


def find_suspects(fitted: Fitted, samples: Sequence[Sample]) -> list[Suspect]:
    """Rows that are believed to be of another label, likeliest first, after confident learning (Northcutt, Jiang and Chuang, 2021).

    A suspect's likeliest label is another one than it has, and is at least as likely there as it is on average where it was given.
    """
    labels = fitted.classifier.labels
    index = {label: place for place, label in enumerate(labels)}
    tested = np.array([place for place, sample in enumerate(samples) if sample.tested])
    given = np.array([index[samples[place].label] for place in tested])
    held_out = fitted.held_out[tested]
    likelier = held_out.argmax(axis=1)
    rows = np.flatnonzero((likelier != given) & (held_out.max(axis=1) >= _mean_of_own(held_out, given)[likelier]))
    own, other = held_out[rows, given[rows]], held_out[rows, likelier[rows]]
    return [
        Suspect(int(tested[rows[i]]), labels[likelier[rows[i]]], float(other[i]), float(own[i]))
        for i in np.argsort(own - other, kind="stable")
    ]


def _mean_of_own(held_out: NDArray[np.float64], given: NDArray[np.int64]) -> NDArray[np.float64]:
    """(labels,): the mean probability of each label over the rows that have it; infinite where none has."""
    count = np.bincount(given, minlength=held_out.shape[1])
    total = np.bincount(given, held_out[np.arange(len(given)), given], minlength=held_out.shape[1])
    return np.where(count > 0, total / np.maximum(count, 1), np.inf)


def _line(row: LabelledSentence, suspect: Suspect) -> str:
    values = {
        "line": row.line,
        "sentence": row.sentence,
        "label": row.label,
        "likelier": suspect.likelier,
        "probability": round(suspect.probability, 4),
    }
    return json.dumps(values, ensure_ascii=False) + "\n"
