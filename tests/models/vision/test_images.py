"""Decoding strangers' pictures: right pixels, or a refusal of a known kind."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.types import ModelInputError
from models.vision.images import decode

LIMIT = 1_000_000


def encoded(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def refusal(data: bytes, *, max_pixels: int = LIMIT) -> ModelInputError:
    with pytest.raises(ModelInputError) as caught:
        decode(data, max_pixels=max_pixels)
    return caught.value


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_three_formats_are_read(form: str) -> None:
    decoded = decode(encoded(Image.new("RGB", (40, 30), (200, 20, 20)), form), max_pixels=LIMIT)
    assert (decoded.width, decoded.height, decoded.image.mode) == (40, 30, "RGB")
    assert np.allclose(np.asarray(decoded.image)[15, 20], (200, 20, 20), atol=6)


@pytest.mark.parametrize("form", ["GIF", "BMP", "TIFF"])
def test_other_formats_are_unsupported(form: str) -> None:
    assert refusal(encoded(Image.new("RGB", (8, 8)), form)).kind == "unsupported"


def test_empty_data_is_invalid() -> None:
    assert refusal(b"").kind == "invalid"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_truncated_data_is_refused(form: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    data = encoded(noise, form)
    assert refusal(data[: len(data) // 2]).kind == "invalid"
    assert refusal(data[:14]).kind == "invalid"


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_what_is_wrong_is_told_in_one_plain_sentence(form: str) -> None:
    data = encoded(NOISE, form)
    assert refusal(data[: len(data) // 2]).message == "the picture is cut off: its end is missing"
    assert refusal(data[:14]).message == "the picture is cut off: its end is missing"
    assert refusal(data[:4] + bytes(4) + data[8:12] + bytes(40) + data[-12:]).message == "the picture's header is damaged"
    assert refusal(b"<html>").message == "the data is no JPEG, PNG or WebP picture"
    assert refusal(data, max_pixels=4_000).message == "the picture has 64x64 pixels, at most 4000 are accepted"


def test_pixels_that_cannot_be_decoded_are_told_apart_from_a_file_that_is_cut_off() -> None:
    data = encoded(NOISE, "JPEG")
    codes = data.index(b"\xff\xc4") + 6  # the first table of Huffman codes
    damaged = data[:codes] + b"\xff" * 16 + data[codes + 16 :]
    assert refusal(damaged).message == "the picture is damaged: its pixels cannot be decoded"


def test_a_bomb_is_refused_by_its_header_alone() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", b"")]
    data = b"".join(struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks)
    refused = refusal(b"\x89PNG\r\n\x1a\n" + data)
    assert (refused.kind, refused.message) == ("too_large", f"the picture has too many pixels, at most {LIMIT} are accepted")


def test_the_limit_counts_pixels() -> None:
    data = encoded(Image.new("RGB", (30, 20)))
    assert decode(data, max_pixels=600).width == 30
    assert refusal(data, max_pixels=599).kind == "too_large"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(encoded(Image.new("RGB", (60, 20)), "JPEG", exif=exif), max_pixels=LIMIT)
    expected = (20, 60) if orientation >= 5 else (60, 20)
    assert (decoded.width, decoded.height) == decoded.image.size == expected


def test_orientation_six_turns_the_top_to_the_right() -> None:
    picture = Image.new("RGB", (40, 20), (0, 0, 0))
    picture.paste((255, 255, 255), (0, 0, 40, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.asarray(decode(encoded(picture, "PNG", exif=exif), max_pixels=LIMIT).image)
    assert pixels[20, 15].tolist() == [255, 255, 255]
    assert pixels[20, 5].tolist() == [0, 0, 0]


def test_a_large_jpeg_is_decoded_small_but_keeps_its_size() -> None:
    decoded = decode(encoded(Image.new("RGB", (3000, 2000), (10, 200, 10)), "JPEG"), max_pixels=10_000_000)
    assert (decoded.width, decoded.height) == (3000, 2000)
    assert 960 <= decoded.image.width < 3000


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_png_mode_becomes_rgb(mode: str) -> None:
    source = (
        Image.fromarray(np.full((6, 6), 40_000, dtype=np.uint16))
        if mode == "I;16"
        else Image.new("RGB", (6, 6), (200, 200, 200)).convert(mode)
    )
    pixels = np.asarray(decode(encoded(source), max_pixels=LIMIT).image)
    assert pixels.shape == (6, 6, 3)
    assert mode == "1" or 140 <= pixels.mean() <= 210


def test_cmyk_jpeg_becomes_rgb() -> None:
    decoded = decode(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"), max_pixels=LIMIT)
    assert np.asarray(decoded.image)[4, 4, 0] > 200


def test_transparency_is_laid_on_white() -> None:
    pixels = np.asarray(decode(encoded(Image.new("RGBA", (4, 4), (0, 0, 0, 0))), max_pixels=LIMIT).image)
    assert pixels.min() == 255


def test_the_first_frame_of_an_animation_counts() -> None:
    first, second = Image.new("RGB", (9, 9), (255, 0, 0)), Image.new("RGB", (9, 9), (0, 0, 255))
    data = encoded(first, "WEBP", save_all=True, append_images=[second], lossless=True)
    assert np.asarray(decode(data, max_pixels=LIMIT).image)[4, 4].tolist() == [255, 0, 0]


SEEDS = [encoded(Image.new("RGB", (16, 16), (9, 90, 200)), form) for form in ("JPEG", "PNG", "WEBP")]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    try:
        decode(data, max_pixels=LIMIT)
    except ModelInputError as error:
        assert error.kind in {"invalid", "too_large", "unsupported"}


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=12), st.integers(0, 10_000))
def test_damaged_pictures_raise_nothing_else(seed: bytes, changes: list[tuple[int, int]], end: int) -> None:
    data = bytearray(seed)
    for place, value in changes:
        data[place % len(data)] = value
    try:
        decode(bytes(data[: end % len(data) + 1]), max_pixels=LIMIT)
    except ModelInputError as error:
        assert error.kind in {"invalid", "too_large", "unsupported"}
