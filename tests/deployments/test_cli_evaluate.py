"""`livecart evaluate` on a few pictures: one JSON object, a table, and refusals that name the file.

Tiny weights at random say what the numbers are made of; the shipped ones are loaded once, since that takes seconds.
"""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments.cli.root import app
from models.demo.pictures import CATEGORIES, catalogue_picture, look_of
from models.evaluation.detection import held_out_frames
from tests.models.vision.checkpoints import save_tiny_detector, save_tiny_embedder

RUNNER = CliRunner()
WIDE = {"COLUMNS": "200"}


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three drawn frames in COCO's format."""
    folder = tmp_path_factory.mktemp("coco")
    images, annotations = [], []
    for index, each in enumerate(held_out_frames(3, seed=4)):
        (folder / f"{index}.jpg").write_bytes(each.encoded())
        images.append({"id": index, "file_name": f"{index}.jpg", "width": (each.size or (0, 0))[0], "height": (each.size or (0, 0))[1]})
        for x1, y1, x2, y2 in each.boxes:
            annotations.append({"image_id": index, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1]})
    boxes = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "something of our own"}]}
    (folder / "boxes.json").write_text(json.dumps(boxes), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four products, two pictures each to enrol and one to seek."""
    folder = tmp_path_factory.mktemp("shop")
    for number in range(4):
        for view in range(3):
            file = folder / ("queries" if view == 2 else "enrol") / f"p{number}" / f"{view}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(catalogue_picture(look_of(f"evaluated-{number}", CATEGORIES[number]), view))
    return folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options that name weights which load at once."""
    folder = tmp_path_factory.mktemp("eye")
    save_tiny_detector(folder / "detector")
    save_tiny_embedder(folder / "embedder")
    return ["--detector", str(folder / "detector"), "--embedder", str(folder / "embedder")]


def test_a_detector_is_measured_on_labelled_pictures(labelled: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    shown = RUNNER.invoke(app, ["evaluate", "detector", "--data", str(labelled), "--draw", str(sheet), "--json"])
    assert shown.exit_code == 0, shown.output
    report = json.loads(shown.stdout)
    assert report["frames"] == 3
    assert 0 <= report["ap"] <= report["ap50"] <= 1
    assert report["ap50"] > 0.3
    assert report["seconds_per_frame"] > 0
    assert "category_accuracy" not in report
    assert sheet.is_file()


def test_without_data_drawn_frames_are_used(tiny: list[str]) -> None:
    shown = RUNNER.invoke(app, ["evaluate", "detector", *tiny, "--frames", "4", "--by-category"], env=WIDE)
    assert shown.exit_code == 0, shown.output
    assert "drawn frames" in shown.stdout
    assert "category accuracy" in shown.stdout


def test_categories_that_the_detector_does_not_know_are_refused(labelled: Path, tiny: list[str]) -> None:
    shown = RUNNER.invoke(app, ["evaluate", "detector", *tiny, "--data", str(labelled), "--by-category"])
    assert shown.exit_code == 1
    assert "share no category" in shown.output


def test_recognition_is_measured_by_shelf_and_method(shop: Path, tiny: list[str]) -> None:
    folders = [*tiny, "--enrol", str(shop / "enrol"), "--queries", str(shop / "queries")]
    shown = RUNNER.invoke(app, ["evaluate", "recognition", *folders, "--shelf-size", "2", "--unknown-share", "0.25", "--json"])
    assert shown.exit_code == 0, shown.output
    report = json.loads(shown.stdout)
    assert (report["enrolled_products"], report["enrolled_pictures"], report["queries"]) == (4, 8, 4)
    assert [(row["method"], row["shelf_size"]) for row in report["rows"]] == [
        (method, size) for method in ("embedder, auto", "embedder, whole", "colour + HOG", "colour") for size in (2, 4)
    ]
    for row in report["rows"]:
        assert row["rank1"] <= row["rank5"] == 1


def test_recognition_prints_tables(shop: Path, tiny: list[str]) -> None:
    folders = [*tiny, "--enrol", str(shop / "enrol"), "--queries", str(shop / "queries")]
    shown = RUNNER.invoke(app, ["evaluate", "recognition", *folders, "--crop", "whole", "--views", "1"], env=WIDE)
    assert shown.exit_code == 0, shown.output
    assert "rank-1" in shown.stdout
    assert "enrolled pictures 4" in shown.stdout
    assert "auto" not in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["detector", "--data", "none"], "none is neither a folder nor a COCO JSON file"),
        (["detector", "--detector", "/none", "--frames", "3"], "/none"),
        (["recognition", "--enrol", "none.csv", "--queries", "none.csv"], "none.csv is neither a CSV file nor a folder"),
    ],
)
def test_what_cannot_be_read_is_named(arguments: list[str], found: str) -> None:
    shown = RUNNER.invoke(app, ["evaluate", *arguments])
    assert shown.exit_code == 1
    assert found in shown.output
    assert "Traceback" not in shown.output


def test_a_picture_that_is_none_is_named(labelled: Path, tiny: list[str], tmp_path: Path) -> None:
    for file in labelled.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "1.jpg").write_bytes(b"no picture")
    shown = RUNNER.invoke(app, ["evaluate", "detector", *tiny, "--data", str(tmp_path)])
    assert shown.exit_code == 1
    assert "images[1]" in shown.output
    assert "no JPEG, PNG or WebP" in shown.output
