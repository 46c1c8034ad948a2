"""A font for titles: one that has Chinese where the system has one, else one with accents, else Pillow's own (plain Latin)."""

import subprocess
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from deployments.video.errors import VideoError

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
LIST = ("fc-list", "--format=%{file}\n")
LANGUAGES = (":lang=zh", ":lang=pl")
ODD = ("serif", "mono", "ming", "song", "kai", "bold", "italic", "oblique", "condensed", "light", "thin", "math")
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
    """A font as fontconfig lists them, upright and sans if there is one. None without fontconfig or such a font."""
    listed = (_listed(language) for language in LANGUAGES)
    return next((min(files, key=_oddness) for files in listed if files), None)


def can_draw(font: Font, text: str) -> bool:
    """Whether the font has every character of a text, and the text no control characters."""
    return text.isprintable() and all(_has(font, character) for character in set(text))


def _listed(language: str) -> list[Path]:
    try:
        listed = subprocess.run((*LIST, language), capture_output=True, text=True, timeout=LISTING_S, check=True)  # noqa: S603  # constants
    except (OSError, subprocess.SubprocessError):
        return []
    return [Path(line.strip()) for line in listed.stdout.splitlines() if line.strip()]


def _oddness(path: Path) -> tuple[int, int, str]:
    """Ordinary faces first; of those, the plainest name."""
    name = path.name.lower()
    return sum(word in name for word in ODD), len(name), name


@lru_cache(maxsize=4096)
def _has(font: Font, character: str) -> bool:
    return character == " " or bytes(font.getmask(character)) != bytes(font.getmask(NO_CHARACTER))
