"""What the eye is worth on your own pictures. Pictures stay on this machine; no server is needed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.cli.common import AsJson, errors_named, fail, print_json
from deployments.cli.evaluate.tables import print_table, shown

if TYPE_CHECKING:
    from models.evaluation.datasets.labelled import Labelled
    from models.evaluation.photographs import Crop


class Format(StrEnum):
    coco = "coco"
    voc = "voc"
    tsv = "tsv"


class CropChoice(StrEnum):
    auto = "auto"
    whole = "whole"
    both = "both"


Data = Annotated[Path | None, typer.Option(help="COCO JSON or its folder, VOC folder, or folder with .bboxes.tsv. None: drawn frames.")]
Pictures = Annotated[Path | None, typer.Option(help="Where the pictures lie, if not beside what names them.")]
DetectorName = Annotated[str, typer.Option(help="Folder or hub id. Empty: the one that ships.")]
EmbedderName = Annotated[str, typer.Option(help="Folder or hub id. Empty: the one that ships.")]
Seed = Annotated[int, typer.Option(help="Same seed, same numbers.", min=0)]
RANKS = ("rank1", "rank5", "map")
UNKNOWNS = {
    "false_accept": "FA",
    "false_reject": "FR",
    "mistaken": "wrong",
    "false_reject_at_fa_0.01": "FR@.01",
    "false_reject_at_fa_0.05": "FR@.05",
    "false_reject_at_fa_0.10": "FR@.10",
}
LISTING = "CSV with the header path,product_id, or a folder with a sub-folder per product."


def detector(  # noqa: PLR0913  # a command's options
    *,
    data: Data = None,
    pictures: Pictures = None,
    form: Annotated[Format | None, typer.Option("--format", help="Without it the folder's content tells.")] = None,
    detector: DetectorName = "",
    embedder: EmbedderName = "",
    min_score: Annotated[float, typer.Option(help="Boxes below it are dropped; AP wants nearly all.", min=0, max=1)] = 0.01,
    limit: Annotated[int | None, typer.Option(help="Only the first so many pictures.", min=1)] = None,
    frames: Annotated[int, typer.Option(help="Drawn frames, without --data.", min=1)] = 200,
    draw: Annotated[Path | None, typer.Option(help="Write a .png or .jpg of what is found and what fails here.")] = None,
    seed: Seed = 0,
    class_agnostic: Annotated[bool, typer.Option("--class-agnostic/--by-category", help="One class, or the labels' categories.")] = True,
    as_json: AsJson = False,
) -> None:
    """Average precision and recall of the detector, loaded as it is served. Boxes are pixels of the upright picture.

    Examples: `livecart evaluate detector --data my-pictures --json`; `livecart evaluate detector --frames 400`
    """
    with errors_named():
        labelled = _labelled(data, pictures, form, limit=limit, frames=frames, seed=seed)
        eye = detector or _shipped("detector"), embedder or _shipped("embedder")
        scores = _detector_scores(labelled, eye, min_score=min_score, by_category=not class_agnostic, draw=draw)
    facts = {"data": str(data or "drawn frames"), "detector": detector or "shipped", "class_agnostic": class_agnostic}
    _finish_detector({**facts, "min_score": min_score, "frames": len(labelled), **scores}, as_json=as_json)


def recognition(  # noqa: PLR0913  # a command's options
    *,
    enrol: Annotated[Path, typer.Option(help=f"Pictures to enrol: {LISTING}")],
    queries: Annotated[Path, typer.Option(help=f"Pictures to name: {LISTING} Products that are not enrolled are unknowns.")],
    pictures: Annotated[Path | None, typer.Option(help="What a CSV's paths are relative to, if not its own folder.")] = None,
    detector: DetectorName = "",
    embedder: EmbedderName = "",
    shelf_size: Annotated[list[int] | None, typer.Option(help="Again for more sizes; all products are always one.", min=2)] = None,
    views: Annotated[int | None, typer.Option(help="At most so many pictures of a product are enrolled: the first.", min=1)] = None,
    crop: Annotated[CropChoice, typer.Option(help="auto: cut out as when serving. whole: the picture is the product.")] = CropChoice.both,
    unknown_share: Annotated[float, typer.Option(help="Products left out to be strangers.", min=0, max=0.9)] = 0.2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Rank-1, rank-5, mAP and unknowns by shelf size, with two floors on the same pictures.

    Example: `livecart evaluate recognition --enrol enrol.csv --queries queries.csv --shelf-size 10 --shelf-size 30 --json`
    """
    with errors_named():
        from models.evaluation.datasets.listing import read_listing
        from models.evaluation.photographs import Plan, at_most, evaluate_photographs, methods

        enrolled = at_most(read_listing(enrol, pictures=pictures), views)
        sought = read_listing(queries, pictures=pictures)
        crops: dict[CropChoice, tuple[Crop, ...]] = {CropChoice.auto: ("auto",), CropChoice.whole: ("whole",)}
        ways = methods(detector or _shipped("detector"), embedder or _shipped("embedder"), crops=crops.get(crop, ("auto", "whole")))
        rows = evaluate_photographs(enrolled, sought, ways, Plan(tuple(shelf_size or (10, 30)), unknown_share, seed))
    facts = {"enrolled_products": len({each.product_id for each in enrolled}), "enrolled_pictures": len(enrolled), "queries": len(sought)}
    _finish_recognition({**facts, "unknown_share": unknown_share, "seed": seed}, rows, as_json=as_json)


def _detector_scores(
    labelled: "Sequence[Labelled]", eye: tuple[str, str], *, min_score: float, by_category: bool, draw: Path | None
) -> dict[str, float]:
    from deployments.settings import DetectorConfig
    from models.evaluation.contact_sheet import draw_sheet
    from models.evaluation.detection import answer, average_precision, category_accuracy, seconds_per_frame, shared_categories
    from models.vision.detector import ProductDetector

    served = DetectorConfig()
    asked = ProductDetector.load(*eye, min_score=min_score, max_detections=100, threads=served.threads)
    shared = shared_categories(labelled, asked.categories)
    if by_category and not shared:
        fail(f"the data and the detector share no category; the detector's are {', '.join(asked.categories[:10])}")
    answered = answer(asked, _tracked(labelled))
    scores: dict[str, float] = {"boxes": sum(not ignored for each in labelled for ignored in each.ignored)}
    scores |= average_precision(answered, by_category=by_category)
    scores |= {"category_accuracy": category_accuracy(answered)} if shared else {}
    scores["seconds_per_frame"] = seconds_per_frame(ProductDetector.load(*eye, min_score=served.min_score), labelled)
    if draw is not None:
        draw_sheet(answered, draw, min_score=served.min_score)
    return scores


def _labelled(
    data: Path | None, pictures: Path | None, form: Format | None, *, limit: int | None, frames: int, seed: int
) -> "list[Labelled]":
    from models.evaluation.datasets.formats import read_boxes
    from models.evaluation.datasets.labelled import check_labelled
    from models.evaluation.detection import held_out_frames

    if data is None:
        labelled = held_out_frames(limit or frames, seed=seed)
    else:
        labelled = read_boxes(data, form=form.value if form else None, pictures=pictures)[:limit]
    check_labelled(labelled, str(data or "the drawn frames"))
    return labelled


def _shipped(kind: str) -> str:
    from deployments.settings import ZOO

    return str(ZOO / kind)


def _tracked(labelled: "Sequence[Labelled]") -> "Iterator[Labelled]":
    from rich.console import Console
    from rich.progress import track

    yield from track(labelled, "detecting", console=Console(stderr=True))


def _finish_detector(facts: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(dict(facts))
        return
    print_table(f"Detector on {facts['data']}", ("", ""), [(name.replace("_", " "), shown(value)) for name, value in facts.items()])


def _finish_recognition(facts: Mapping[str, object], rows: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    if as_json:
        print_json({**facts, "rows": list(rows)})
        return
    title = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items())
    print_table(title, ("method", "shelf", "rank-1", "rank-5", "mAP"), [(*_named(row), *_cells(row, RANKS)) for row in rows])
    strangers = [(*_named(row), *_cells(row["unknowns"], UNKNOWNS)) for row in rows]
    print_table("with unknown products: FA false accept, FR false reject", ("method", "shelf", *UNKNOWNS.values()), strangers)


def _named(row: Mapping[str, object]) -> tuple[str, str]:
    return str(row["method"]), str(row["shelf_size"])


def _cells(numbers: object, names: Iterable[str]) -> list[str]:
    return [shown(numbers.get(name)) for name in names] if isinstance(numbers, Mapping) else []
