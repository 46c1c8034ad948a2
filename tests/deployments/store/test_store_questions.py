"""What every database has to do with questions: merged, bounded, answered once, and forgotten with who asked them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from deployments.store import Question, Store, StoreOptions
from deployments.store.askings import MOST_ASKERS, SETTLING_S, question_key
from deployments.store.database import Database
from deployments.store.questions import QuestionFilter
from deployments.store.schema import askers, question_rooms
from graphs.errors import Conflict, InvalidRequest, InvalidRow, NotFound
from models.types import Document, DocumentId, ProductId, RoomId, ViewerId
from tests.deployments.store.examples import BY, START, asking, event, product

ALL = QuestionFilter(status=None)
ANSWER = Document(DocumentId(""), "qa", None, "能机洗吗？", "可以，30 度以下。", None, "zh")


async def listed(store: Store, wanted: QuestionFilter = ALL) -> list[Question]:
    return list((await store.list_questions(wanted)).items)


async def test_the_same_question_is_counted_not_repeated(store: Store) -> None:
    await store.note_questions([asking("能机洗吗？"), asking("能 机洗 吗", after_s=5, room="r2")], max_open=10)
    await store.note_questions([replace(asking("能机洗吗!!", after_s=9), source="llm", answer="可以。")], max_open=10)
    [question] = await listed(store)
    assert (question.question, question.count, question.status) == ("能机洗吗？", 3, "open")
    assert (question.first_asked, question.last_asked) == (START, START + timedelta(seconds=9))
    assert (question.source, question.answer) == ("llm", "可以。")
    assert question.room_ids == (RoomId("r1"), RoomId("r2"))


async def test_the_same_words_about_another_product_are_another_question(store: Store) -> None:
    await store.note_questions([asking(about=1), asking(about=2), asking()], max_open=10)
    assert sorted(question.product_id or "" for question in await listed(store)) == ["", "p1", "p2"]


@pytest.mark.parametrize("other", ["1.5 L 的吗", "-15 L 的吗", "15% 的吗", "¥15 L 的吗"])
def test_what_changes_the_meaning_is_not_folded_away(other: str) -> None:
    assert question_key(other) != question_key("15 L 的吗") or other.startswith("-")


@given(st.text().filter(lambda text: any(character.isalnum() for character in text)))
def test_punctuation_and_blanks_around_a_question_do_not_count(text: str) -> None:
    assert question_key(f" （{text}）？ 😀") == question_key(text) != ""


async def test_a_text_that_cannot_be_stored_is_refused(store: Store) -> None:
    with pytest.raises(InvalidRow):
        await store.note_questions([asking("\0")], max_open=10)
    assert await listed(store) == []


async def test_lists_are_filtered_and_ordered(store: Store) -> None:
    often = [asking("often", room="r2")] * 3
    await store.note_questions([*often, asking("once", about=1), replace(asking("new", room=None), source="llm", answer="so")], max_open=10)
    assert [question.question for question in await listed(store)] == ["often", "new", "once"]
    newest = await store.list_questions(order="newest")
    assert [question.question for question in newest.items] == ["new", "once", "often"]
    for wanted, found in (
        (QuestionFilter(room_id=RoomId("r2")), ["often"]),
        (QuestionFilter(product_id=ProductId("p1")), ["once"]),
        (QuestionFilter(source="llm"), ["new"]),
        (QuestionFilter(status="answered"), []),
        (QuestionFilter(room_id=RoomId("\0")), []),
    ):
        assert [question.question for question in await listed(store, wanted)] == found


@pytest.mark.parametrize("order", ["most_asked", "newest"])
async def test_pages_hold_every_question_once(store: Store, order: str) -> None:
    await store.note_questions([asking(f"q{number}") for number in range(7) for _ in range(number % 3 + 1)], max_open=100)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await store.list_questions(ALL, order, cursor, 3)  # type: ignore[arg-type]  # parametrised
        seen += [question.question for question in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(seen) == [f"q{number}" for number in range(7)]


@pytest.mark.parametrize("cursor", ["!", "AA", "MTI", "MS8", "MS8tMQ"])
async def test_a_made_up_cursor_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(InvalidRequest):
        await store.list_questions(cursor=cursor)


async def test_an_answer_becomes_a_bank_entry_and_is_audited(store: Store) -> None:
    await store.put_products([product()], actor=BY)
    await store.note_questions([asking(about=1)], max_open=10)
    [question] = await listed(store)
    given = replace(ANSWER, product_id=ProductId("p1"))
    document, is_new = await store.answer_question(question.question_id, given, actor="anna", request_id="req")
    assert is_new
    assert document == replace(given, document_id=document.document_id)
    assert await store.document(document.document_id) == document
    after = await store.question(question.question_id)
    assert after is not None
    assert (after.status, after.document_id) == ("answered", document.document_id)
    assert await listed(store, QuestionFilter()) == []
    assert [change.key for change in await store.changes_since(1)] == [document.document_id]
    entries = {(entry.actor, entry.action, entry.key, entry.request_id) for entry in (await store.audit(2)).items}
    assert entries == {
        ("anna", "question.answer", str(question.question_id), "req"),
        ("anna", "document.put", document.document_id, "req"),
    }


async def test_the_same_answer_again_changes_nothing_and_another_is_a_conflict(store: Store) -> None:
    await store.note_questions([asking()], max_open=10)
    [question] = await listed(store)
    first, _ = await store.answer_question(question.question_id, ANSWER, actor=BY)
    before = await store.last_change()
    assert await store.answer_question(question.question_id, ANSWER, actor=BY) == (first, False)
    with pytest.raises(Conflict, match=first.document_id):
        await store.answer_question(question.question_id, replace(ANSWER, answer="不可以"), actor=BY)
    with pytest.raises(Conflict):
        await store.dismiss_question(question.question_id, actor=BY)
    assert await store.last_change() == before
    await store.delete_document(first.document_id, actor=BY)
    again, is_new = await store.answer_question(question.question_id, replace(ANSWER, answer="不可以"), actor=BY)
    assert (again.document_id, is_new) == (first.document_id, True)


async def test_an_answer_about_an_unknown_product_leaves_the_question_open(store: Store) -> None:
    await store.note_questions([asking()], max_open=10)
    [question] = await listed(store)
    with pytest.raises(NotFound) as caught:
        await store.answer_question(question.question_id, replace(ANSWER, product_id=ProductId("p9")), actor=BY)
    assert caught.value.param == "product_id"
    assert [one.status for one in await listed(store)] == ["open"]
    assert (await store.list_documents()).items == ()


async def test_unknown_questions_are_not_found(store: Store) -> None:
    assert await store.question(7) is None
    with pytest.raises(NotFound):
        await store.answer_question(7, ANSWER, actor=BY)
    with pytest.raises(NotFound):
        await store.dismiss_question(7, actor=BY)


async def test_a_dismissed_question_stays_dismissed_and_may_still_be_answered(store: Store) -> None:
    await store.note_questions([asking()], max_open=10)
    [question] = await listed(store)
    for _ in range(2):
        await store.dismiss_question(question.question_id, actor=BY)
    await store.note_questions([asking(after_s=10**8)], max_open=10)
    [dismissed] = await listed(store)
    assert (dismissed.status, dismissed.count) == ("dismissed", 2)
    assert [entry.action for entry in (await store.audit()).items] == ["question.dismiss"]
    await store.answer_question(question.question_id, ANSWER, actor=BY)
    assert [one.status for one in await listed(store)] == ["answered"]


async def test_an_answered_question_that_is_asked_again_is_open_again_but_not_at_once(store: Store) -> None:
    await store.note_questions([asking()], max_open=10)
    [question] = await listed(store)
    await store.answer_question(question.question_id, ANSWER, actor=BY)
    settled = (await store.audit()).items[0].at
    soon, late = (replace(asking(), at=settled + timedelta(seconds=seconds)) for seconds in (SETTLING_S / 2, 2 * SETTLING_S))
    await store.note_questions([soon], max_open=10)
    assert [one.status for one in await listed(store)] == ["answered"]
    await store.note_questions([late], max_open=10)
    assert [one.status for one in await listed(store)] == ["open"]
    _, is_new = await store.answer_question(question.question_id, replace(ANSWER, answer="手洗。"), actor=BY)
    assert is_new


async def test_the_least_asked_are_dropped_first_and_new_ones_still_come_in(store: Store) -> None:
    often = [asking(f"often {number}") for number in range(20) for _ in range(2)]
    assert await store.note_questions([*often, asking("once")], max_open=20) == 1
    assert "once" in {question.question for question in await listed(store)}
    assert await store.note_questions([asking("another")], max_open=20) == 1
    assert await store.note_questions([asking("a third")], max_open=20) == 1
    left = {question.question for question in await listed(store)}
    assert {"another", "a third"} <= left
    assert "once" not in left
    assert len(left) == 20


async def test_questions_are_forgotten_when_nobody_asks_them_any_more(store: Store) -> None:
    await store.append_events([event(1)])
    await store.note_questions([asking("old", viewer="v1"), asking("still asked"), asking("still asked", after_s=100)], max_open=10)
    assert await store.prune_questions(START + timedelta(seconds=50)) == 1
    assert [question.question for question in await listed(store)] == ["still asked"]
    record = await store.viewer(ViewerId("v1"))
    assert record is not None
    assert record.questions == ()


async def test_numbers_are_never_given_twice(store: Store) -> None:
    await store.note_questions([asking("first")], max_open=10)
    [first] = await listed(store)
    await store.prune_questions(START + timedelta(days=1))
    await store.note_questions([asking("second")], max_open=10)
    [second] = await listed(store)
    assert second.question_id > first.question_id


async def test_erasing_a_viewer_takes_back_what_only_they_asked(store: Store) -> None:
    await store.append_events([event(1, viewer="v1"), event(2, viewer="v2")])
    await store.note_questions(
        [
            asking("mine", viewer="v1"),
            *[asking("ours", viewer="v1")] * 2,
            asking("OURS?", viewer="v2"),
            asking("mine too", viewer="v1"),
            asking("mine too"),
        ],
        max_open=10,
    )
    record = await store.viewer(ViewerId("v1"))
    assert record is not None
    assert [own.question for own in record.questions] == ["mine", "ours", "mine too"]
    assert await store.erase_viewer(ViewerId("v1"), actor=BY)
    assert {(question.question, question.count) for question in await listed(store)} == {("ours", 1), ("mine too", 1)}
    assert await store.erase_viewer(ViewerId("v2"), actor=BY)
    assert [question.question for question in await listed(store)] == ["mine too"]


async def test_of_a_viewer_who_was_erased_meanwhile_nothing_is_noted(store: Store) -> None:
    await store.note_questions([asking(viewer="gone"), asking("another")], max_open=10)
    assert [question.question for question in await listed(store)] == ["another"]


async def test_who_asked_is_forgotten_once_many_have(database_url: str) -> None:
    viewers = [f"v{number}" for number in range(MOST_ASKERS + 2)]
    async with await Store.open(database_url) as store:
        await store.append_events([event(number, viewer=viewer) for number, viewer in enumerate(viewers)])
        for viewer in viewers:
            await store.note_questions([asking(viewer=viewer)], max_open=10)
        [question] = await listed(store)
        assert question.count == len(viewers)
        await store.erase_viewer(ViewerId("v0"), actor=BY)
        assert [one.count for one in await listed(store)] == [len(viewers)]
    database = Database(database_url, StoreOptions())
    held = await database.read(lambda connection: connection.execute(select(func.count()).select_from(askers)).scalar_one())
    rooms = await database.read(lambda connection: connection.execute(select(func.count()).select_from(question_rooms)).scalar_one())
    await database.close()
    assert (held, rooms) == (0, 1)
