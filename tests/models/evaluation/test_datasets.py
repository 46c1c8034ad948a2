"""Labelled data sets: each format is read, and data that cannot be used is refused by file and line."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from models.evaluation.datasets.formats import Format, read_boxes
from models.evaluation.datasets.labelled import DatasetError, Labelled
from models.evaluation.datasets.listing import read_listing

VOC = """<annotation>
<filename>a.jpg</filename>
<size><width>40</width><height>30</height><depth>3</depth></size>
<object><name>cup</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>20</xmax><ymax>30</ymax></bndbox></object>
<object><name>shoe</name><difficult>1</difficult><bndbox><xmin>21</xmin><ymin>1</ymin><xmax>40</xmax><ymax>10</ymax></bndbox></object>
</annotation>"""
BOMB = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]><annotation><filename>&c;</filename></annotation>'
COCO = {
    "images": [{"id": 7, "file_name": "a.jpg", "width": 40, "height": 30}, {"id": 8, "file_name": "b.jpg"}],
    "annotations": [
        {"image_id": 7, "category_id": 1, "bbox": [0, 1, 20, 29]},
        {"image_id": 7, "category_id": 2, "bbox": [20, 0, 20, 10], "iscrowd": 1},
    ],
    "categories": [{"id": 1, "name": "cup"}, {"id": 2, "name": "shoe"}],
}


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30), (200, 30, 30)).save(path)


def make_voc(folder: Path, xml: str | bytes = VOC) -> None:
    picture(folder / "JPEGImages" / "a.jpg")
    (folder / "Annotations").mkdir()
    (folder / "Annotations" / "a.xml").write_bytes(xml.encode() if isinstance(xml, str) else xml)


def make_coco(folder: Path, **changed: object) -> None:
    picture(folder / "a.jpg")
    picture(folder / "b.jpg")
    (folder / "boxes.json").write_text(json.dumps({**COCO, **changed}), encoding="utf-8")


def make_tsv(folder: Path, boxes: str | bytes = "0\t1\t20\t30\n20\t0\t40\t10\n", labels: str = "cup\nEXCLUDE\n") -> None:
    picture(folder / "positive" / "a.jpg")
    picture(folder / "negative" / "b.jpg")
    (folder / "positive" / "a.bboxes.tsv").write_bytes(boxes.encode() if isinstance(boxes, str) else boxes)
    (folder / "positive" / "a.bboxes.labels.tsv").write_text(labels, encoding="utf-8")


@pytest.mark.parametrize(("make", "form", "pictures"), [(make_voc, "voc", 1), (make_coco, "coco", 2), (make_tsv, "tsv", 2)])
def test_every_format_is_recognised_and_says_the_same(tmp_path: Path, make: Callable[[Path], None], form: Format, pictures: int) -> None:
    make(tmp_path)
    labelled = read_boxes(tmp_path)
    assert labelled == read_boxes(tmp_path, form=form)
    assert len(labelled) == pictures
    shown = next(each for each in labelled if each.boxes)
    assert shown.boxes == ((0, 1, 20, 30), (20, 0, 40, 10))
    assert shown.categories[0] == "cup"
    assert shown.ignored == (False, True)
    assert Image.open(io.BytesIO(shown.encoded())).size == (40, 30)


def test_coco_pictures_are_found_beside_the_folder_of_annotations(tmp_path: Path) -> None:
    make_coco(tmp_path)
    (tmp_path / "annotations").mkdir()
    (tmp_path / "boxes.json").rename(tmp_path / "annotations" / "instances_val.json")
    assert [Path(str(each.picture)).name for each in read_boxes(tmp_path)] == ["a.jpg", "b.jpg"]


def test_pictures_may_lie_elsewhere(tmp_path: Path) -> None:
    make_coco(tmp_path / "photos")
    (tmp_path / "photos" / "boxes.json").rename(tmp_path / "boxes.json")
    assert len(read_boxes(tmp_path / "boxes.json", pictures=tmp_path / "photos")) == 2
    with pytest.raises(DatasetError, match="is no folder of pictures"):
        read_boxes(tmp_path / "boxes.json", pictures=tmp_path / "none")


@pytest.mark.parametrize(
    ("xml", "found"),
    [
        (BOMB, r"a\.xml, line 1: a document type is not accepted"),
        ("<annotation>", r"a\.xml: it is no XML"),
        (b"\xff\xfe<a", r"a\.xml: it is no XML"),
        (VOC.replace("<xmin>21<", "<xmin>nan<"), r"a\.xml, line 5: a box has finite numbers"),
        (VOC.replace("<width>40<", "<width>nan<"), r"a\.xml, line 3: a size has finite numbers, not nanx"),
        (VOC.replace("<width>40<", "<width>1e999<"), r"a\.xml, line 3: a size has finite numbers, not infx"),
        (VOC.replace("<xmin>21<", "<xmin>many<"), r"a\.xml, line 5: xmin is no number: 'many'"),
        (VOC.replace("<xmin>21<", "<xmin>41<"), r"a\.xml, line 5: box .* has no area"),
        (VOC.replace("<name>shoe</name>", ""), r"a\.xml, line 5: object has no name"),
        (VOC.replace("a.jpg", "../../a.jpg"), r"'\.\./\.\./a\.jpg' is no path inside"),
        (VOC.replace("a.jpg", "b.jpg"), r"b\.jpg does not exist"),
    ],
)
def test_bad_voc_is_refused_by_line(tmp_path: Path, xml: str | bytes, found: str) -> None:
    make_voc(tmp_path, xml)
    with pytest.raises(DatasetError, match=found):
        read_boxes(tmp_path)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"images": [{"id": 7, "file_name": "../a.jpg"}], "annotations": []}, r"images\[0\]: '\.\./a\.jpg' is no path inside"),
        ({"images": [{"id": 7, "file_name": "/etc/passwd"}], "annotations": []}, "is no path inside"),
        ({"images": [{"id": 7, "file_name": "c.jpg"}], "annotations": []}, r"c\.jpg does not exist"),
        ({"images": [{"id": 7, "file_name": "c" * 300}], "annotations": []}, r"images\[0\]: the picture .* cannot be read"),
        ({"images": [COCO["images"][0], COCO["images"][0]]}, "two images have the same id"),
        ({"annotations": [{"image_id": 9, "category_id": 1, "bbox": [0, 0, 1, 1]}]}, r"annotations\[0\]: there is no image 9"),
        ({"annotations": [{"image_id": 7, "category_id": 9, "bbox": [0, 0, 1, 1]}]}, "there is no category 9"),
        ({"annotations": [{"image_id": 7, "category_id": 1, "bbox": [5, 5, -3, 4]}]}, r"annotations\[0\]: box .* has no area"),
        ({"annotations": [{"image_id": 7, "category_id": 1, "bbox": [5, 5, float("nan"), 4]}]}, r"annotations\.0\.bbox\.2"),
        ({"annotations": [{"image_id": 7, "category_id": 1, "bbox": [5, 5, 4]}]}, r"annotations\.0\.bbox"),
        ({"annotations": []}, "nothing to measure"),
        ({"images": 3}, "boxes.json, images"),
    ],
)
def test_bad_coco_is_refused_by_entry(tmp_path: Path, changed: dict[str, object], found: str) -> None:
    make_coco(tmp_path, **changed)
    with pytest.raises(DatasetError, match=found):
        read_boxes(tmp_path)


def test_json_that_is_none_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "boxes.json").write_text('{"images": [\n}', encoding="utf-8")
    with pytest.raises(DatasetError, match=r"boxes\.json: Invalid JSON: .* line 2"):
        read_boxes(tmp_path)


@pytest.mark.parametrize(
    ("boxes", "labels", "found"),
    [
        ("0\t1\t20\t30\n", "cup\nshoe\n", r"2 labels, but a\.bboxes\.tsv has 1 boxes"),
        ("\n0\t1\t20\n", "cup\n", r"a\.bboxes\.tsv, line 2: four numbers"),
        ("0\t1\tnan\t30\n", "cup\n", r"line 1: a box has finite numbers"),
        ("20\t1\t0\t30\n", "cup\n", r"line 1: box .* has no area"),
        (b"\xff\xfe0", "cup\n", r"a\.bboxes\.tsv: it is not UTF-8"),
    ],
)
def test_bad_tsv_is_refused_by_line(tmp_path: Path, boxes: str | bytes, labels: str, found: str) -> None:
    make_tsv(tmp_path, boxes, labels)
    with pytest.raises(DatasetError, match=found):
        read_boxes(tmp_path)


def test_tsv_misses_neither_boxes_nor_pictures(tmp_path: Path) -> None:
    make_tsv(tmp_path)
    picture(tmp_path / "positive" / "c.jpg")
    with pytest.raises(DatasetError, match=r"c\.bboxes\.tsv cannot be read"):
        read_boxes(tmp_path)
    (tmp_path / "positive" / "c.jpg").unlink()
    (tmp_path / "positive" / "a.jpg").unlink()
    with pytest.raises(DatasetError, match=r"a\.bboxes\.tsv: there is no picture beside it"):
        read_boxes(tmp_path)


def test_a_folder_of_nothing_and_a_folder_of_too_much_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="neither a folder nor"):
        read_boxes(tmp_path / "none")
    with pytest.raises(DatasetError, match="holds no COCO"):
        read_boxes(tmp_path)
    make_coco(tmp_path)
    (tmp_path / "results.json").write_text("[]", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"found boxes\.json, results\.json"):
        read_boxes(tmp_path)


def test_boxes_are_cut_at_the_edges_and_may_not_lie_outside() -> None:
    labelled = Labelled("a", b"", ((-5, -5, 10, 50),), ("cup",), (False,), (40, 30))
    assert labelled.within(40, 30).boxes == ((0, 0, 10, 30),)
    with pytest.raises(DatasetError, match="states 40x30 pixels, the upright picture a has 30x40"):
        labelled.within(30, 40)
    with pytest.raises(DatasetError, match="outside the picture"):
        Labelled("a", b"", ((50, 0, 60, 10),), ("cup",), (False,)).within(40, 30)


def test_a_listing_is_a_csv_or_a_folder_per_product(tmp_path: Path) -> None:
    picture(tmp_path / "drinks" / "juice" / "1.jpg")
    picture(tmp_path / "cup" / "1.png")
    (tmp_path / "list.csv").write_text("path,product_id,note\ncup/1.png,p1,\ndrinks/juice/1.jpg,p2,x\n", encoding="utf-8-sig")
    assert [each.product_id for each in read_listing(tmp_path)] == ["cup", "drinks/juice"]
    assert [each.product_id for each in read_listing(tmp_path / "list.csv")] == ["p1", "p2"]
    (tmp_path / "list.csv").rename(tmp_path / "cup" / "list.csv")
    assert len(read_listing(tmp_path / "cup" / "list.csv", pictures=tmp_path)) == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("file,product\na.jpg,p1\n", "line 1: the header path,product_id"),
        ("path,product_id\na.jpg,p1\n../a.jpg,p1\n", r"line 3: '\.\./a\.jpg' is no path inside"),
        ("path,product_id\nb.jpg,p1\n", r"line 2: the picture .*b\.jpg does not exist"),
        ("path,product_id\na.jpg\n", "line 2: path and product_id are both needed"),
        ('path,product_id\n"a.jpg,p1\n', r"list\.csv, line"),
        ("path,product_id\n", "lists no picture"),
        (b"path,product_id\n\xff.jpg,p1\n", "is not UTF-8"),
    ],
)
def test_a_bad_listing_is_refused_by_line(tmp_path: Path, text: str | bytes, found: str) -> None:
    picture(tmp_path / "a.jpg")
    (tmp_path / "list.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(DatasetError, match=found):
        read_listing(tmp_path / "list.csv")


def test_a_link_may_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    picture(tmp_path / "elsewhere" / "b.jpg")
    listed, boxes = tmp_path / "listed", tmp_path / "boxes"
    (listed / "cup").mkdir(parents=True)
    (listed / "cup" / "a.jpg").symlink_to(tmp_path / "elsewhere" / "b.jpg")
    (listed / "list.csv").write_text("path,product_id\ncup/a.jpg,p1\n", encoding="utf-8")
    make_tsv(boxes)
    (boxes / "positive" / "b.jpg").symlink_to(tmp_path / "elsewhere" / "b.jpg")
    for read in (lambda: read_listing(listed), lambda: read_listing(listed / "list.csv"), lambda: read_boxes(boxes)):
        with pytest.raises(DatasetError, match=r"[ab]\.jpg is a link that leads out of"):
            read()
    assert len(read_listing(tmp_path)) == 5  # within it a link is as good as a file


def test_a_folder_listing_has_no_loose_pictures(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    with pytest.raises(DatasetError, match="one sub-folder per product"):
        read_listing(tmp_path)
    with pytest.raises(DatasetError, match="neither a CSV file nor a folder"):
        read_listing(tmp_path / "none")
