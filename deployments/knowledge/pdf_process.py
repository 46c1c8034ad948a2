"""`python -m deployments.knowledge.pdf_process FILE MAX_PAGES MAX_CHARACTERS MEMORY_MIB`: a line of JSON for each page of a PDF.

A line is `{"pages": of the file, "lines": [[text, font size in points], ...]}`, or, last, `{"refused": why}`. The password comes by the
environment, where other users do not see it.
"""

import json
import os
import resource
import sys
from collections.abc import Iterator

from pypdf import PageObject, PdfReader
from pypdf.errors import DependencyError, LimitReachedError, PdfReadError, PyPdfError

from deployments.knowledge.limits import MIB, PASSWORD_VARIABLE


class _RefusedError(Exception):
    """Why a file is not read on."""


def main(path: str, max_pages: int, max_characters: int, memory_mib: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_mib * MIB, memory_mib * MIB))
    try:
        for count, lines in _pages(path, max_pages, max_characters):
            _say({"pages": count, "lines": lines})
    except _RefusedError as error:
        _say({"refused": str(error)})
    except MemoryError:
        _say({"refused": f"needs more than {memory_mib} MiB to be read: it is damaged, or a decompression bomb."})
    except LimitReachedError as error:
        _say({"refused": f"holds a stream that grows beyond all measure when it is decompressed ({error})."})
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, AssertionError) as error:
        _say({"refused": f"is damaged: {type(error).__name__}: {error}"})


def _pages(path: str, max_pages: int, max_characters: int) -> Iterator[tuple[int, list[tuple[str, float]]]]:
    reader = PdfReader(path)
    _open(reader)
    count = len(reader.pages)
    if count == 0:
        raise _RefusedError("holds no page.")
    if count > max_pages:
        raise _RefusedError(f"has {count} pages; at most {max_pages} are read (--max-pages).")
    characters = 0
    for page in reader.pages:
        lines = _lines(page)
        characters += sum(len(text) for text, _ in lines)
        if characters > max_characters:
            raise _RefusedError(f"holds more than {max_characters} characters of text.")
        yield count, lines


def _open(reader: PdfReader) -> None:
    if not reader.is_encrypted:
        return
    try:
        opened = reader.decrypt(os.environ.get(PASSWORD_VARIABLE, ""))
    except (DependencyError, NotImplementedError, PdfReadError) as error:
        raise _RefusedError(f"is encrypted in a way that is not known here: {error}") from error
    if not opened:
        raise _RefusedError(f"is encrypted: give its password with --password or ${PASSWORD_VARIABLE}, or export it without one.")


def _lines(page: PageObject) -> list[tuple[str, float]]:
    """The page's lines in the order of its content, each with the size that most of it is set in."""
    runs: list[tuple[str, float]] = []

    def note(text: str, _cm: list[float], tm: list[float], _font: object, size: float) -> None:
        runs.append((text, abs(size * (tm[3] or tm[1] or 1.0))))

    content = page.get_contents()
    if content is not None:
        content.get_data()  # raises what the extraction would pass over: a stream that is damaged, or a bomb
    page.extract_text(visitor_text=note)
    lines: list[tuple[str, float]] = []
    text, sizes = "", dict[float, int]()
    for run, size in runs:
        for number, part in enumerate(run.split("\n")):
            if number:
                lines.append((text, _commonest(sizes)))
                text, sizes = "", {}
            text += part
            if part.strip():
                sizes[size] = sizes.get(size, 0) + len(part)
    return [*lines, (text, _commonest(sizes))]


def _commonest(sizes: dict[float, int]) -> float:
    size = max(sizes, key=sizes.__getitem__, default=0.0)
    return round(size, 2)


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
