"""Markdown and plain text as passages: headings in front, tables as lines, questions with their answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.knowledge.blocks import Block, plain_blocks
from deployments.knowledge.markdown import markdown_blocks
from deployments.knowledge.naming import file_key, passage_ids
from deployments.knowledge.passages import passages_of
from livecart_client import wire


def read(text: str, size: int = 360) -> list[tuple[str | None, str]]:
    return [(passage.question, passage.text) for passage in passages_of(markdown_blocks(text), size)]


def test_a_passage_has_its_headings_in_front() -> None:
    text = "# 说明书\n\n## 清洗\n\n用温水清洗。\n\n不要漂白。\n\n# Care\n\nWash by hand."
    assert read(text) == [(None, "说明书 / 清洗: 用温水清洗。\n不要漂白。"), (None, "Care: Wash by hand.")]


def test_rows_of_a_table_say_what_their_columns_are() -> None:
    text = "## 规格\n\n| 型号 | 容量 | 备注 |\n|---|---|---|\n| A1 | 500 ml | |\n| A2 | **750** ml | 新 |\n"
    assert read(text) == [(None, "规格: 型号: A1; 容量: 500 ml\n型号: A2; 容量: 750 ml; 备注: 新")]


@pytest.mark.parametrize(
    "text",
    [
        "Q: Is it warm?\nA: Yes, for 12 hours.",
        "**Q:** Is it warm?\n\n**A:** Yes, for 12 hours.",
        "Question 1: Is it warm?\n\nAnswer: Yes,\nfor 12 hours.",
        "### Is it warm?\n\nYes, for 12 hours.",
    ],
)
def test_questions_with_answers_are_found(text: str) -> None:
    assert read(text) == [("Is it warm?", "Yes, for 12 hours.")]


def test_chinese_questions_with_answers_are_found_between_other_text() -> None:
    text = "常见问题如下。\n\n问：能机洗吗\n答：可以，\n不要漂白。\n- 30 度以下\n\n问题2：能烘干吗？\n答案：不能。\n\n其他问题请联系客服。"
    assert read(text) == [
        ("能机洗吗", "可以，不要漂白。\n30 度以下"),
        ("能烘干吗？", "不能。"),
        (None, "常见问题如下。\n其他问题请联系客服。"),
    ]


def test_a_question_without_an_answer_is_text() -> None:
    assert read("Q: Is it warm?\n\nQ: Is it blue?\nA: Yes.") == [("Is it blue?", "Yes."), (None, "Is it warm?")]


def test_a_long_section_under_a_question_is_cut_like_any_other() -> None:
    found = read("# How is it made?\n\n" + "It is made by hand in many steps. " * 20)
    assert len(found) > 1
    assert {question for question, _ in found} == {None}
    assert all(text.startswith("How is it made?: ") for _, text in found)


def test_what_is_no_text_for_viewers_is_left_out() -> None:
    text = "---\ntitle: x\n---\n<!-- note to us -->\nSee [the shop](https://example.org/?a=1) <br> and `code`.\n\n<div>In a box</div>\n"
    assert read(text) == [(None, "See the shop  and code.\nIn a box")]


def test_sentences_are_not_cut_when_they_fit() -> None:
    text = "保温十二小时。" * 40
    for _, passage in read(text, 100):
        assert passage.endswith("。")
        assert len(passage.encode()) <= 100


def test_plain_text_has_paragraphs_and_questions_too() -> None:
    blocks = plain_blocks("保温杯\r\n说明\r\n\r\nQ: warm?\r\nA: yes")
    assert [(p.question, p.text) for p in passages_of(blocks, 360)] == [("warm?", "yes"), (None, "保温杯说明")]


WORDS = st.text(st.sampled_from("a 保。.，Q:A：答#|-\n1"), max_size=300)
BLOCKS = st.lists(
    st.builds(Block, st.sampled_from(["heading", "paragraph", "line"]), WORDS.filter(str.strip), st.integers(1, 3)), max_size=8
)


@given(BLOCKS, st.integers(60, 200))
def test_passages_are_within_their_size_and_nothing_is_lost(blocks: list[Block], size: int) -> None:
    passages = passages_of(blocks, size)
    assert all(len(passage.text.encode()) <= size for passage in passages if passage.question is None)
    kept = "".join(f"{' '.join(passage.headings)} {passage.question} {passage.text}" for passage in passages)
    body = {character for block in blocks if block.kind != "heading" for character in block.text if character in "保a1" and passages}
    assert body - set("a1") <= set(kept)


@given(WORDS, st.integers(60, 200))
def test_any_text_is_read(text: str, size: int) -> None:
    passages = passages_of(markdown_blocks(text), size)
    ids = passage_ids("f", passages)
    assert len(set(ids)) == len(ids)


def test_ids_stay_when_a_passage_changes_and_differ_between_files_and_products() -> None:
    def ids(text: str, key: str = file_key("care.md", None)) -> list[str]:
        return passage_ids(key, passages_of(markdown_blocks(text), 360))

    before = ids("# A\n\nold\n\n# B\n\nb\n\nQ: q?\nA: a")
    assert ids("# A\n\nnew\n\n# B\n\nb\n\nQ: q?\nA: another") == before
    assert set(ids("# A\n\nold", file_key("other.md", None))).isdisjoint(before)
    assert set(ids("# A\n\nold", file_key("care.md", "p1"))).isdisjoint(before)


@given(st.text(min_size=1), st.none() | st.text(min_size=1))
def test_every_file_name_gives_ids_that_the_api_takes(name: str, product_id: str | None) -> None:
    for document_id in passage_ids(file_key(name, product_id), passages_of([Block("paragraph", "text")], 360)):
        wire.Document(document_id=document_id, kind="document", text="text")
