"""A font for titles: one that has Chinese where the system has one, else Pillow's own (Latin only)."""

import subprocess
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from deployments.video.errors import VideoError

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
LIST_CHINESE = ("fc-list", "--format=%{file}\n", ":lang=zh")
LISTING_S = 10.0
NO_CHARACTER = "\U0010ffff"  # every font draws its empty box for it


def load_font(path: Path | None, size_px: int) -> Font:
    """The font of a file, or the system's. Raises VideoError when the file is none."""
    found = path or system_font()
    if found is None:
        return ImageFont.load_default(size_px)
    try:
        return ImageFont.truetype(str(found), size_px)
    except OSError as error:
        raise VideoError(f"{found} is no font that can be used: {error}") from error


@lru_cache(maxsize=1)
def system_font() -> Path | None:
    """A font with Chinese, as fontconfig lists them; sans and regular if there is one. None without fontconfig or such a font."""
    try:
        listed = subprocess.run(LIST_CHINESE, capture_output=True, text=True, timeout=LISTING_S, check=True)  # noqa: S603  # a constant
    except (OSError, subprocess.SubprocessError):
        return None
    files = [Path(line.strip()) for line in listed.stdout.splitlines() if line.strip()]
    return min(files, key=_oddness, default=None)


def can_draw(font: Font, text: str) -> bool:
    """Whether the font has every character of a text."""
    return all(_has(font, character) for character in set(text))


def _oddness(path: Path) -> tuple[bool, bool, str]:
    name = path.name.lower()
    return any(word in name for word in ("serif", "mono", "ming", "song", "kai")), "regular" not in name, name


@lru_cache(maxsize=4096)
def _has(font: Font, character: str) -> bool:
    return character.isspace() or bytes(font.getmask(character)) != bytes(font.getmask(NO_CHARACTER))
