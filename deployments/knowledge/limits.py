"""What is read of one file at most, and how a file is refused."""

from dataclasses import dataclass

MIB = 1024 * 1024
PASSWORD_VARIABLE = "LIVECART_PDF_PASSWORD"  # noqa: S105  # the name of a variable


class FileRefusedError(Exception):
    """A file that cannot be read as knowledge; its text names the file, what was found and what to do."""


@dataclass(frozen=True, slots=True)
class ReadLimits:
    max_mib: float = 64.0
    max_pages: int = 2_000  # of a PDF
    max_characters: int = 20_000_000  # of text, whatever it is wrapped in
    max_passages: int = 50_000
    timeout_s: float = 300.0  # reading a PDF
    memory_mib: int = 2_048  # of the process that reads a PDF
