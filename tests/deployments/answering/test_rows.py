"""Rows are read as they are meant, and a bad one is named by its line."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from deployments.answering.rows import read_rows
from models.types import ModelInputError, Money

KETTLE = {"title": "Kettle", "price": {"amount": "39.00", "currency": "USD"}, "attributes": {"Capacity": "1.7 L"}, "stock": 3}


def _written(folder: Path, *lines: object) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return path


def test_a_product_and_facts_of_every_form_are_read(tmp_path: Path) -> None:
    facts = ["Wash by hand.", "Weight: 1 kg", {"question": "Is it loud?", "answer": "No."}, {"name": "Cord", "value": "80 cm"}]
    both, alone = read_rows(
        _written(
            tmp_path,
            {"question": "how big?", "product": KETTLE, "facts": facts, "answer": "1.7 L", "accept": ["1.7l", "1700 ml"]},
            {"question": "多重", "facts": facts, "answer": None},
        )
    )
    assert both.product is not None
    assert both.product.attributes == {"Capacity": "1.7 L"}
    assert {document.product_id for document in both.documents} == {both.product.product_id}
    assert [document.kind for document in both.documents] == ["document", "document", "qa", "document"]
    assert both.accept == ("1.7l", "1700 ml")
    assert (alone.product, alone.accept, alone.language, alone.line) == (None, (), "zh", 2)
    assert alone.documents[3].text == "Cord: 80 cm"


@pytest.mark.parametrize(
    ("price", "means"),
    [
        ({"price": "39.00"}, Money(Decimal("39.00"), "CNY")),
        ({"price": "39.00", "currency": "USD"}, Money(Decimal("39.00"), "USD")),
        ({"price": {"amount": "39.00", "currency": "EUR"}}, Money(Decimal("39.00"), "EUR")),
    ],
)
def test_a_price_is_an_object_or_its_amount_alone(tmp_path: Path, price: dict[str, object], means: Money) -> None:
    (row,) = read_rows(_written(tmp_path, {"question": "how much?", "product": {"title": "Kettle", **price}, "answer": "39"}))
    assert row.product is not None
    assert row.product.price == means


def test_the_answer_is_accepted_where_nothing_else_is_listed(tmp_path: Path) -> None:
    (row,) = read_rows(_written(tmp_path, {"question": "how big?", "facts": ["Size: 3 cm"], "answer": "3 cm"}))
    assert row.accept == ("3 cm",)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("not json", "line 2"),
        ([1], "object"),
        ({"question": "", "facts": ["x"], "answer": None}, "question"),
        ({"question": "a", "answer": None}, "facts"),
        ({"question": "a", "facts": ["x"]}, "answer"),
        ({"question": "a", "facts": [{"name": "x"}], "answer": None}, "facts.0"),
        ({"question": "a", "product": {"title": "T"}, "answer": None}, "price"),
        ({"question": "a", "product": {"title": "T", "price": "a lot"}, "answer": None}, "price"),
        ({"question": "a", "product": {"title": "T", "price": 39.0}, "answer": None}, "price"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, line: object, found: str) -> None:
    good = {"question": "a", "facts": ["x"], "answer": None}
    with pytest.raises(ModelInputError, match=r"line 2") as caught:
        read_rows(_written(tmp_path, good, line))
    assert found in str(caught.value)


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelInputError, match="no row"):
        read_rows(_written(tmp_path))
