"""What recommenders are worth on your own log of who had to do with what. No server is needed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.cli.common import AsJson, errors_named, print_json

if TYPE_CHECKING:
    from models.evaluation.protocols import Split
    from models.evaluation.recommenders import Options
    from models.interactions.log import Interactions
    from models.training.pipeline import Shop

DEFAULT_MODELS = "popular,itemknn,ease,ials,sequence,blend,ranked"
PRODUCT_FILES = ("products.csv", "products.jsonl")
COLUMNS = {
    "hr": "HR",
    "recall": "rec.",
    "precision": "prec.",
    "ndcg": "nDCG",
    "mrr": "MRR",
    "cold": "cold",
    "coverage": "cover",
    "popularity_percentile": "pop.",
    "fit_s": "fit s",
    "predict_s": "ask s",
    "peak_mib": "MiB",
}


class Format(StrEnum):
    recbole = "recbole"
    sequences = "sequences"
    kuailive = "kuailive"
    events = "events"


class Protocol(StrEnum):
    leave_one_out = "leave-one-out"
    ratio_75 = "ratio-75"
    time_75 = "time-75"


@errors_named()
def recommender(  # noqa: PLR0913  # a command's options
    *,
    data: Annotated[Path, typer.Option(help="Folder or file: RecBole, sequences, KuaiLive, or own events (CSV, JSONL, Parquet).")],
    form: Annotated[Format | None, typer.Option("--format", help="Without it the names of the files tell.")] = None,
    protocol: Annotated[
        Protocol,
        typer.Option(help="Each user's last new item; each user's last quarter; or the last quarter of the whole log's entries."),
    ] = Protocol.leave_one_out,
    k: Annotated[int, typer.Option("--k", help="How many items are proposed.", min=1, max=1_000)] = 10,
    models: Annotated[
        str, typer.Option(help="Comma-separated: popular, attributes, itemknn, ease, ials, bpr, sequence, blend, ranked; or all.")
    ] = DEFAULT_MODELS,
    products: Annotated[
        Path | None,
        typer.Option(help="With events: what `catalog import` takes. Without it products.csv or .jsonl beside the events.", exists=True),
    ] = None,
    cold: Annotated[int, typer.Option(help="The cold slice: users with at most so many items before.", min=0)] = 5,
    sequence_minutes: Annotated[float, typer.Option(help="The sequence model's training is squeezed to end by then.", min=0.01)] = 15.0,
    run: Annotated[Path | None, typer.Option(help="Keep checkpoints of the sequence model here, and resume them.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same numbers.", min=0)] = 7,
    as_json: AsJson = False,
) -> None:
    """Recommenders side by side: every item is ranked but those a user had, nothing is sampled, splits are by time.

    HR, recall, precision, nDCG and MRR at k; cold: nDCG of users with few items; cover: share of the items that are proposed to
    anybody; pop.: mean percentile of popularity of what is proposed (.5 is no bias); ask s: seconds to score all users and choose;
    MiB: the most memory held beyond the log.
    ranked is what would serve: the candidates of all sources that win on this log, ranked by Wide & Deep; `ranked_is` tells them.
    blend weighs the scores of itemknn, ials, popular and attributes. The sequence model trains for minutes, and for ranked twice more.

    Examples: `livecart evaluate recommender --data beauty --models all --json`;
    `livecart evaluate recommender --data ml-100k.inter --protocol ratio-75 --models ease,itemknn`;
    `livecart evaluate recommender --data events.parquet --protocol time-75 --k 20`
    """
    from models.evaluation.protocols import split
    from models.evaluation.recommenders import MODELS, Options, named
    from models.interactions.formats import read_interactions

    names = named(list(MODELS) if models.strip() == "all" else [name.strip() for name in models.split(",") if name.strip()])
    with _status("reading"):
        found, log = read_interactions(data, form.value if form else None)
        divided = split(log, protocol.value)
    asked = {"data": str(data), "format": found, "protocol": protocol.value, "k": k, "seed": seed}
    facts: dict[str, object] = {**asked, **_counted(log), "asked": len(divided.cases), "cold_up_to": cold}
    shop = _shop(data, products, log, found) if "ranked" in names else None
    options = Options(seed=seed, sequence_minutes=sequence_minutes, run=run, shop=shop)
    rows = list(_rows(divided, names, options, k=k, cold=cold))
    facts["ranked_is"] = next((row.get("made_of") for row in rows if row["model"] == "ranked"), None)
    _finish(facts, rows, as_json=as_json)


def _counted(log: "Interactions") -> dict[str, int]:
    return {
        "users": len(log.users),
        "items": len(log.items),
        "interactions": len(log),
        "duplicates": log.duplicates,
        "passed_over": log.passed_over,
    }


def _shop(data: Path, products: Path | None, log: "Interactions", form: str) -> "Shop":
    """What the pipeline that serves looks at besides interactions: own events and products where they are at hand."""
    from deployments.settings import ZOO
    from deployments.shop_data import products_from
    from models.interactions.events import read_events
    from models.language.text_embedder import TextEmbedder
    from models.training.as_shop import products_of
    from models.training.pipeline import Shop

    beside = data if data.is_dir() else data.parent
    file = products or next((path for name in PRODUCT_FILES if (path := beside / name).is_file()), None)
    described = products_from(file) if file is not None and form == "events" else products_of(log)
    return Shop(read_events(data) if form == "events" else None, described, TextEmbedder.load(ZOO / "text_embedder"))


def _rows(divided: "Split", names: Sequence[str], options: "Options", *, k: int, cold: int) -> Iterator[Mapping[str, object]]:
    from models.evaluation.recommenders import MODELS, Question, compared

    question = Question(divided, k=k, cold=cold)
    for number, name in enumerate(names, start=1):
        with _status(f"{name} ({number} of {len(names)})"):
            yield from compared(question, {name: MODELS[name](options)})


@contextmanager
def _status(what: str) -> Iterator[None]:
    """A line on standard error that says what is being done; models with progress of their own show it below."""
    from rich.console import Console

    Console(stderr=True).print(f"{what} ...")
    yield


def _finish(facts: Mapping[str, object], rows: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    if as_json:
        print_json({**facts, "rows": list(rows)})
        return
    print_scores(facts, rows)
    for row in rows:
        if isinstance(row.get("made_of"), Mapping):
            _tell_parts(row)
        if "skipped" in row:
            typer.echo(f"{row['model']} skipped: {row['skipped']}")


def _tell_parts(row: Mapping[str, Any]) -> None:
    made_of = row["made_of"]
    if "weights" in made_of:
        typer.echo(f"{row['model']}: {made_of['is']} of {made_of['weights']}")
        return
    typer.echo(f"{row['model']}: {made_of['is']}, candidates of {', '.join(made_of['candidates'])}, ranked by {made_of['ranked_by']}")
    for kind, verdict in made_of["judged"].items():
        typer.echo(f"  {kind}: {verdict['why']}")


def print_scores(facts: Mapping[str, object], rows: Sequence[Mapping[str, object]]) -> None:
    """One table, within 80 columns."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    counts = ", ".join(f"{facts[name]} {name}" for name in ("users", "items", "interactions"))
    title = f"{facts['data']} ({facts['format']}), {facts['protocol']} at {facts['k']}\n{counts}; {facts['asked']} users asked"
    table = Table(title=title, box=SIMPLE_HEAD, padding=0)
    table.add_column("model", no_wrap=True)
    for head in COLUMNS.values():
        table.add_column(head, no_wrap=True, justify="right")
    for row in rows:
        if "skipped" not in row:
            table.add_row(str(row["model"]), *(_cell(name, row[name]) for name in COLUMNS))
    Console().print(table)


def _cell(name: str, value: object) -> str:
    if isinstance(value, Mapping):
        value = value.get("ndcg")
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.1f}" if name.endswith("_s") else f"{value:.4f}".removeprefix("0")[:5]
