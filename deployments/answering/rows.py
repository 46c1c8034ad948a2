"""Rows to answer: a question, what is known, and which answers are right."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deployments.ingress.routes.products import product_from
from graphs.reading.slots import detect_language
from livecart_client import wire
from models.types import Document, DocumentId, Language, ModelInputError, Product, ProductId

CURRENCY = "CNY"  # of a price that is a bare number, as in `livecart catalog import`

Text = Annotated[str, Field(min_length=1, max_length=20_000)]


@dataclass(frozen=True, slots=True)
class Row:
    line: int  # of the file, from 1
    question: str
    language: Language
    product: Product | None  # what the question is about, in scope by its id; None: facts alone
    documents: tuple[Document, ...]  # the facts
    accept: tuple[str, ...]  # any of these makes an answer right; empty: nothing known answers, declining is right
    kind: str | None = None  # a label of the file's own, which the report tells apart


class _FactRow(BaseModel):
    """A fact that is no plain sentence: a question with its answer (of the shop, a customer), a named value, or a text."""

    model_config = ConfigDict(extra="ignore")
    question: Text | None = None
    answer: Text | None = None
    name: Text | None = None
    value: Text | None = None
    text: Text | None = None


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore")
    question: Annotated[str, Field(min_length=1, max_length=2_000)]
    facts: list[Text | _FactRow] = []
    product: dict[str, Any] | None = None
    answer: str | None = Field()  # null: nothing known answers
    accept: list[Text] = []
    language: Literal["zh", "en"] | None = None
    kind: str | None = None


def read_rows(path: Path, *, limit: int | None = None) -> list[Row]:
    """The rows of a JSONL file. Raises ModelInputError that names file, line and field."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelInputError(f"{path} cannot be read: {error}") from error
    rows = [_read(line, path, number) for number, line in enumerate(lines, start=1) if line.strip()][:limit]
    if not rows:
        raise ModelInputError(f"{path} holds no row; a line is an object with `question`, `facts` or `product`, `answer` and `accept`")
    return rows


def row_from(values: Mapping[str, object], *, line: int) -> Row:
    """A row from the values of one line. Raises ValueError (pydantic's ValidationError is one) that names the field."""
    read = _Line.model_validate(values)
    if not read.facts and read.product is None:
        raise ValueError("`facts` or `product` is needed")
    accept = tuple(read.accept) if read.answer is not None else ()
    product = _product(read.product, line) if read.product is not None else None
    return Row(
        line=line,
        question=read.question,
        language=read.language or detect_language(read.question),
        product=product,
        documents=tuple(_documents(read.facts, line, product)),
        accept=accept or ((read.answer,) if read.answer else ()),
        kind=read.kind,
    )


def _read(line: str, path: Path, number: int) -> Row:
    try:
        values = json.loads(line)
        if not isinstance(values, dict):
            raise ValueError(f"an object is needed, not {type(values).__name__}")  # noqa: TRY004, TRY301  # named with its line below
        return row_from(values, line=number)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ModelInputError(f"{path}, line {number}, `{place}`: {first['msg']}") from error
    except ValueError as error:
        raise ModelInputError(f"{path}, line {number}: {error}") from error


def _product(values: Mapping[str, Any], line: int) -> Product:
    """As PUT /v1/products reads it; the id and the category, on which no answer hangs, may be missing.

    A price may also be its amount alone ("39.00"), with `currency` beside it where that is another than CNY.
    """
    given = {"category": "other", **values, "product_id": f"row-{line}"}
    if isinstance(given.get("price"), str):
        given["price"] = {"amount": given["price"], "currency": given.pop("currency", CURRENCY)}
    return product_from(wire.Product.model_validate(given))


def _documents(facts: list[str | _FactRow], line: int, product: Product | None) -> Iterator[Document]:
    about = product.product_id if product else ProductId(f"row-{line}")
    for place, fact in enumerate(facts):
        document_id = DocumentId(f"row-{line}-{place}")
        if isinstance(fact, str):
            yield Document(document_id, "document", about, text=fact)
        elif fact.question and fact.answer:
            yield Document(document_id, "qa", about, question=fact.question, answer=fact.answer)
        else:
            named = f"{fact.name}: {fact.value}" if fact.name and fact.value else None
            text = named or fact.text or fact.answer or fact.value
            if text is None:
                raise ValueError(f"facts.{place}: `text`, `question` with `answer`, or `name` with `value` is needed")
            yield Document(document_id, "document", about, text=text)
