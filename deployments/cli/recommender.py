"""`livecart train recommender`: from events to the version that serves."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.cli.common import HERE, AsJson, Home, fail, print_json, resumable

if TYPE_CHECKING:
    from deployments.shop_data import ShopData
    from models.interactions.quality import DataReport
    from models.language.text_embedder import TextEmbedder
    from models.recommend.surroundings import Screen
    from models.training.recommender import TrainOptions

WORSE = 3  # exit status when the new version is not put in place
TOLERATED = 0.02  # share of the serving version's nDCG that a new one may lose: less is chance
JUDGED_BY = "ndcg_at_10_pipeline"

Data = Annotated[str, typer.Option(help="demo: simulated viewers; store: this installation's; else a folder with events and products.")]
Sources = Annotated[
    str, typer.Option(help="Learned sources to train and judge: sequence, ials, both by comma; auto: those the log suits; none.")
]
Minutes = Annotated[float, typer.Option(help="Each training of the sequence model is squeezed to end by then.", min=0.01)]
Run = Annotated[Path | None, typer.Option(help="Keep checkpoints of the sequence model here, and resume them.")]
Link = Annotated[Path | None, typer.Option(help="The link that names the serving version: pointed to the new one unless that is worse.")]


def recommender(  # noqa: PLR0913  # a command's options
    out: Annotated[Path, typer.Option(help="Folder for the finished artifact and its manifest.")],
    data: Data = "demo",
    link: Link = None,
    *,
    text_embedder: Annotated[Path, typer.Option(help="The artifact that will serve.")] = Path("models/zoo/text_embedder"),
    viewers: Annotated[int, typer.Option(min=10, help="Of the demo.")] = 1_500,
    days: Annotated[float, typer.Option(min=1, help="Of the demo.")] = 28.0,
    sources: Sources = "auto",
    sequence_minutes: Minutes = 15.0,
    run: Run = None,
    seed: Annotated[int, typer.Option(help="Same seed, same data and weights.")] = 7,
    home: Home = HERE,
    strict: Annotated[bool, typer.Option("--strict", help="Stop when the data look odd.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train candidates and ranker, look at the data before and at the result after, and put it in place if it is no worse.

    A folder holds `events.csv|jsonl|parquet`, `products.csv|jsonl` and `rooms.jsonl`, in the forms of the HTTP API. With --link the new
    version and the one that serves are judged on the same latest events, which neither was fitted on; exit status 3 says that the old one
    stays.

    The sequence model and iALS are trained as well and judged on later events; one that is better than what viewers do together, similar
    and popular products, by more than chance, serves with them, and the manifest says why or why not.

    Examples: `livecart train recommender --out runs/my-recommender`;
    `livecart train recommender --data store --out versions/$(date +%F) --link versions/current --strict`
    """
    from models.language.text_embedder import TextEmbedder

    _check_places(out, link)
    embedder = TextEmbedder.load(text_embedder)
    options = _options(sources, sequence_minutes, run, seed)
    if data == "demo":
        with resumable(run):
            scores = _trained_on_demo(out, embedder, seed, options, viewers=viewers, days=days)
        _tell({"out": str(out), "scores": scores}, as_json=as_json)
        return
    shop = _shop(data, home)
    report = _looked_at(shop, strict=strict, as_json=as_json)
    with resumable(run):
        result, is_good = _made(shop, out, link, embedder, seed, options)
    if is_good and link is not None:
        from deployments.versions import point

        point(link, out)
    _tell({**result, "data": report.as_dict()}, as_json=as_json)
    if not is_good:
        raise typer.Exit(WORSE)


def _made(
    shop: "ShopData", out: Path, link: Path | None, embedder: "TextEmbedder", seed: int, options: "TrainOptions"
) -> tuple[dict[str, object], bool]:
    """The new version with weights from all events once nothing has to be kept back for judging, and whether it is to serve."""
    from deployments.versions import new_version
    from models.training.recommender import refit

    with new_version(out) as draft:
        result: dict[str, object] = {"out": str(out), "scores": _trained(shop, draft, embedder, seed, options)}
        is_good = True
        if link is not None:
            result["judged"], is_good = _judged(shop, draft, link, embedder)
            result["serves"] = str(out if is_good else link.resolve())
        if is_good:
            refit(draft, shop.events, shop.products, seed=seed, options=options)
    return result, is_good


def _trained_on_demo(
    out: Path, embedder: "TextEmbedder", seed: int, options: "TrainOptions", *, viewers: int, days: float
) -> dict[str, float]:
    from deployments.versions import new_version
    from models.training.recommender import train_on_demo

    with new_version(out) as draft:
        return train_on_demo(draft, embedder=embedder, screen=_screen(), seed=seed, viewers=viewers, days=days, options=options)


def _check_places(out: Path, link: Path | None) -> None:
    """Before minutes are spent: nothing that serves, or was kept to go back to, is written over."""
    if link is not None and link.exists() and not link.is_symlink():
        fail(f"{link} is no link; move it away, so that a link to the serving version can stand there", code=2)
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        fail(f"{out} is there already; a version is written into a new folder", code=2)


def _shop(data: str, home: Path) -> "ShopData":
    from deployments.settings import Settings
    from deployments.shop_data import from_folder, from_store
    from graphs.errors import LivecartError

    if data != "store":
        return from_folder(Path(data))
    try:
        return from_store(Settings(home=home.absolute()))
    except LivecartError as error:
        fail(error.message)


def _looked_at(shop: "ShopData", *, strict: bool, as_json: bool) -> "DataReport":
    from models.interactions.quality import data_report

    report = data_report(shop.events, {product.product_id for product in shop.products})
    if not as_json:
        typer.echo(f"{shop.source}: {report.events} events of {report.viewers} viewers in {report.days:.1f} days, {report.by_type}")
        typer.echo(f"drift of the latest fifth: event types {report.type_drift:.2f}, products {report.product_drift:.2f}")
    for alarm in report.alarms:
        typer.echo(f"odd: {alarm}", err=True)
    if strict and report.alarms:
        fail("nothing was trained, because of what is odd about the data; without --strict it is tried")
    return report


def _options(sources: str, sequence_minutes: float, run: Path | None, seed: int) -> "TrainOptions":
    from models.training.learned import LearnedPlan, named_sources
    from models.training.recommender import TrainOptions
    from models.training.sequence import SequencePlan

    sequence = SequencePlan(max_minutes=sequence_minutes, seed=seed)
    return TrainOptions(learned=LearnedPlan(named_sources(sources), sequence, run=run))


def _trained(shop: "ShopData", out: Path, embedder: "TextEmbedder", seed: int, options: "TrainOptions") -> dict[str, float]:
    from models.training.recommender import train

    data = {"source": shop.source}
    try:
        return train(
            shop.events, shop.products, shop.rooms, out, embedder=embedder, screen=_screen(), seed=seed, options=options, data=data
        )
    except ValueError as error:
        fail(str(error))


def _screen() -> "Screen":
    """The one that serves."""
    from graphs.recommend import DISPLAYS_READ, on_screen
    from models.recommend.surroundings import Screen

    return Screen(on_screen, DISPLAYS_READ)


def _judged(shop: "ShopData", out: Path, link: Path, embedder: "TextEmbedder") -> tuple[dict[str, dict[str, float]], bool]:
    """The new version and the one that serves, side by side, and whether the new one is to serve."""
    from models.evaluation.recommender import evaluate_artifact, side_by_side

    folders, at = side_by_side(out, link.resolve() if link.exists() else None)
    judged = {
        name: evaluate_artifact(folder, shop.events, shop.products, shop.rooms, embedder=embedder, screen=_screen(), at=at)
        for name, folder in folders.items()
    }
    new, old = judged["new"], judged.get("old")
    is_good = old is None or (new["viewers"] > 0 and new[JUDGED_BY] >= old[JUDGED_BY] * (1 - TOLERATED))
    return judged, is_good


def _tell(result: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(dict(result))
        return
    typer.echo(f"wrote {result['out']}")
    for why in _reasons(Path(str(result["out"]))):
        typer.echo(f"  {why}")
    judged = result.get("judged")
    columns = {"trained": result["scores"], **(judged if isinstance(judged, dict) else {})}
    names = dict.fromkeys(name for scores in columns.values() if isinstance(scores, dict) for name in scores)
    typer.echo(f"  {'':32}{''.join(f'{column:>10}' for column in columns)}")
    for name in names:
        typer.echo(f"  {name:32}{''.join(_cell(scores, name) for scores in columns.values())}")
    if "serves" in result:
        typer.echo(f"serves: {result['serves']}")


def _reasons(out: Path) -> list[str]:
    """What serves or does not, and why, as the manifest has it."""
    from models.artifacts import read_manifest

    data: dict[str, Any] = read_manifest(out)["data"]
    verdicts = {**data["sources"], **({"rooms": data["rooms"]} if "rooms" in data else {})}
    return [f"{name}: {verdict['why']}" for name, verdict in verdicts.items()]


def _cell(scores: object, name: str) -> str:
    found = scores.get(name) if isinstance(scores, dict) else None
    return f"{found:>10.4g}" if found is not None else f"{'':>10}"
