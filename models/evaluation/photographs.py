"""How well products are told apart on photographs: a listing is enrolled as the server enrols, another one is sought."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from rich.console import Console
from rich.progress import track

from models.evaluation.datasets.labelled import DatasetError
from models.evaluation.datasets.listing import Listed
from models.evaluation.floor import colour_and_gradients, colours
from models.evaluation.shelves import Seen, identification, unknowns
from models.types import ModelInputError, Vectors
from models.vision.detector import ProductDetector
from models.vision.images import decode

Crop = Literal["auto", "whole"]
BATCH = 16
MAX_PIXELS = 40_000_000
Describe = Callable[[Sequence[bytes]], Sequence[Vectors | ModelInputError]]  # float32 (views, dim) a picture, L2-normalised


@dataclass(frozen=True, slots=True)
class Method:
    """A way from pictures to vectors, of enrolled ones and of those that are sought."""

    name: str
    enrol: Describe
    seek: Describe
    threshold: float | None  # from which a match counts; None: none is calibrated


@dataclass(frozen=True, slots=True)
class Plan:
    shelf_sizes: tuple[int, ...] = (10, 30)  # besides a shelf of all products
    unknown_share: float = 0.2
    seed: int = 0


def methods(detector: str | Path, embedder: str | Path, *, crops: Sequence[Crop] = ("auto", "whole")) -> list[Method]:
    """The eye cutting out products as it does when it serves (`auto`), taking each picture as a whole, and two floors on whole pictures.

    A frame in which nothing is found is sought as a whole. Raises ArtifactError.
    """
    whole = ProductDetector.load(detector, embedder, max_detections=0)
    served = ProductDetector.load(detector, embedder)
    both = {
        "auto": Method("embedder, auto", served.embed, lambda frames: _found(served, whole, frames), served.match_threshold),
        "whole": Method("embedder, whole", whole.embed, whole.embed, whole.match_threshold),
    }
    floors = {"colour + HOG": colour_and_gradients, "colour": colours}
    return [both[crop] for crop in crops] + [Method(name, _floor(describe), _floor(describe), None) for name, describe in floors.items()]


def evaluate_photographs(
    enrolled: Sequence[Listed], queries: Sequence[Listed], ways: Sequence[Method], plan: Plan
) -> list[dict[str, object]]:
    """One row per method and shelf size: `identification` and, under `unknowns`, what happens when some products are not enrolled.

    Raises DatasetError: a picture cannot be read, is in both listings, or no query shows an enrolled product.
    """
    _check(enrolled, queries)
    count = len({each.product_id for each in enrolled})
    sizes = [*sorted({size for size in plan.shelf_sizes if size < count}), count]
    rows: list[dict[str, object]] = []
    for method in ways:
        seen = compare(enrolled, queries, method)
        for size in sizes:
            numbers = identification(seen, size, seed=plan.seed)
            strangers = unknowns(seen, size, share=plan.unknown_share, threshold=method.threshold, seed=plan.seed)
            rows.append({"method": method.name, "shelf_size": size, "threshold": method.threshold, **numbers, "unknowns": strangers})
    return rows


def compare(enrolled: Sequence[Listed], queries: Sequence[Listed], method: Method) -> Seen:
    """How alike each query is to each enrolled picture: the best of their views, or of the products found in the query."""
    numbers = {name: index for index, name in enumerate(sorted({each.product_id for each in (*enrolled, *queries)}))}
    gallery = list(_described(enrolled, method.enrol, f"{method.name}: enrolled"))
    views, starts = np.concatenate(gallery), np.cumsum([0, *(len(each) for each in gallery[:-1])])
    sought = _described(queries, method.seek, f"{method.name}: queries")
    similarity = np.stack([np.maximum.reduceat((vectors @ views.T).max(axis=0), starts) for vectors in sought])
    owners, truth = (np.asarray([numbers[each.product_id] for each in listed], dtype=np.int64) for listed in (enrolled, queries))
    return Seen(similarity, owners, truth)


def at_most(enrolled: Sequence[Listed], views: int | None) -> list[Listed]:
    """The first `views` pictures of each product; None: all."""
    kept: dict[str, list[Listed]] = {}
    for each in enrolled:
        kept.setdefault(each.product_id, []).append(each)
    return [each for pictures in kept.values() for each in pictures[:views]]


def _check(enrolled: Sequence[Listed], queries: Sequence[Listed]) -> None:
    paths = {each.path.resolve() for each in enrolled}
    both = next((each for each in queries if each.path.resolve() in paths), None)
    if both is not None:
        raise DatasetError(f"{both.name}: {both.path} is enrolled too; what is sought must not be what was enrolled")
    if not {each.product_id for each in enrolled} & {each.product_id for each in queries}:
        raise DatasetError(f"no query shows an enrolled product: {enrolled[0].product_id!r} is enrolled, {queries[0].product_id!r} sought")


def _described(listed: Sequence[Listed], describe: Describe, title: str) -> Iterator[Vectors]:
    starts = range(0, len(listed), BATCH)
    for start in track(starts, title, console=Console(stderr=True)):
        batch = listed[start : start + BATCH]
        for each, result in zip(batch, describe([each.encoded() for each in batch]), strict=True):
            if isinstance(result, ModelInputError):
                raise DatasetError(f"{each.name}: {each.path}: {result.message}") from result
            yield result


def _found(served: ProductDetector, whole: ProductDetector, frames: Sequence[bytes]) -> list[Vectors | ModelInputError]:
    """The vectors of the products that are found in each frame; of the whole frame where none is."""
    results: list[Vectors | ModelInputError] = []
    for frame, seen in zip(frames, served.detect(frames), strict=True):
        if isinstance(seen, ModelInputError):
            results.append(seen)
        elif seen.detections:
            results.append(np.stack([each.embedding for each in seen.detections]))
        else:
            results += whole.embed([frame])
    return results


def _floor(describe: Callable[..., Vectors]) -> Describe:
    def of_pictures(pictures: Sequence[bytes]) -> list[Vectors | ModelInputError]:
        return [_floor_vector(describe, picture) for picture in pictures]

    return of_pictures


def _floor_vector(describe: Callable[..., Vectors], picture: bytes) -> Vectors | ModelInputError:
    try:
        return describe(decode(picture, max_pixels=MAX_PIXELS).image)[None]
    except ModelInputError as error:
        return error
