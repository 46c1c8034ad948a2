"""PDFs: read with their layout, and refused with a reason where there is nothing to read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deployments.knowledge.limits import FileRefusedError, ReadLimits
from deployments.knowledge.passages import passages_of
from deployments.knowledge.pdf import pdf_blocks
from tests.deployments.knowledge.pdfs import HEAD, Line, bomb, encrypted, pdf, picture_only

BODY: list[Line] = [
    ("保温杯说明书", 20),
    ("第一章 清洗", 15),
    ("首次使用前请用温水清洗杯身，不要使用含氯的清洁剂，", 11),
    ("以免腐蚀内胆。清洗后倒置晾干。", 11),
    ("容量 500 ml", 11),
    ("材质 304 不锈钢", 11),
    ("1.2 保温", 11),
    ("The cup keeps drinks warm for twelve hours when the lid is clo-", 11),
    ("sed tightly and the cup was warmed up with hot water before use.", 11),
    ("问：可以机洗吗？", 11),
    ("答：不可以，请手洗。", 11),
]


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        (tmp_path / "manual.pdf").write_bytes(content)
        return tmp_path / "manual.pdf"

    return write


def test_headings_paragraphs_rows_and_questions_are_found(file: Callable[[bytes], Path]) -> None:
    passages = passages_of(pdf_blocks(file(pdf(BODY)), ReadLimits()), 360)
    assert [(passage.question, passage.text) for passage in passages] == [
        (
            None,
            "保温杯说明书 / 第一章 清洗: 首次使用前请用温水清洗杯身，不要使用含氯的清洁剂，以免腐蚀内胆。清洗后倒置晾干。"
            "\n容量 500 ml\n材质 304 不锈钢",
        ),
        ("可以机洗吗？", "不可以，请手洗。"),
        (
            None,
            "保温杯说明书 / 第一章 清洗 / 1.2 保温: The cup keeps drinks warm for twelve hours when the lid is closed tightly "
            "and the cup was warmed up with hot water before use.",
        ),
    ]


def test_headers_footers_and_page_numbers_are_left_out_and_pages_are_counted(file: Callable[[bytes], Path]) -> None:
    pages: list[list[Line]] = [
        [(f"Thermos Ltd., confidential, {number}", 9), (f"This is what page {number * 'x'} says about the cup.", 11), (f"- {number} -", 9)]
        for number in range(1, 5)
    ]
    seen: list[tuple[int, int]] = []
    blocks = pdf_blocks(file(pdf(*pages)), ReadLimits(), on_page=lambda done, of: seen.append((done, of)))
    assert [block.text for block in blocks] == [f"This is what page {number * 'x'} says about the cup." for number in range(1, 5)]
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_an_encrypted_file_needs_its_password_unless_it_is_empty(file: Callable[[bytes], Path]) -> None:
    password = "it is warm"  # noqa: S105  # of a file made here
    locked = file(encrypted(pdf(BODY), password))
    for wrong in ("", "guess"):
        with pytest.raises(FileRefusedError, match="password"):
            pdf_blocks(locked, ReadLimits(), password=wrong)
    assert pdf_blocks(locked, ReadLimits(), password=password)[0].text == "保温杯说明书"
    assert pdf_blocks(file(encrypted(pdf(BODY), "")), ReadLimits())[0].text == "保温杯说明书"


@pytest.mark.parametrize(
    ("content", "limits", "said"),
    [
        (picture_only(3), ReadLimits(), "OCR"),
        (pdf(BODY)[:2_000], ReadLimits(), "cut off"),
        (b"hello", ReadLimits(), "no PDF"),
        (b"", ReadLimits(), "no PDF"),
        (HEAD + b"x" * 3_000 + b"%%EOF", ReadLimits(), "damaged"),
        (pdf(BODY).replace(b"/Kids [6 0 R]", b"/Kids [2 0 R]"), ReadLimits(), "damaged"),
        (pdf([("\ue001\ue002\ue003", 11)]), ReadLimits(), "which characters"),
        (pdf(), ReadLimits(), "no page"),
        (pdf(BODY, BODY, BODY), ReadLimits(max_pages=2), "--max-pages"),
        (pdf(BODY, BODY), ReadLimits(max_characters=100), "characters of text"),
        (pdf(BODY), ReadLimits(timeout_s=0.05), "--timeout"),
        (bomb(300), ReadLimits(), "decompressed"),
    ],
    ids=["scanned", "cut off", "text", "empty", "garbage", "cycle", "odd fonts", "no pages", "pages", "characters", "slow", "bomb"],
)
def test_what_cannot_be_read_is_refused_with_a_reason(file: Callable[[bytes], Path], content: bytes, limits: ReadLimits, said: str) -> None:
    with pytest.raises(FileRefusedError, match=said) as refused:
        pdf_blocks(file(content), limits)
    assert "manual.pdf" in str(refused.value)


def test_memory_is_bounded(file: Callable[[bytes], Path]) -> None:
    with pytest.raises(FileRefusedError, match=r"MiB|ended the process|decompressed"):
        pdf_blocks(file(bomb(60)), ReadLimits(memory_mib=110))
