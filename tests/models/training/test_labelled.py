"""Labelled frames in the detector's training: boxes stay on their pixels, whatever is done to the frame."""

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from models.evaluation.datasets.labelled import DatasetError
from models.training.labelled import UNNAMED, LabelledFrame, cut_products, labelled_example, read_frames
from models.training.pictures import FrameStream

BOX = (40.0, 60.0, 120.0, 130.0)


def frame() -> LabelledFrame:
    """A blue thing on a dark ground, and a green crowd."""
    image = Image.new("RGB", (200, 200), (10, 10, 10))
    pen = ImageDraw.Draw(image)
    pen.rectangle((150, 10, 190, 50), fill=(20, 220, 20))
    pen.rectangle(BOX, fill=(40, 40, 250))
    return LabelledFrame(image, (BOX,), (4,), ((150.0, 10.0, 190.0, 50.0),))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A COCO file with one picture of 960 x 480: a jar, something without a known category, a crowd."""
    Image.new("RGB", (960, 480), (90, 90, 90)).save(tmp_path / "room.jpg")
    annotations = [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [100, 100, 200, 300], "iscrowd": 0, "area": 60000},
        {"id": 2, "image_id": 1, "category_id": 2, "bbox": [400, 100, 20, 20], "iscrowd": 0, "area": 400},
        {"id": 3, "image_id": 1, "category_id": 1, "bbox": [700, 0, 200, 400], "iscrowd": 1, "area": 80000},
    ]
    content = {
        "images": [{"id": 1, "file_name": "room.jpg", "width": 960, "height": 480}],
        "categories": [{"id": 1, "name": "skincare"}, {"id": 2, "name": "gadget"}],
        "annotations": annotations,
    }
    (tmp_path / "boxes.json").write_text(json.dumps(content), encoding="utf-8")
    return tmp_path


def test_frames_are_kept_small_with_boxes_categories_and_crowds(data: Path) -> None:
    (kept,) = read_frames(data)
    assert kept.image.size == (480, 240)
    assert kept.boxes == ((50.0, 50.0, 150.0, 200.0), (200.0, 50.0, 210.0, 60.0))
    assert kept.categories == (1, UNNAMED)
    assert kept.crowds == ((350.0, 0.0, 450.0, 200.0),)


def test_frames_without_their_pictures_are_refused(data: Path) -> None:
    (data / "room.jpg").unlink()
    with pytest.raises(DatasetError, match=r"room\.jpg"):
        read_frames(data)


def test_boxes_stay_on_their_pixels() -> None:
    seen = 0
    for seed in range(60):
        pixels, boxes, categories = labelled_example(frame(), Random(seed), 128)
        assert pixels.shape == (3, 128, 128)
        assert len(boxes) == len(categories) <= 1
        for x1, y1, x2, y2 in (boxes * 128).round().int().tolist():
            inside = pixels[:, y1 + 3 : y2 - 3, x1 + 3 : x2 - 3].float().mean(dim=(1, 2))
            assert inside[2] > inside[1] + 20
            seen += 1
    assert seen > 40


def test_what_is_cut_out_is_what_the_boxes_hold() -> None:
    ((product, category),) = cut_products([frame()])
    assert category == 4
    assert np.asarray(product).reshape(-1, 3).mean(axis=0)[2] > 200
    assert not cut_products([frame()], least_px=100)


def test_labelled_frames_come_between_drawn_ones() -> None:
    stream = iter(FrameStream(seed=1, side_px=64, labelled=[LabelledFrame(frame().image, (BOX,), (UNNAMED,), ())]))
    categories = torch.cat([next(stream)[2] for _ in range(80)])
    assert (categories == UNNAMED).any()
    assert (categories >= 0).any()
