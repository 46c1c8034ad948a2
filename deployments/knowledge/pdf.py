"""A PDF as blocks. It is read in a process of its own, with bounded memory and time: a PDF is a program in the language of its reader."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from deployments.knowledge.blocks import Block
from deployments.knowledge.layout import Line, blocks_of_pages
from deployments.knowledge.limits import PASSWORD_VARIABLE, FileRefusedError, ReadLimits

MOST_ODD = 0.3  # of all characters; beyond, the fonts do not say which characters they draw
_MARK_BYTES = 1_024  # within which a PDF begins and ends

PageRead = Callable[[int, int], None]  # pages read, of how many


def pdf_blocks(path: Path, limits: ReadLimits, *, password: str = "", on_page: PageRead = lambda _done, _of: None) -> list[Block]:
    """Raises FileRefusedError for a file that is cut off, encrypted, without text, damaged, or larger than `limits` in any way."""
    _check_ends(path)
    pages: list[list[Line]] = []
    for answer in _answers(path, limits, password):
        if "refused" in answer:
            raise FileRefusedError(f"{path} {answer['refused']}")
        pages.append([Line(text, size) for text, size in answer["lines"]])
        on_page(len(pages), answer["pages"])
    _check_text(path, pages)
    return blocks_of_pages(pages)


def _check_ends(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(_MARK_BYTES)
        file.seek(max(0, path.stat().st_size - _MARK_BYTES))
        tail = file.read()
    if b"%PDF-" not in head:
        raise FileRefusedError(f"{path} is no PDF: it does not begin with %PDF-.")
    if b"%%EOF" not in tail:
        raise FileRefusedError(f"{path} is cut off: it does not end with %%EOF. Copy or download it again.")


def _answers(path: Path, limits: ReadLimits, password: str) -> Iterator[dict[str, Any]]:
    """What the reading process says, a page at a time. Raises FileRefusedError when it is killed by its limits."""
    sizes = map(str, (limits.max_pages, limits.max_characters, limits.memory_mib))
    command = [sys.executable, "-m", "deployments.knowledge.pdf_process", str(path.absolute()), *sizes]
    environment = {**os.environ, PASSWORD_VARIABLE: password, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    is_late = threading.Event()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as process:  # noqa: S603  # ourselves
        late = threading.Timer(limits.timeout_s, _end, (process, is_late))
        late.start()
        try:
            for line in process.stdout or ():
                yield json.loads(line)
        finally:
            late.cancel()
            process.kill()
    if is_late.is_set():
        raise FileRefusedError(f"{path} could not be read within {limits.timeout_s:g} s (--timeout).")
    if process.returncode != 0:
        raise FileRefusedError(f"{path} ended the process that read it (status {process.returncode}): it is damaged, or made to harm.")


def _end(process: "subprocess.Popen[bytes]", is_late: threading.Event) -> None:
    is_late.set()
    process.kill()


def _check_text(path: Path, pages: Sequence[Sequence[Line]]) -> None:
    text = "".join(line.text for page in pages for line in page)
    telling = [character for character in text if not character.isspace()]
    if not telling:
        raise FileRefusedError(f"{path} holds no text on {len(pages)} pages: they are pictures. Run it through OCR first (ocrmypdf, say).")
    odd = sum(not character.isprintable() or character == "\ufffd" or "\ue000" <= character <= "\uf8ff" for character in telling)
    if odd > MOST_ODD * len(telling):
        raise FileRefusedError(f"{path} does not say which characters its fonts draw. Run it through OCR, or export it anew.")
