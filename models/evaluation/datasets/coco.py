"""COCO's JSON: `images`, `annotations` with `bbox` x, y, width, height, and `categories` (https://cocodataset.org/#format-data)."""

from pathlib import Path

from pydantic import BaseModel, FiniteFloat, ValidationError

from models.evaluation.datasets.labelled import DatasetError, Labelled, checked_box, picture_inside
from models.types import Box


class _Image(BaseModel):
    id: int
    file_name: str
    width: int | None = None
    height: int | None = None


class _Annotation(BaseModel):
    image_id: int
    category_id: int
    bbox: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat]
    iscrowd: bool = False


class _Category(BaseModel):
    id: int
    name: str


class _Coco(BaseModel):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


def read_coco(file: Path, *, pictures: Path | None = None) -> list[Labelled]:
    """Every image with its boxes; `iscrowd` ones are ignored. `pictures`: the folder that file names are relative to.

    Without it that is the first of the JSON's folder, `images` in it, its parent, and a folder beside its own that is called as the
    JSON's subset (`annotations/instances_val2017.json`: `val2017`) which has the first picture. Raises DatasetError.
    """
    coco = _parsed(file)
    names = {category.id: category.name for category in coco.categories}
    folder = pictures or _pictures_of(file, coco)
    boxes: dict[int, list[tuple[Box, str, bool]]] = {image.id: [] for image in coco.images}
    if len(boxes) < len(coco.images):
        raise DatasetError(f"{file}: two images have the same id")
    for index, annotation in enumerate(coco.annotations):
        where = f"{file}, annotations[{index}]"
        if annotation.image_id not in boxes:
            raise DatasetError(f"{where}: there is no image {annotation.image_id}")
        if annotation.category_id not in names:
            raise DatasetError(f"{where}: there is no category {annotation.category_id}")
        left, top, width, height = annotation.bbox
        box = checked_box((left, top, left + width, top + height), where)
        boxes[annotation.image_id].append((box, names[annotation.category_id], annotation.iscrowd))
    return [_labelled(file, folder, index, image, boxes[image.id]) for index, image in enumerate(coco.images)]


def _parsed(file: Path) -> _Coco:
    try:
        return _Coco.model_validate_json(file.read_bytes())
    except OSError as error:
        raise DatasetError(f"{file} cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise DatasetError(f"{file}{', ' if place else ''}{place}: {first['msg']}") from error


def _pictures_of(file: Path, coco: _Coco) -> Path:
    subset = file.stem.removeprefix("instances_")
    tried = (file.parent, file.parent / "images", file.parent.parent, file.parent.parent / "images", file.parent.parent / subset)
    name = coco.images[0].file_name if coco.images else ""
    try:
        return next((folder for folder in tried if name and (folder / name).is_file()), file.parent)
    except OSError:  # a name that no file can have, such as one that is too long: the entry is refused where it is read
        return file.parent


def _labelled(file: Path, folder: Path, index: int, image: _Image, boxes: list[tuple[Box, str, bool]]) -> Labelled:
    where = f"{file}, images[{index}]"
    return Labelled(
        name=where,
        picture=picture_inside(folder, image.file_name, where),
        boxes=tuple(box for box, _, _ in boxes),
        categories=tuple(category for _, category, _ in boxes),
        ignored=tuple(ignored for _, _, ignored in boxes),
        size=(image.width, image.height) if image.width and image.height else None,
    )
