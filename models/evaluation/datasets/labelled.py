"""Pictures with the boxes that people drew on them, and how a data set that cannot be used is refused."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from models.types import Box, ModelInputError

PICTURES = (".jpg", ".jpeg", ".png", ".webp")


class DatasetError(ModelInputError):
    """Data for an evaluation that cannot be used; the text names the file, the line or entry, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture and the products on it. `boxes`, `categories` and `ignored` have one entry per product.

    Boxes are x1, y1, x2, y2 in pixels of the upright picture (EXIF orientation applied), as annotation tools show it.
    """

    name: str  # what errors call it
    picture: bytes | Path
    boxes: tuple[Box, ...] = ()
    categories: tuple[str, ...] = ()
    ignored: tuple[bool, ...] = ()  # neither asked for nor counted as wrong: crowds, difficult ones
    size: tuple[int, int] | None = None  # width, height that the data set states; None: it states none

    def encoded(self) -> bytes:
        """The bytes of the picture's file. Raises DatasetError."""
        return self.picture if isinstance(self.picture, bytes) else read_picture(self.picture, self.name)

    def within(self, width: int, height: int) -> "Labelled":
        """The same with its boxes cut at the edges of the real picture, `width` x `height` upright pixels.

        Raises DatasetError when the data set states another size or a box lies wholly outside.
        """
        if self.size not in {None, (width, height)}:
            stated = "x".join(map(str, self.size or ()))
            raise DatasetError(
                f"{self.name}: the data set states {stated} pixels, the upright picture {self.picture_name} has {width}x{height}"
            )
        return replace(self, boxes=tuple(self._cut(box, width, height) for box in self.boxes), size=(width, height))

    @property
    def picture_name(self) -> str:
        return self.name if isinstance(self.picture, bytes) else str(self.picture)

    def _cut(self, box: Box, width: int, height: int) -> Box:
        x1, y1, x2, y2 = max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(width)), min(box[3], float(height))
        if x2 <= x1 or y2 <= y1:
            raise DatasetError(f"{self.name}: box {box} lies outside the picture {self.picture_name} of {width}x{height} pixels")
        return x1, y1, x2, y2


def check_labelled(labelled: Sequence[Labelled], data: str) -> None:
    """Raises DatasetError when there is nothing to measure: no product is labelled, or all are to be ignored."""
    if all(ignored for each in labelled for ignored in each.ignored):
        raise DatasetError(f"{data}: no product is labelled on its {len(labelled)} pictures, so there is nothing to measure")


def checked_box(box: Box, where: str) -> Box:
    """The box, when its numbers are finite and it has an area. `where` is the file and line that an error names."""
    if not all(math.isfinite(side) for side in box):
        raise DatasetError(f"{where}: a box has finite numbers, not {box}")
    if box[2] <= box[0] or box[3] <= box[1]:
        raise DatasetError(f"{where}: box {box} has no area: x1 < x2 and y1 < y2 are needed")
    return box


def picture_inside(folder: Path, name: str, where: str) -> Path:
    """The file that a data set names, which has to exist and to lie inside `folder`, links followed. Raises DatasetError."""
    pure = PurePosixPath(name)
    if not name or pure.is_absolute() or ".." in pure.parts or "\0" in name:
        raise DatasetError(f"{where}: {name!r} is no path inside {folder}")
    path = folder / pure
    try:
        exists = path.is_file()
    except OSError as error:  # such as a name that is too long
        raise DatasetError(f"{where}: the picture {path} cannot be read: {error.strerror or error}") from error
    if not exists:
        raise DatasetError(f"{where}: the picture {path} does not exist")
    _check_inside(folder, path, where)
    return path


def pictures_below(folder: Path) -> list[Path]:
    """Every picture in `folder` and its sub-folders, in the order of the paths. Raises DatasetError for a link that leads out of it."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES and path.is_file())
    for path in files:
        _check_inside(folder, path, str(path))
    return files


def _check_inside(folder: Path, path: Path, where: str) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DatasetError(f"{where}: the picture {path} is a link that leads out of {folder}; put the file itself there")


def read_picture(path: Path, name: str) -> bytes:
    """The bytes of a picture's file; `name` is what the error calls the entry. Raises DatasetError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{name}: the picture {path} cannot be read: {error.strerror or error}") from error


def read_text(path: Path) -> str:
    """The file as UTF-8, with or without a byte order mark. Raises DatasetError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: it is not UTF-8 (byte {error.start})") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from error
