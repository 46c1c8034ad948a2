"""`livecart knowledge import` and `export`: files into the documents that answers stand on, and out again."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.cli.common import AsJson, Key, Url, fail, print_json, server
from deployments.cli.sending import Batch, finish, progress_bar, send
from deployments.knowledge.limits import PASSWORD_VARIABLE, FileRefusedError, ReadLimits
from deployments.rows import READ, RowError, read_rows, to_document

if TYPE_CHECKING:
    import httpx

    from deployments.knowledge.reading import ReadOptions, Row

app = typer.Typer(help="What the answers stand on.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="CSV, JSONL, Markdown, text or PDF.", exists=True, dir_okay=False)]
Size = Annotated[int | None, typer.Option(help="Bytes of UTF-8 of a passage; by default what an answer can show of one fact.", min=60)]
Replace = Annotated[bool, typer.Option("--replace", help="Remove what an earlier import of this file left and the file no longer says.")]
LIMITS = ReadLimits()
NOT_FOUND = 404
PAGE = 500
PREVIEW = 60


@app.command("import")
def import_knowledge(  # noqa: PLR0913  # a command's options
    file: File,
    *,
    product_id: Annotated[str, typer.Option(help="Product that the file is about; rows may name their own.")] = "",
    language: Annotated[str, typer.Option(help="zh or en; without it, seen for each passage.")] = "",
    name: Annotated[str, typer.Option(help="Name of the file in the documents' ids, if another than its own.")] = "",
    size: Size = None,
    encoding: Annotated[str, typer.Option(help="Of a text file; without it, seen by its bytes.")] = "",
    password: Annotated[str, typer.Option(envvar=PASSWORD_VARIABLE, help="Of an encrypted PDF.")] = "",
    max_mib: Annotated[float, typer.Option(help="Size of the file.", min=0.001)] = LIMITS.max_mib,
    max_pages: Annotated[int, typer.Option(help="Of a PDF.", min=1)] = LIMITS.max_pages,
    max_passages: Annotated[int, typer.Option(help="Passages or rows of the file.", min=1)] = LIMITS.max_passages,
    timeout_s: Annotated[float, typer.Option("--timeout", help="Seconds for reading a PDF.", min=0.1)] = LIMITS.timeout_s,
    batch: Batch = 500,
    replace: Replace = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the passages; change nothing.")] = False,
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Insert or update documents; the same file may be imported again.

    A row of CSV or JSONL is a document: question and answer, or text, and if wanted document_id, product_id, language. Markdown, text and
    PDF are cut into passages with their headings; `Q:`/`A:`, 问/答, and headings that end in a question mark become stored answers.

    Examples: `livecart knowledge import faq.csv`; `livecart knowledge import manual.pdf --product-id p-1 --replace`
    """
    from deployments.knowledge.reading import ReadOptions
    from models.prompts import FACT_BYTES

    limits = ReadLimits(max_mib=max_mib, max_pages=max_pages, max_passages=max_passages, timeout_s=timeout_s)
    options = ReadOptions(size or FACT_BYTES, name or file.name, product_id or None, language or None, encoding or None, password, limits)
    documents = _read(file, options)
    if dry_run:
        _show(file, documents, as_json=as_json)
        return
    send(iter(documents), "/v1/knowledge", "documents", url=url, key=key, batch=batch)
    removed = {"removed": _remove_others(url, key, options, documents)} if replace else {}
    finish({"file": str(file), "documents": len(documents), **removed}, as_json=as_json)


@app.command("export")
def export_knowledge(
    out: Annotated[Path | None, typer.Option(help="The file, JSONL; without it, standard output.")] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """Write all documents as JSONL, as `livecart knowledge import` takes them: a backup before edits.

    Example: `livecart knowledge export --out knowledge.jsonl`
    """
    if out is not None and out.exists() and not force:
        fail(f"{out} exists; --force overwrites it.", code=2)
    with server(url, key) as http:
        lines = [json.dumps({field: value for field, value in row.items() if value is not None}, ensure_ascii=False) for row in _held(http)]
    text = "".join(f"{line}\n" for line in lines)
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
        typer.echo(f"{out}: {len(lines)} documents")


def _read(file: Path, options: "ReadOptions") -> "list[Row]":
    """The file's documents, each checked as the server will; a file or row that is refused ends the command."""
    from deployments.knowledge.reading import READ_AS_TEXT, check_size, read_documents

    suffix = file.suffix.lower()
    if suffix not in READ | READ_AS_TEXT:
        fail(f"{file} ends in {suffix or 'nothing'}; {', '.join(sorted(READ | READ_AS_TEXT))} are read.")
    try:
        check_size(file, options.limits)
        if suffix in READ:
            documents = _documents_of_rows(list(read_rows(file, to_document, encoding=options.encoding)), options)
        else:
            with progress_bar() as bar:
                task = bar.add_task(f"reading {file.name}", total=None)
                documents = read_documents(file, options, lambda done, of: bar.update(task, completed=done, total=of))
    except (FileRefusedError, RowError) as error:
        fail(str(error))
    _check(documents, file)
    return documents


def _documents_of_rows(rows: "Sequence[Row]", options: "ReadOptions") -> "list[Row]":
    """Rows with what they left out: kind, product, and an id made of the file's name and of the question, or of the text."""
    from deployments.knowledge.naming import file_key, numbered

    if len(rows) > options.limits.max_passages:
        raise FileRefusedError(f"{len(rows)} rows; at most {options.limits.max_passages} are taken (--max-passages).")
    ids = numbered(file_key(options.name, options.product_id), (_words_of(row) for row in rows))
    given = {"product_id": options.product_id, "language": options.language}
    defaults = {field: value for field, value in given.items() if value}
    kinds = ("qa" if "question" in row and "answer" in row else "document" for row in rows)
    return [{"document_id": own, "kind": kind, **defaults, **row} for own, kind, row in zip(ids, kinds, rows, strict=True)]


def _words_of(row: "Row") -> str:
    said = row.get("question") or row.get("text") or row.get("answer") or ""
    return f"{row.get('product_id') or ''}\0{said}"


def _check(documents: "Sequence[Row]", file: Path) -> None:
    from pydantic import ValidationError

    from livecart_client import wire

    for number, row in enumerate(documents, start=1):
        try:
            wire.Document.model_validate(row)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(map(str, found["loc"])) or "the row"
            fail(f"{file}, row {number}: {place}: {found['msg'].removeprefix('Value error, ')}. Nothing was sent.")


def _show(file: Path, documents: "Sequence[Row]", *, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(file), "documents": len(documents), "passages": documents})
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("id", "kind", "product", "text", "bytes", box=None)
    for row in documents:
        text = row.get("text") or f"{row.get('question')} → {row.get('answer')}"
        shown = " ".join(str(text).split())
        cells = (row["document_id"], row["kind"], row.get("product_id") or "", shown if len(shown) <= PREVIEW else f"{shown[:PREVIEW]}…")
        table.add_row(*map(Text, map(str, cells)), str(len(str(text).encode())))
    console = Console()
    console.print(table)
    console.print(f"{file}: {len(documents)} documents; nothing was sent", markup=False, highlight=False)


def _remove_others(url: str, key: str, options: "ReadOptions", documents: "Sequence[Row]") -> int:
    """Remove what this file's name made before and makes no longer; rows that name their own ids are never removed."""
    from urllib.parse import quote

    from deployments.knowledge.naming import file_key

    begin = file_key(options.name, options.product_id) + ":"
    kept = {row["document_id"] for row in documents}
    with server(url, key) as http:
        stale = [row["document_id"] for row in _held(http) if row["document_id"].startswith(begin) and row["document_id"] not in kept]
        for document_id in stale:
            response = http.delete(f"/v1/knowledge/{quote(document_id, safe='')}")
            if response.status_code != NOT_FOUND:  # somebody else removed it
                response.raise_for_status()
    return len(stale)


def _held(http: "httpx.Client") -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        params = {"limit": str(PAGE), **({"cursor": cursor} if cursor else {})}
        page = http.get("/v1/knowledge", params=params).raise_for_status().json()
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return
