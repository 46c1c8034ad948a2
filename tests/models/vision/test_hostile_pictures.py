"""The corpus of hostile pictures against the decoder: each is seen or refused with a reason, in bounded memory."""

import psutil
import pytest

from models.types import ModelInputError
from models.vision.images import decode
from tests.hostile_pictures import PICTURES, Fate, HostilePicture

MAX_PIXELS = 40_000_000
MIB = 1024 * 1024


def fate_of(picture: HostilePicture) -> Fate:
    try:
        decoded = decode(picture.content, max_pixels=MAX_PIXELS)
    except ModelInputError as error:
        assert error.message
        return Fate.REFUSED
    assert decoded.image.mode == "RGB"
    return Fate.SEEN


@pytest.mark.parametrize("picture", PICTURES, ids=str)
def test_a_picture_is_seen_or_refused_with_a_reason(picture: HostilePicture) -> None:
    fate = fate_of(picture)
    assert picture.fate in (fate, Fate.EITHER)


def test_names_are_unique() -> None:
    names = [picture.name for picture in PICTURES]
    assert len(set(names)) == len(names)
    assert len(names) >= 100


def test_nothing_of_them_stays_in_memory() -> None:
    process, small = psutil.Process(), [picture for picture in PICTURES if "megapixels" not in picture.name and "MB" not in picture.name]
    for _ in range(2):
        list(map(fate_of, small))
    before = process.memory_info().rss
    for _ in range(4):
        list(map(fate_of, small))
    assert process.memory_info().rss - before < 24 * MIB
