"""A Markdown, text or PDF file as documents of `POST /v1/knowledge`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deployments.knowledge.blocks import Block, plain_blocks
from deployments.knowledge.encodings import decoded
from deployments.knowledge.limits import MIB, FileRefusedError, ReadLimits
from deployments.knowledge.markdown import markdown_blocks
from deployments.knowledge.naming import file_key, passage_ids
from deployments.knowledge.passages import passages_of
from deployments.knowledge.pdf import PageRead, pdf_blocks

MARKDOWN = frozenset({".md", ".markdown"})
PLAIN = frozenset({".txt", ".text"})
PDF = frozenset({".pdf"})
READ_AS_TEXT = MARKDOWN | PLAIN | PDF

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    max_bytes: int  # of UTF-8, of a passage
    name: str  # the file's name in the documents' ids
    product_id: str | None = None  # what the whole file is about
    language: str | None = None  # None: seen for each passage by itself
    encoding: str | None = None  # None: seen by the bytes
    password: str = ""  # of a PDF
    limits: ReadLimits = field(default_factory=ReadLimits)


def read_documents(path: Path, options: ReadOptions, on_page: PageRead = lambda _done, _of: None) -> list[Row]:
    """In the file's order. Raises FileRefusedError."""
    passages = passages_of(_blocks(path, options, on_page), options.max_bytes)
    if not passages:
        raise FileRefusedError(f"{path} holds no text.")
    if len(passages) > options.limits.max_passages:
        raise FileRefusedError(f"{path} makes {len(passages)} passages; at most {options.limits.max_passages} are taken (--max-passages).")
    ids = passage_ids(file_key(options.name, options.product_id), passages)
    return [_row(document_id, options, passage.question, passage.text) for document_id, passage in zip(ids, passages, strict=True)]


def check_size(path: Path, limits: ReadLimits) -> None:
    size_mib = path.stat().st_size / MIB
    if size_mib > limits.max_mib:
        raise FileRefusedError(f"{path} has {size_mib:.1f} MiB; at most {limits.max_mib:g} are read (--max-mib).")


def _blocks(path: Path, options: ReadOptions, on_page: PageRead) -> list[Block]:
    if path.suffix.lower() in PDF:
        return pdf_blocks(path, options.limits, password=options.password, on_page=on_page)
    text = decoded(path.read_bytes(), path, options.encoding).text
    return markdown_blocks(text) if path.suffix.lower() in MARKDOWN else plain_blocks(text)


def _row(document_id: str, options: ReadOptions, question: str | None, text: str) -> Row:
    from graphs.reading.slots import detect_language  # noqa: PLC0415  # help is instant

    row: Row = {"document_id": document_id, "kind": "qa" if question else "document"}
    if options.product_id:
        row["product_id"] = options.product_id
    row |= {"question": question, "answer": text} if question else {"text": text}
    return row | {"language": options.language or detect_language(question or text)}
