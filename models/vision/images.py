"""Encoded pictures from strangers to RGB pixels, or a refusal that says why."""

import io
import re
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError

from models.types import ModelInputError

FORMATS = ("JPEG", "PNG", "WEBP")
ENOUGH_PX = 960  # the longer side that detection and crops profit from; a JPEG is decoded no larger than needed for it
MAX_SCANS = 32  # of a progressive JPEG; encoders make about ten, and each costs the whole picture's time however few bytes it has
CUT_OFF = "the picture is cut off: its end is missing"
_MARKER = re.compile(rb"\xff+([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)  # of a JPEG's segments; bytes of a scan never look like one
_SCAN, _END = b"\xda", b"\xd9"


@dataclass(frozen=True, slots=True)
class Decoded:
    """RGB pixels, upright. `width` and `height` are those of the picture as submitted; `image` may be a reduced copy of it."""

    image: Image.Image
    width: int
    height: int


def decode(image: bytes, *, max_pixels: int, enough_px: int = ENOUGH_PX) -> Decoded:
    """The first frame of a JPEG, PNG or WebP with EXIF orientation applied and transparency laid on white.

    The size in the header is checked before any pixel is decoded. Raises ModelInputError: `invalid` for empty or damaged
    data, `unsupported` for anything but the three formats, `too_large` above `max_pixels`.
    """
    if not image:
        raise ModelInputError("the picture is empty: send the bytes of a JPEG, PNG or WebP file")
    opened = _opened(image, max_pixels)
    if opened.width * opened.height > max_pixels:
        raise ModelInputError(f"the picture has {opened.width}x{opened.height} pixels, at most {max_pixels} are accepted", kind="too_large")
    if opened.info.get("progressive") and _scan_count(image) > MAX_SCANS:
        raise ModelInputError(
            f"the picture is a JPEG of more than {MAX_SCANS} scans, which would take too long to decode", kind="too_large"
        )
    width, height = opened.size
    try:
        pixels = _rgb(_loaded(opened, enough_px))
        orientation = _orientation(
            opened
        )  # after the pixels: that of a PNG may stand behind them, and their damage is not to be passed over
        if orientation >= 5:
            width, height = height, width
        return Decoded(_upright(pixels, orientation), width, height)
    except MemoryError:
        raise
    except Exception as error:  # the decoders raise errors of a dozen kinds on damaged data
        raise ModelInputError(CUT_OFF if _is_cut_off(image) else "the picture is damaged: its pixels cannot be decoded") from error


def _opened(image: bytes, max_pixels: int) -> Image.Image:
    try:
        return Image.open(io.BytesIO(image), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        accepted = min(max_pixels, 2 * (Image.MAX_IMAGE_PIXELS or max_pixels))  # above twice its own limit Pillow opens nothing
        raise ModelInputError(f"the picture has too many pixels, at most {accepted} are accepted", kind="too_large") from error
    except Exception as error:  # beside Pillow's own, whatever a header raises that promises a format and breaks it
        promises = image.startswith((b"\xff\xd8\xff", b"\x89PNG")) or (image.startswith(b"RIFF") and image[8:12] == b"WEBP")
        if promises or not isinstance(error, UnidentifiedImageError):
            raise ModelInputError(CUT_OFF if _is_cut_off(image) else "the picture's header is damaged") from error
        raise ModelInputError("the data is no JPEG, PNG or WebP picture", kind="unsupported") from error


def _is_cut_off(image: bytes) -> bool:
    """Whether the mark or the length that ends a file of the three formats says that more belongs to it."""
    if image.startswith(b"RIFF"):
        return len(image) < 8 + int.from_bytes(image[4:8], "little")
    if image.startswith(b"\x89PNG"):
        return b"IEND" not in image[-64:]
    return not image.rstrip(b"\0").endswith(b"\xff\xd9")


def _scan_count(jpeg: bytes) -> int:
    """How often the picture is gone over, up to MAX_SCANS + 1; what follows its end does not count."""
    place, scans = 2, 0
    while scans <= MAX_SCANS and (found := _MARKER.search(jpeg, place)) and found[1] != _END:
        scans += found[1] == _SCAN
        place = found.end() + max(int.from_bytes(jpeg[found.end() : found.end() + 2], "big"), 2)
    return scans


def _loaded(opened: Image.Image, enough_px: int) -> Image.Image:
    if opened.format == "JPEG" and opened.mode in {"RGB", "L"}:
        scale = enough_px / max(opened.size)
        if scale < 0.5:
            opened.draft(opened.mode, (max(round(opened.width * scale), 1), max(round(opened.height * scale), 1)))
    opened.load()
    return opened


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode == "RGB":
        return picture
    if picture.mode.startswith("I"):
        return Image.fromarray((np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        paper = Image.new("RGB", picture.size, (255, 255, 255))
        paper.paste(picture, (0, 0), picture)
        return paper
    return picture.convert("RGB")


def _orientation(picture: Image.Image) -> int:
    """EXIF orientation 1..8; 1 when there is none or it cannot be read, which is no reason to refuse a picture."""
    try:
        value = picture.getexif().get(0x0112, 1)
    except Exception:  # noqa: BLE001  # a damaged EXIF block raises errors of many kinds
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(picture: Image.Image, orientation: int) -> Image.Image:
    steps = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    return picture.transpose(steps[orientation]) if orientation in steps else picture
