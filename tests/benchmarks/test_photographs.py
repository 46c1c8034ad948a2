"""The grocery listings: what is enrolled is never sought, the same seed makes the same files, and the tables say what the JSON says."""

from pathlib import Path

import pytest

from benchmarks.photographs import BOXES, DOCUMENT, detection_table, filled, recognition_tables, write_listings
from models.evaluation.datasets.formats import read_boxes
from models.evaluation.datasets.listing import read_listing

PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "grocery"
with_photos = pytest.mark.skipif(not PHOTOS.is_dir(), reason="needs the GroceryStoreDataset beside the checkout")


def small_shop(photos: Path) -> None:
    lines = [f"train/{name}_{view}.jpg, {number}, 0" for number, name in enumerate("ab") for view in range(7)]
    (photos / "train.txt").write_text("\n".join(lines), encoding="utf-8")
    (photos / "val.txt").write_text("val/a_0.jpg, 0, 0\nval/b_0.jpg, 1, 0\n", encoding="utf-8")
    heads = "Class ID (int),Iconic Image Path (str)"
    (photos / "classes.csv").write_text(f"{heads}\r\n0,/icons/a.jpg\r\n1,/icons/b.jpg\r\n", encoding="utf-8")


def test_a_product_is_its_catalogue_picture_and_five_photographs(tmp_path: Path) -> None:
    small_shop(tmp_path)
    write_listings(tmp_path, tmp_path / "one")
    write_listings(tmp_path, tmp_path / "two")
    enrolled = (tmp_path / "one" / "enrol.csv").read_text(encoding="utf-8")
    assert enrolled == (tmp_path / "two" / "enrol.csv").read_text(encoding="utf-8")
    rows = enrolled.split()
    assert rows[:2] == ["path,product_id", "icons/a.jpg,0"]
    assert len(rows) == len(set(rows)) == 1 + 2 * 6
    assert (tmp_path / "one" / "queries.csv").read_text(encoding="utf-8").split()[1:] == ["val/a_0.jpg,0", "val/b_0.jpg,1"]


@with_photos
def test_the_photographs_make_81_products_and_296_queries(tmp_path: Path) -> None:
    write_listings(PHOTOS, tmp_path)
    enrolled, sought = (read_listing(tmp_path / f"{name}.csv", pictures=PHOTOS) for name in ("enrol", "queries"))
    assert (len(enrolled), len({each.product_id for each in enrolled}), len(sought)) == (486, 81, 296)
    assert not {each.path for each in enrolled} & {each.path for each in sought}


@with_photos
def test_the_boxes_drawn_by_eye_fit_their_photographs() -> None:
    labelled = read_boxes(BOXES, pictures=PHOTOS)
    assert len(labelled) == 32
    assert sum(not ignored for each in labelled for ignored in each.ignored) == 58
    for each in labelled:
        assert each.within(348, 348).boxes == each.boxes


def test_tables_say_what_the_reports_say() -> None:
    assert "| photographs | 32 | 58 | 0.250 |" in detection_table({"photographs": {"frames": 32, "boxes": 58, "ap": 0.25}})
    row = {"method": "colour", "shelf_size": 10, "rank1": 0.5, "unknowns": {"false_reject_at_fa_0.05": 0.9}}
    tables = recognition_tables({"rows": [row]})
    assert "| colour | 10 | 0.500 | - | - |" in tables
    assert "| colour | 10 | - | - | - | - | 0.900 | - |" in tables


def test_the_document_has_a_place_for_every_table() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in ("machine", "detection", "recognition"):
        assert "new table" in filled(text, name, "new table")
