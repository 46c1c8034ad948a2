"""How well retrieval orders candidates of your own. No server is needed."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.cli.common import AsJson, errors_named, print_json
from deployments.cli.evaluate.tables import print_table, shown

if TYPE_CHECKING:
    from models.evaluation.retrieval import Asked

COLUMNS = ("p_at_1", "mrr", "ndcg", "told_apart", "median_ms")


@errors_named()
def retrieval(
    *,
    data: Annotated[
        Path, typer.Option(help='JSONL: {"question", "candidates": [..], "relevant": [indices]}.', exists=True, dir_okay=False)
    ],
    text_embedder: Annotated[str, typer.Option(help="Folder or URL. Empty: the one that ships.")] = "",
    reranker: Annotated[str, typer.Option(help="Folder, or hub id of a cross-encoder. Empty: the one that ships.")] = "",
    as_json: AsJson = False,
) -> None:
    """P@1, MRR and nDCG of BM25 alone, vectors alone, both fused, and re-ranked, by the index that serves.

    Every question ranks its own candidates. One without relevant candidates counts in no average; `told_apart` is how well the first
    candidate's relevance tells such questions from the others (ROC AUC; .5 is chance).

    Example: `livecart evaluate retrieval --data questions.jsonl --json`
    """
    from deployments.loading import load_passages
    from deployments.settings import RetrieverConfig
    from models.evaluation.retrieval import evaluate_retrieval, read_questions

    questions = read_questions(data)
    named = {"text_embedder": text_embedder, "reranker": reranker}
    config = RetrieverConfig().model_copy(update={name: value for name, value in named.items() if value})
    rows = evaluate_retrieval(load_passages(config), questions, watched=_tracked)
    answerable = sum(bool(asked.relevant) for asked in questions)
    facts = {
        "data": str(data),
        "questions": answerable,
        "without_relevant": len(questions) - answerable,
        "candidates": sum(len(asked.candidates) for asked in questions),
        **{name: value or "shipped" for name, value in named.items()},
    }
    _finish(facts, rows, as_json=as_json)


def _finish(facts: Mapping[str, object], rows: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    if as_json:
        print_json({**facts, "rows": list(rows)})
        return
    title = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items())
    heads = ("method", *(name.replace("_", " ") for name in COLUMNS))
    print_table(title, heads, [(str(row["method"]), *(shown(row[name]) for name in COLUMNS)) for row in rows])


def _tracked(questions: "Sequence[Asked]") -> "Iterator[Asked]":
    from rich.console import Console
    from rich.progress import track

    yield from track(questions, "ranking", console=Console(stderr=True))
