"""The parts of a picture that the embedder looks at: regions for one in this process, JPEGs for one elsewhere."""

import io

import numpy as np
from PIL import Image

from models.types import Vectors
from models.vision.images import Decoded

Region = tuple[Image.Image, tuple[float, float, float, float]]  # a picture and the part of it (pixels) to look at

CROP_MARGIN = 0.05  # of a box's sides, around it: what the embedder was trained on
JPEG_QUALITY = 95


def whole(picture: Decoded) -> Region:
    return picture.image, (0.0, 0.0, float(picture.image.width), float(picture.image.height))


def crop(picture: Decoded, box: Vectors) -> Region:
    """The box, float32 (4,) x1 y1 x2 y2 in 0..1, with its margin, in pixels of the decoded image and at least one pixel wide."""
    wide, tall = picture.image.size
    margin_x, margin_y = (box[2] - box[0]) * CROP_MARGIN, (box[3] - box[1]) * CROP_MARGIN
    left, right = max(0.0, float(box[0] - margin_x)) * wide, min(1.0, float(box[2] + margin_x)) * wide
    top, bottom = max(0.0, float(box[1] - margin_y)) * tall, min(1.0, float(box[3] + margin_y)) * tall
    left, top = min(left, wide - 1.0), min(top, tall - 1.0)
    return picture.image, (left, top, max(right, left + 1), max(bottom, top + 1))


def views(picture: Decoded, boxes: Vectors, scores: Vectors) -> list[Region]:
    """What is kept of an enrolled picture: the large and certain product, where there is one, and the whole picture.

    boxes: float32 (n, 4), x1 y1 x2 y2 in 0..1; scores: float32 (n,).
    """
    if len(boxes) == 0:
        return [whole(picture)]
    size = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return [crop(picture, boxes[int(np.argmax(scores * np.sqrt(size)))]), whole(picture)]


def as_jpeg(region: Region) -> bytes:
    picture, box = region
    buffer = io.BytesIO()
    picture.crop((round(box[0]), round(box[1]), max(round(box[2]), round(box[0]) + 1), max(round(box[3]), round(box[1]) + 1))).save(
        buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0
    )
    return buffer.getvalue()
