"""What the small classifiers of comments are worth on sentences that you labelled. No server is needed."""

import time
from pathlib import Path
from typing import Annotated

import typer

from deployments.cli.common import AsJson, errors_named, fail, print_json
from deployments.cli.evaluate.tables import print_table, shown

Train = Annotated[
    Path | None, typer.Option(help='Learn from these: JSONL {"sentence", "label"} a line, or CSV. Cross-validated without --test.')
]
Test = Annotated[Path | None, typer.Option(help="Measure on these, in the same form.")]
Model = Annotated[str, typer.Option(help="Instead of --train: folder of a classifier. Neither: the one that ships.")]
Seed = Annotated[int, typer.Option(help="Same seed, same numbers.", min=0)]


@errors_named()
def intent(*, train: Train = None, test: Test = None, model: Model = "", seed: Seed = 7, as_json: AsJson = False) -> None:
    """Accuracy, macro F1, top-3 and calibration of what a comment wants.

    Examples: `livecart evaluate intent --train train.jsonl --test test.jsonl --json`; `livecart evaluate intent --test mine.csv`
    """
    _evaluate("intent", train, test, model, seed=seed, as_json=as_json)


@errors_named()
def sentiment(*, train: Train = None, test: Test = None, model: Model = "", seed: Seed = 7, as_json: AsJson = False) -> None:
    """The same of how a comment feels.

    Example: `livecart evaluate sentiment --test reviews.csv --json`
    """
    _evaluate("sentiment", train, test, model, seed=seed, as_json=as_json)


def _evaluate(kind: str, train: Path | None, test: Path | None, model: str, *, seed: int, as_json: bool) -> None:
    if train is not None and model:
        fail("--train makes a classifier and --model names one; give one of them", code=2)
    began = time.perf_counter()
    if test is not None:
        measured = _tested(kind, train, test, model, seed)
    elif train is not None:
        measured = _cross_validated(kind, train, seed)
    else:
        fail("--test names the labelled sentences to measure on; --train alone is cross-validated", code=2)
    facts = {
        "classifier": str(train or model or f"the {kind} classifier that ships"),
        **measured,
        "seconds": round(time.perf_counter() - began, 2),
    }
    if as_json:
        print_json(facts)
        return
    print_table(f"What {kind} is worth", ("", ""), [(name.replace("_", " "), shown(value)) for name, value in facts.items()])


def _cross_validated(kind: str, train: Path, seed: int) -> dict[str, object]:
    from models.evaluation.datasets.sentences import read_sentences
    from models.training.classifier import plan_for, samples_of
    from models.training.linear import fit

    fitted = fit(samples_of(read_sentences(train)), plan_for(kind, seed))
    held_out = {name.removeprefix("held_out_"): value for name, value in fitted.metrics.items() if name.startswith("held_out_")}
    rows = int(held_out.pop("samples"))
    return {"test": "5-fold cross-validation", "rows": rows, "labels": len(fitted.classifier.labels), **held_out}


def _tested(kind: str, train: Path | None, test: Path, model: str, seed: int) -> dict[str, object]:
    from deployments.settings import ZOO
    from models.evaluation.classification import classification_scores
    from models.evaluation.datasets.sentences import read_sentences
    from models.language.comprehension import TextClassifier
    from models.training.classifier import plan_for, samples_of
    from models.training.linear import fit

    rows, learnt = read_sentences(test), read_sentences(train) if train is not None else []
    classifier = fit(samples_of(learnt), plan_for(kind, seed)).classifier if train is not None else TextClassifier.load(model or ZOO / kind)
    scores = classification_scores(classifier.labels, classifier.probabilities([row.sentence for row in rows]), [row.label for row in rows])
    seen = {row.sentence for row in learnt}
    return {
        "test": str(test),
        "rows": len(rows),
        "rows_of_unknown_labels": sum(row.label not in classifier.labels for row in rows),
        "rows_also_in_train": sum(row.sentence in seen for row in rows),
        "labels": len(classifier.labels),
        **{name: round(value, 4) for name, value in scores.items()},
    }
