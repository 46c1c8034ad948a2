"""Boxes beside the pictures, `NAME.bboxes.tsv` and `NAME.bboxes.labels.tsv`: the layout of CNTK's Fast R-CNN grocery data."""

from pathlib import Path

from models.evaluation.datasets.labelled import DatasetError, Labelled, checked_box, pictures_below, read_text
from models.types import Box

BOXES, LABELS = ".bboxes.tsv", ".bboxes.labels.tsv"
EMPTY_FOLDER = "negative"  # pictures in it show no product and need no files of boxes
IGNORED = frozenset({"exclude", "undecided"})  # what that data's annotation tool calls objects that are not to be judged


def read_tsv(folder: Path, *, pictures: Path | None = None) -> list[Labelled]:
    """Every picture below `folder` (or `pictures`, which mirrors it) in the order of the paths.

    A line of the first file is x1, y1, x2, y2 in pixels, separated by tabs; the same line of the second is its category.
    Raises DatasetError, also for a picture without boxes outside of folders called `negative`.
    """
    base = pictures or folder
    files = pictures_below(base)
    labelled = [_labelled(path, folder, path.relative_to(base)) for path in files]
    _check_pictures({path.with_suffix("").relative_to(base) for path in files}, folder)
    return labelled


def _labelled(picture: Path, folder: Path, name: Path) -> Labelled:
    boxes_file, labels_file = (folder / name).with_suffix(BOXES), (folder / name).with_suffix(LABELS)
    if not boxes_file.is_file() and EMPTY_FOLDER in (part.lower() for part in name.parent.parts):
        return Labelled(str(picture), picture)
    lines = _lines(boxes_file)
    labels = _lines(labels_file) if lines or labels_file.is_file() else []
    if len(lines) != len(labels):
        raise DatasetError(f"{labels_file}: {len(labels)} labels, but {boxes_file.name} has {len(lines)} boxes")
    return Labelled(
        name=str(boxes_file),
        picture=picture,
        boxes=tuple(_box(line, f"{boxes_file}, line {number}") for number, line in lines),
        categories=tuple(label for _, label in labels),
        ignored=tuple(label.lower() in IGNORED for _, label in labels),
    )


def _lines(path: Path) -> list[tuple[int, str]]:
    """The lines that hold something, with their numbers."""
    lines = enumerate(read_text(path).splitlines(), start=1)
    return [(number, line.strip()) for number, line in lines if line.strip()]


def _box(line: str, where: str) -> Box:
    try:
        x1, y1, x2, y2 = (float(cell) for cell in line.split("\t"))
    except ValueError as error:
        raise DatasetError(f"{where}: four numbers separated by tabs are needed, not {line!r}") from error
    return checked_box((x1, y1, x2, y2), where)


def _check_pictures(found: set[Path], folder: Path) -> None:
    """A file of boxes without its picture means that the data set is not complete."""
    for path in sorted(folder.rglob(f"*{BOXES}")):
        name = path.relative_to(folder)
        if name.with_name(name.name.removesuffix(BOXES)) not in found:
            raise DatasetError(f"{path}: there is no picture beside it")
