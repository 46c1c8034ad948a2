"""Which format a data set has, and its pictures with their boxes."""

from pathlib import Path
from typing import Literal

from models.evaluation.datasets.coco import read_coco
from models.evaluation.datasets.labelled import DatasetError, Labelled, check_labelled
from models.evaluation.datasets.tsv import BOXES, read_tsv
from models.evaluation.datasets.voc import read_voc

Format = Literal["coco", "voc", "tsv"]


def read_boxes(data: Path, *, form: Format | None = None, pictures: Path | None = None) -> list[Labelled]:
    """The pictures of a COCO, VOC or TSV data set. `data`: its folder, or COCO's JSON file; `pictures`: where they lie if elsewhere.

    Without `form` the folder's content tells. Raises DatasetError: nothing readable is there, or nothing is labelled.
    """
    if pictures is not None and not pictures.is_dir():
        raise DatasetError(f"{pictures} is no folder of pictures")
    labelled = _read(data, form or _form_of(data), pictures)
    check_labelled(labelled, str(data))
    return labelled


def _read(data: Path, form: Format, pictures: Path | None) -> list[Labelled]:
    if form == "coco":
        return read_coco(_json_of(data), pictures=pictures)
    if not data.is_dir():
        raise DatasetError(f"{data} is no folder; {form} data is one")
    return read_voc(data, pictures=pictures) if form == "voc" else read_tsv(data, pictures=pictures)


def _form_of(data: Path) -> Format:
    if data.is_file() and data.suffix.lower() == ".json":
        return "coco"
    if not data.is_dir():
        raise DatasetError(f"{data} is neither a folder nor a COCO JSON file")
    if next((data / "Annotations").glob("*.xml"), None):
        return "voc"
    if next(data.rglob(f"*{BOXES}"), None):
        return "tsv"
    if _jsons(data):
        return "coco"
    raise DatasetError(f"{data} holds no COCO *.json (also in annotations/), no Annotations/*.xml and no *{BOXES}")


def _json_of(data: Path) -> Path:
    if data.is_file():
        return data
    found = _jsons(data)
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise DatasetError(f"{data} should hold one COCO *.json, found {names}; name the file itself")
    return found[0]


def _jsons(folder: Path) -> list[Path]:
    return sorted((*folder.glob("*.json"), *(folder / "annotations").glob("*.json")))
