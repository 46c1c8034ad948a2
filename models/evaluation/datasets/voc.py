"""Pascal VOC's folders: `Annotations/NAME.xml` and `JPEGImages/` (the development kit's format, Everingham et al., 2010)."""

import math
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder  # only the tree; what reads a file is below
from xml.parsers import expat

from models.evaluation.datasets.labelled import DatasetError, Labelled, checked_box, picture_inside
from models.types import Box

MAX_BYTES = 4_000_000  # an annotation has a few thousand
SIDES = ("xmin", "ymin", "xmax", "ymax")


def read_voc(folder: Path, *, pictures: Path | None = None) -> list[Labelled]:
    """Every annotated picture in the order of the names; `difficult` objects are ignored. Raises DatasetError.

    VOC counts pixels from one and a box includes its last pixel: `xmin` and `ymin` are moved by one.
    """
    annotations = sorted((folder / "Annotations").glob("*.xml"))
    return [_labelled(path, pictures or folder / "JPEGImages") for path in annotations]


def _labelled(path: Path, pictures: Path) -> Labelled:
    root = _parsed(path)
    objects = root.findall("object")
    return Labelled(
        name=str(path),
        picture=picture_inside(pictures, _text(root, "filename", path), str(path)),
        boxes=tuple(_box(each, path) for each in objects),
        categories=tuple(_text(each, "name", path) for each in objects),
        ignored=tuple((each.findtext("difficult") or "0").strip() == "1" for each in objects),
        size=_size(root, path),
    )


def _parsed(path: Path) -> Element:
    """The tree, each element with its `line`. A document type is refused: entities in it can grow without bound or name other files."""
    builder, parser = TreeBuilder(), expat.ParserCreate()

    def start(name: str, _: dict[str, str]) -> None:
        builder.start(name, {"line": str(parser.CurrentLineNumber)})

    def end(name: str) -> None:
        builder.end(name)

    def refuse(*_: object) -> None:
        raise DatasetError(f"{path}, line {parser.CurrentLineNumber}: a document type is not accepted in annotations")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = builder.data, refuse
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DatasetError(f"{path}: {path.stat().st_size} bytes are too many for an annotation, at most {MAX_BYTES} are read")
        parser.Parse(path.read_bytes(), True)  # expat's own signature
    except (expat.ExpatError, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"{path}: it is no XML: {error}") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from error
    return builder.close()


def _box(each: Element, path: Path) -> Box:
    where = f"{path}, line {each.get('line')}"
    found = each.find("bndbox")
    if found is None:
        raise DatasetError(f"{where}: the object has no bndbox")
    x1, y1, x2, y2 = (_number(found, side, path) for side in SIDES)
    return checked_box((x1 - 1, y1 - 1, x2, y2), where)


def _size(root: Element, path: Path) -> tuple[int, int] | None:
    size = root.find("size")
    if size is None:
        return None
    width, height = _number(size, "width", path), _number(size, "height", path)
    if not (math.isfinite(width) and math.isfinite(height)):
        raise DatasetError(f"{path}, line {size.get('line')}: a size has finite numbers, not {width}x{height}")
    return (round(width), round(height)) if round(width) and round(height) else None


def _number(parent: Element, name: str, path: Path) -> float:
    text = _text(parent, name, path)
    try:
        return float(text)
    except ValueError as error:
        raise DatasetError(f"{path}, line {parent.get('line')}: {name} is no number: {text!r}") from error


def _text(parent: Element, name: str, path: Path) -> str:
    text = (parent.findtext(name) or "").strip()
    if not text:
        raise DatasetError(f"{path}, line {parent.get('line')}: {parent.tag} has no {name}")
    return text
