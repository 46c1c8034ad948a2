"""Listings through the evaluation: floors name clear colours, unknowns are counted, what cannot be measured is refused."""

import io
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from models.evaluation.datasets.labelled import DatasetError
from models.evaluation.datasets.listing import Listed, read_listing
from models.evaluation.floor import colours
from models.evaluation.photographs import Method, Plan, at_most, compare, evaluate_photographs
from models.types import ModelInputError, Vectors

COLOURS = ((230, 20, 20), (20, 200, 20), (20, 20, 220), (230, 230, 20))


def shop(folder: Path, views: int, *, products: int = 4, seed: int = 0) -> list[Listed]:
    """Pictures of one colour a product, a little different each time."""
    rng = Random(seed)
    for product in range(products):
        (folder / f"p{product}").mkdir(parents=True)
        for view in range(views):
            colour = tuple(min(255, channel + rng.randrange(20)) for channel in COLOURS[product])
            Image.new("RGB", (24, 24), colour).save(folder / f"p{product}" / f"{view}.png")
    return read_listing(folder)


def by_colour(pictures: Sequence[bytes]) -> list[Vectors | ModelInputError]:
    return [colours(Image.open(io.BytesIO(picture)))[None] for picture in pictures]


FLOOR = Method("colour", by_colour, by_colour, None)


def test_clear_colours_are_named_right_on_every_shelf(tmp_path: Path) -> None:
    rows = evaluate_photographs(shop(tmp_path / "a", 2), shop(tmp_path / "b", 3, seed=1), [FLOOR], Plan((2, 3, 90), 0.25))
    assert [row["shelf_size"] for row in rows] == [2, 3, 4]
    assert {row["rank1"] for row in rows} == {1.0}


def test_queries_of_products_that_are_not_enrolled_are_unknowns(tmp_path: Path) -> None:
    enrolled = [each for each in shop(tmp_path / "a", 2) if each.product_id != "p3"]
    (row,) = evaluate_photographs(enrolled, shop(tmp_path / "b", 2, seed=1), [FLOOR], Plan((), 0.0))
    assert row["queries"] == 6
    assert isinstance(row["unknowns"], dict)
    assert row["unknowns"]["known"] == 6 * 20
    assert row["unknowns"]["unknown"] == 2 * 20


def test_the_best_of_several_views_and_finds_counts(tmp_path: Path) -> None:
    def two_views(pictures: Sequence[bytes]) -> list[Vectors | ModelInputError]:
        return [np.eye(4, dtype=np.float32)[[index % 4, (index + 1) % 4]] for index, _ in enumerate(pictures)]

    enrolled, sought = shop(tmp_path / "a", 1), shop(tmp_path / "b", 1)
    seen = compare(enrolled, sought, Method("two views", two_views, two_views, 0.5))
    assert seen.similarity.tolist() == [[1, 1, 0, 1], [1, 1, 1, 0], [0, 1, 1, 1], [1, 0, 1, 1]]


def test_views_are_the_first_of_each_product(tmp_path: Path) -> None:
    listed = shop(tmp_path, 3)
    assert [each.path.name for each in at_most(listed, 2)] == ["0.png", "1.png"] * 4
    assert at_most(listed, None) == listed


def test_what_is_sought_must_not_be_enrolled(tmp_path: Path) -> None:
    listed = shop(tmp_path, 1)
    with pytest.raises(DatasetError, match=r"0\.png is enrolled too"):
        evaluate_photographs(listed, listed, [FLOOR], Plan())


def test_queries_without_an_enrolled_product_are_refused(tmp_path: Path) -> None:
    enrolled, sought = shop(tmp_path / "a", 1, products=1), shop(tmp_path / "b", 1, products=2)[1:]
    with pytest.raises(DatasetError, match="no query shows an enrolled product"):
        evaluate_photographs(enrolled, sought, [FLOOR], Plan())


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    def refusing(pictures: Sequence[bytes]) -> list[Vectors | ModelInputError]:
        return [ModelInputError("the picture is damaged") for _ in pictures]

    with pytest.raises(DatasetError, match=r"0\.png: the picture is damaged"):
        compare(shop(tmp_path / "a", 1), shop(tmp_path / "b", 1), Method("none", refusing, refusing, None))
