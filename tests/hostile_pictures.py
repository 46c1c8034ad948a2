"""Pictures that no decoder should like, made by code: in-process tests and the integration test send the same ones.

A `SEEN` picture is odd and still a picture; a `REFUSED` one has to be refused with a reason; of the others either is right.
"""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np
from PIL import Image, ImageCms

FORMATS = ("JPEG", "PNG", "WEBP")
MAGIC = {"JPEG": b"\xff\xd8\xff\xe0", "PNG": b"\x89PNG\r\n\x1a\n", "WEBP": b"RIFF\x00\x10\x00\x00WEBPVP8 "}
CUTS = (0.02, 0.1, 0.3, 0.5, 0.75, 0.95)
PNG_MAGIC = MAGIC["PNG"]


class Fate(Enum):
    SEEN = "seen"
    REFUSED = "refused"
    EITHER = "either"


@dataclass(frozen=True)
class HostilePicture:
    name: str
    content: bytes
    fate: Fate

    def __str__(self) -> str:
        return self.name


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    pixels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 0) -> bytes:
    """A PNG with this header and whatever is given instead of its pixels."""
    return (
        PNG_MAGIC + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)) + b"".join(chunks) + chunk(b"IEND", b"")
    )


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def with_segment(jpeg: bytes, marker: int, data: bytes) -> bytes:
    return jpeg[:2] + segment(marker, data) + jpeg[2:]


def resized(jpeg: bytes, width: int, height: int) -> bytes:
    """The same JPEG, which says that it has another size."""
    at = next(jpeg.index(mark) for mark in (b"\xff\xc0", b"\xff\xc2") if mark in jpeg) + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


JPEG, PNG, WEBP = (encoded(noise(), kind) for kind in FORMATS)


def _cut() -> Iterator[HostilePicture]:
    for kind, whole in zip(FORMATS, (JPEG, PNG, WEBP), strict=True):
        for length in (1, 2, 3, 8, 12, 16, 30, *(round(len(whole) * share) for share in CUTS)):
            yield HostilePicture(f"{kind} cut after {length} bytes", whole[:length], Fate.REFUSED)
        yield HostilePicture(f"{kind} without its last byte", whole[:-1], Fate.EITHER)
        yield HostilePicture(f"{kind} with garbage behind it", whole + bytes(range(256)) * 40, Fate.SEEN)
        yield HostilePicture(f"{kind} magic and random bytes", MAGIC[kind] + random.Random(kind).randbytes(5_000), Fate.REFUSED)


def _sizes() -> Iterator[HostilePicture]:
    webp_16k = b"RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\xff\x3f\x00\xff\x3f\x00VP8L\x00\x00\x00\x00"
    grey = zlib.compress(b"\0" * 10_000)
    yield HostilePicture("PNG of 30,000 x 30,000", png(30_000, 30_000, chunk(b"IDAT", grey), colour=2), Fate.REFUSED)
    yield HostilePicture("PNG of 2^31-1 each way", png(2**31 - 1, 2**31 - 1, chunk(b"IDAT", grey)), Fate.REFUSED)
    yield HostilePicture("PNG of 2^32-1 each way", png(2**32 - 1, 2**32 - 1, chunk(b"IDAT", grey)), Fate.REFUSED)
    yield HostilePicture("PNG of no size", png(0, 0, chunk(b"IDAT", grey)), Fate.REFUSED)
    yield HostilePicture("PNG of no height", png(5, 0, chunk(b"IDAT", grey)), Fate.REFUSED)
    yield HostilePicture("JPEG of 65,535 each way", resized(JPEG, 65_535, 65_535), Fate.REFUSED)
    yield HostilePicture("JPEG of no size", resized(JPEG, 0, 0), Fate.REFUSED)
    yield HostilePicture("JPEG that says to be larger than it is", resized(JPEG, 4_000, 3_000), Fate.EITHER)
    yield HostilePicture("WebP canvas of 16,384 each way", webp_16k, Fate.REFUSED)
    yield HostilePicture("39 megapixels in 5 KB", encoded(Image.new("1", (6_500, 6_000)), "PNG"), Fate.SEEN)
    yield HostilePicture("41 megapixels in 5 KB", encoded(Image.new("1", (6_500, 6_400)), "PNG"), Fate.REFUSED)
    yield HostilePicture("1 x 65,535", encoded(Image.new("RGB", (1, 65_535)), "PNG"), Fate.SEEN)
    yield HostilePicture("65,500 x 1", encoded(Image.new("RGB", (65_500, 1)), "JPEG"), Fate.SEEN)
    yield HostilePicture("one pixel", encoded(Image.new("RGB", (1, 1)), "WEBP"), Fate.SEEN)


def _modes() -> Iterator[HostilePicture]:
    for mode in ("1", "L", "LA", "P", "RGBA"):
        yield HostilePicture(f"PNG in mode {mode}", encoded(noise(mode) if mode != "LA" else noise("L").convert("LA"), "PNG"), Fate.SEEN)
    deep = Image.fromarray(np.random.default_rng(2).integers(0, 65_536, (40, 50), dtype=np.uint16))
    frames = [noise("RGB", (40, 40)).rotate(90 * turn) for turn in range(4)]
    palette = [chunk(b"IDAT", zlib.compress(b"\0" * 55))]
    yield HostilePicture("PNG of 16 bits", encoded(deep, "PNG"), Fate.SEEN)
    yield HostilePicture("JPEG in CMYK", encoded(noise("CMYK"), "JPEG"), Fate.SEEN)
    yield HostilePicture("JPEG in grey", encoded(noise("L"), "JPEG"), Fate.SEEN)
    yield HostilePicture("WebP that moves", encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]), Fate.SEEN)
    yield HostilePicture("PNG that moves", encoded(frames[0], "PNG", save_all=True, append_images=frames[1:]), Fate.SEEN)
    yield HostilePicture("PNG with a palette of nothing", png(10, 5, chunk(b"PLTE", b""), *palette, colour=3), Fate.EITHER)
    yield HostilePicture("PNG without its palette", png(10, 5, *palette, colour=3), Fate.EITHER)
    yield HostilePicture("PNG of a colour that does not exist", png(10, 5, *palette, colour=5), Fate.REFUSED)
    yield HostilePicture("PNG of 3 bits", png(10, 5, *palette, depth=3), Fate.REFUSED)


def _damaged() -> Iterator[HostilePicture]:
    pixels = zlib.compress(b"\0" * 55)
    middle = len(PNG) // 2
    codes = JPEG.index(b"\xff\xc4") + 6  # the first table of Huffman codes
    yield HostilePicture("PNG without pixels", png(10, 5), Fate.REFUSED)
    yield HostilePicture("PNG whose pixels are no zlib", png(10, 5, chunk(b"IDAT", b"\xff" * 90)), Fate.REFUSED)
    yield HostilePicture("PNG with a wrong checksum", PNG[:middle] + bytes([PNG[middle] ^ 1]) + PNG[middle + 1 :], Fate.EITHER)
    yield HostilePicture("PNG with a chunk of 2 GiB", png(10, 5, struct.pack(">I", 2**31 - 1) + b"IDAT" + pixels), Fate.EITHER)
    yield HostilePicture("PNG with 20,000 chunks", png(10, 5, chunk(b"tEXt", b"a\0b") * 20_000, chunk(b"IDAT", pixels)), Fate.EITHER)
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 50_000_000))
    yield HostilePicture("PNG with 50 MB of text in 50 KB", png(10, 5, text, chunk(b"IDAT", pixels)), Fate.EITHER)
    profile = chunk(b"iCCP", b"a\0\0" + zlib.compress(b"\0" * 50_000_000))
    yield HostilePicture("PNG with a profile of 50 MB in 50 KB", png(10, 5, profile, chunk(b"IDAT", pixels)), Fate.EITHER)
    yield HostilePicture("JPEG with damaged Huffman codes", JPEG[:codes] + b"\xff" * 16 + JPEG[codes + 16 :], Fate.REFUSED)
    yield HostilePicture("JPEG of markers only", b"\xff\xd8" + segment(0xE0, b"JFIF\0") + b"\xff\xd9", Fate.REFUSED)
    yield HostilePicture("JPEG of 100,000 beginnings", b"\xff\xd8\xff" * 100_000, Fate.REFUSED)
    yield HostilePicture("JPEG that is gone over 5,000 times", _many_scans(5_000), Fate.REFUSED)
    yield HostilePicture("WebP of a length that is a lie", WEBP[:4] + b"\xff\xff\xff\x7f" + WEBP[8:], Fate.EITHER)


def _many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again: few bytes, and each costs the time of the whole picture."""
    jpeg = encoded(Image.new("L", (3_000, 3_000), 128), "JPEG", progressive=True)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    return jpeg[:-2] + last * count + jpeg[-2:]


def _extras() -> Iterator[HostilePicture]:
    loop = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0"  # directories that lead to themselves
    yield HostilePicture("JPEG with EXIF that leads to itself", with_segment(JPEG, 0xE1, loop), Fate.SEEN)
    yield HostilePicture("JPEG with EXIF of garbage", with_segment(JPEG, 0xE1, b"Exif\0\0" + random.Random(3).randbytes(500)), Fate.SEEN)
    yield HostilePicture("JPEG with EXIF of 65,535 entries", with_segment(JPEG, 0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"), Fate.SEEN)
    yield HostilePicture(
        "JPEG with a profile of garbage", encoded(noise(), "JPEG", icc_profile=random.Random(4).randbytes(3_000)), Fate.SEEN
    )
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield HostilePicture("WebP with a profile cut off", encoded(noise(), "WEBP", icc_profile=profile[:200]), Fate.SEEN)
    yield HostilePicture("JPEG with a page in its comment", with_segment(JPEG, 0xFE, b"<script>alert(1)</script>"), Fate.SEEN)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a.txt", "a")
    yield HostilePicture("JPEG that is an archive too", JPEG + archive.getvalue(), Fate.SEEN)
    yield HostilePicture("PNG that is a script too", PNG + b"<?php system($_GET['a']); ?>", Fate.SEEN)
    yield HostilePicture("GIF behind a JPEG's first bytes", b"\xff\xd8\xff" + encoded(noise("P"), "GIF"), Fate.REFUSED)
    yield HostilePicture("PNG behind a JPEG's first bytes", b"\xff\xd8\xff" + PNG, Fate.REFUSED)
    yield HostilePicture("JPEG behind a PNG's first bytes", PNG_MAGIC + JPEG, Fate.REFUSED)


def _others() -> Iterator[HostilePicture]:
    for kind in ("GIF", "BMP", "TIFF", "ICO", "PPM", "TGA", "PDF"):
        yield HostilePicture(f"a {kind}", encoded(noise(), kind), Fate.REFUSED)
    yield HostilePicture("an SVG", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>', Fate.REFUSED)
    yield HostilePicture("an HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500), Fate.REFUSED)
    yield HostilePicture("an AVIF", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(500), Fate.REFUSED)
    yield HostilePicture("an EPS", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", Fate.REFUSED)
    yield HostilePicture("a page", b"<!doctype html><title>a</title>", Fate.REFUSED)
    yield HostilePicture("a RIFF that is sound", b"RIFF\x24\0\0\0WAVEfmt " + bytes(28), Fate.REFUSED)
    yield HostilePicture("nothing", b"", Fate.REFUSED)
    yield HostilePicture("random bytes", random.Random(5).randbytes(10_000), Fate.REFUSED)


PICTURES = tuple(picture for make in (_cut, _sizes, _modes, _damaged, _extras, _others) for picture in make())
