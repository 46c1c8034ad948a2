"""Text files in the encodings that shops have."""

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.knowledge.encodings import decoded, encoding_of, file_encoding
from deployments.knowledge.limits import FileRefusedError

FILE = Path("faq.csv")
FAQ = "问题,答案\n能机洗吗？,可以，水温三十度以下。\n多久发货？,四十八小时内发出。\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_chinese_is_read_in_every_usual_encoding(encoding: str) -> None:
    assert decoded(FAQ.encode(encoding), FILE).text == FAQ


def test_traditional_chinese_in_big5_is_told_from_simplified() -> None:
    text = "問題,答案\n請問這個商品可以機洗嗎？,可以，水溫三十度以下，請放入洗衣袋。\n"
    assert decoded(text.encode("big5"), FILE).text == text


def test_a_few_characters_are_taken_for_the_commonest_encoding() -> None:
    assert decoded("保温".encode("gb18030"), FILE).text == "保温"


def test_the_encoding_that_is_named_wins() -> None:
    assert decoded("café".encode("latin-1"), FILE, "latin-1").text == "café"


@pytest.mark.parametrize(
    ("data", "encoding", "said"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", None, "--encoding"),
        (b"PK\x03\x04\x14\0\x08\x08", None, "NUL"),
        ("保温".encode("utf-16-le") + b"a\0", None, "--encoding"),
        (b"\xff\xff\xff", "utf-8", "byte 0"),
        (b"a", "klingon", "no encoding `klingon`"),
    ],
)
def test_what_is_no_text_is_refused_with_what_to_do(data: bytes, encoding: str | None, said: str) -> None:
    with pytest.raises(FileRefusedError, match=said):
        decoded(data, FILE, encoding)


@given(st.text())
def test_utf8_is_always_known_for_what_it_is(text: str) -> None:
    assert encoding_of(text.removeprefix("\ufeff").encode(), FILE) in {"utf-8-sig", "utf-16"}


def test_a_file_of_lines_is_looked_at_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    file.write_bytes(b"a,b\n" * 200_000 + FAQ.encode("gb18030") * 50)
    assert file_encoding(file).lower().startswith("gb")
    file.write_bytes(codecs.BOM_UTF8 + b"a,b\n" * 100_000 + FAQ.encode())
    assert file_encoding(file) == "utf-8-sig"
