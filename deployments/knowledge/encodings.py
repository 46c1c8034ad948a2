"""Bytes of a text file as text: UTF-8, then what its first bytes say, then the likeliest of the encodings that shops' files come in."""

import codecs
from dataclasses import dataclass
from pathlib import Path

from deployments.knowledge.limits import FileRefusedError

LIKELY = ["gb18030", "big5", "shift_jis", "cp1252"]
SAMPLE_BYTES = 256 * 1024
FEW_BYTES = 16  # of other characters than ASCII: too few to tell encodings apart, so the commonest is taken
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    encoding: str


def decoded(data: bytes, path: Path, encoding: str | None = None) -> Decoded:
    """Raises FileRefusedError for bytes that are no text in `encoding`, or in any that is known when it is None."""
    found = encoding or encoding_of(data, path)
    try:
        text = data.decode(found)
    except LookupError:
        raise FileRefusedError(f"{path}: there is no encoding `{found}`.") from None
    except UnicodeDecodeError as error:
        raise FileRefusedError(
            f"{path} is no text in {found}: byte {error.start} does not fit. If it is text, name its encoding with --encoding."
        ) from None
    if "\0" in text:
        raise FileRefusedError(f"{path} holds NUL characters: it is no text, or in another encoding; name it with --encoding.")
    return Decoded(text, found)


def file_encoding(path: Path) -> str:
    """Of a file that is read line by line: UTF-8 if all of it is, else as `encoding_of`. Raises FileRefusedError."""
    with path.open("rb") as file:
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := file.read(SAMPLE_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return encoding_of(path.read_bytes(), path)
    return "utf-8-sig"


def encoding_of(data: bytes, path: Path) -> str:
    """The name for `bytes.decode`. Raises FileRefusedError when nothing fits."""
    mark = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if mark is not None:
        return mark
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _likeliest(data, path)
    return "utf-8-sig"


def _likeliest(data: bytes, path: Path) -> str:
    from charset_normalizer import from_bytes  # only for files that are not UTF-8: help is instant  # noqa: PLC0415

    sample = data[:SAMPLE_BYTES]
    if sum(byte >= 0x80 for byte in sample) < FEW_BYTES and _fits(data, LIKELY[0]):
        return LIKELY[0]
    best = from_bytes(sample, cp_isolation=LIKELY).best()
    if best is None or not _fits(data, best.encoding):
        found = next((name for name in LIKELY[:3] if _fits(data, name)), None)
        if found is None:
            raise FileRefusedError(
                f"{path} is no text in UTF-8, {', '.join(LIKELY[:3])}; if it is text, name its encoding with --encoding."
            )
        return found
    return best.encoding


def _fits(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
