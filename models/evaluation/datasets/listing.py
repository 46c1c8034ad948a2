"""Which product each picture shows: a CSV `path,product_id`, or a folder with a sub-folder per product."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from models.evaluation.datasets.labelled import PICTURES, DatasetError, picture_inside, pictures_below, read_picture, read_text

HEADER = {"path", "product_id"}


@dataclass(frozen=True, slots=True)
class Listed:
    path: Path
    product_id: str
    name: str  # file and line, or the picture: what errors call it

    def encoded(self) -> bytes:
        """The bytes of the picture's file. Raises DatasetError."""
        return read_picture(self.path, self.name)


def read_listing(location: Path, *, pictures: Path | None = None) -> list[Listed]:
    """The pictures in the order of the CSV, or of the paths. In a folder the path of the picture's own folder is its product.

    `pictures` is what a CSV's paths are relative to; None: the CSV's folder. Raises DatasetError.
    """
    if location.is_dir():
        listed = _of_folder(location)
    elif location.is_file():
        listed = _of_csv(location, pictures or location.parent)
    else:
        raise DatasetError(f"{location} is neither a CSV file nor a folder")
    if not listed:
        raise DatasetError(f"{location} lists no picture ({', '.join(PICTURES)})")
    return listed


def _of_folder(folder: Path) -> list[Listed]:
    files = pictures_below(folder)
    for path in files:
        if path.parent == folder:
            raise DatasetError(f"{path} lies in no product's folder; one sub-folder per product is needed")
    return [Listed(path, path.parent.relative_to(folder).as_posix(), str(path)) for path in files]


def _of_csv(file: Path, folder: Path) -> list[Listed]:
    reader = csv.DictReader(io.StringIO(read_text(file), newline=""), strict=True)
    try:
        if not HEADER.issubset(reader.fieldnames or ()):
            raise DatasetError(f"{file}, line 1: the header path,product_id is needed, not {','.join(reader.fieldnames or ())!r}")
        return [_row(row, f"{file}, line {reader.line_num}", folder) for row in reader]
    except csv.Error as error:
        raise DatasetError(f"{file}, line {reader.line_num}: {error}") from error


def _row(row: dict[str, str | None], where: str, folder: Path) -> Listed:
    path, product_id = (row["path"] or "").strip(), (row["product_id"] or "").strip()
    if not path or not product_id:
        raise DatasetError(f"{where}: path and product_id are both needed")
    return Listed(picture_inside(folder, path, where), product_id, where)
