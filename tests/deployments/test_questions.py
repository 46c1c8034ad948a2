"""What is noted of an answer, and how it reaches the store: beside the answer, bounded, and never lost without a word."""

import asyncio
import logging
from pathlib import Path

import pytest

from deployments.questions import QuestionLog, asking_of
from deployments.settings import QuestionSettings
from deployments.store import Store
from deployments.store.questions import QuestionFilter
from graphs.answer import AnswerReply, AnswerRequest
from graphs.moment import MomentReply, MomentRequest
from models.types import Label, ProductId, RoomId, ViewerId
from tests.deployments.store.examples import START, asking

NEUTRAL = Label("neutral", 1.0)


def reply(source: str, *, abstained: bool = False, intent: str = "other", products: tuple[str, ...] = ()) -> AnswerReply:
    about = tuple(map(ProductId, products))
    return AnswerReply("Yes.", source != "none", abstained, source, (), Label(intent, 1.0), NEUTRAL, about, source == "llm")


def test_declined_passed_on_and_generated_answers_are_noted_others_not() -> None:
    request = AnswerRequest("能机洗吗？", RoomId("r1"), viewer_id=ViewerId("v1"))
    declined = asking_of(request, reply("none", abstained=True, products=("p2", "p1")))
    assert declined is not None
    assert (declined.question, declined.source, declined.answer, declined.language) == ("能机洗吗？", "none", None, "zh")
    assert (declined.room_id, declined.product_id, declined.viewer_id) == ("r1", "p2", "v1")
    generated = asking_of(request, reply("llm"))
    assert generated is not None
    assert (generated.source, generated.answer) == ("llm", "Yes.")
    assert asking_of(request, reply("none", intent="complaint")) is not None
    assert asking_of(request, reply("none", intent="greeting")) is None
    assert asking_of(request, reply("bank")) is None
    assert asking_of(request, "something else") is None


def test_the_product_that_was_named_counts_before_those_that_were_cited() -> None:
    noted = asking_of(AnswerRequest("?", product_id=ProductId("p1")), reply("llm", products=("p2",)))
    assert noted is not None
    assert noted.product_id == "p1"


def test_a_comment_beside_a_frame_is_a_question_too() -> None:
    request = MomentRequest(b"", ViewerId("v1"), comment="Is it warm?")
    noted = asking_of(request, MomentReply((), reply("none", abstained=True), ()))
    assert noted is not None
    assert (noted.question, noted.language, noted.viewer_id) == ("Is it warm?", "en", "v1")
    assert asking_of(request, MomentReply((), None, ())) is None


async def test_what_is_noted_is_written_by_the_running_log(tmp_path: Path) -> None:
    async with await Store.open(f"sqlite:///{tmp_path / 'livecart.db'}") as store:
        log = QuestionLog(store, QuestionSettings())
        running = asyncio.create_task(log.run())
        for number in range(3):
            log.note(asking(f"question {number}", after_s=10**8))
            await asyncio.sleep(0)
        for _ in range(1_000):
            if len((await store.list_questions()).items) == 3:
                break
            await asyncio.sleep(0.01)
        running.cancel()
        assert (log.waiting, log.lost, len((await store.list_questions()).items)) == (0, 0, 3)


async def test_what_nobody_asks_any_more_is_forgotten_by_the_running_log(tmp_path: Path) -> None:
    async with await Store.open(f"sqlite:///{tmp_path / 'livecart.db'}") as store:
        await store.note_questions([asking(after_s=0)], max_open=10)
        running = asyncio.create_task(QuestionLog(store, QuestionSettings(keep_days=1)).run())
        for _ in range(1_000):
            if not (await store.list_questions(QuestionFilter(status=None))).items:
                break
            await asyncio.sleep(0.01)
        running.cancel()
        assert (await store.list_questions(QuestionFilter(status=None))).items == ()


async def test_while_the_store_is_away_questions_wait_and_the_oldest_beyond_the_bound_are_counted_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'livecart.db'}")
    log = QuestionLog(store, QuestionSettings(max_waiting=2))
    await store.close()
    with caplog.at_level(logging.WARNING, logger="livecart.questions"):
        running = asyncio.create_task(log.run())
        for number in range(3):
            log.note(asking(str(number)))
        for _ in range(3):
            await asyncio.sleep(0.01)
        running.cancel()
    assert (log.waiting, log.lost) == (2, 1)
    assert "lost" in caplog.text


async def test_one_that_cannot_be_stored_does_not_keep_later_ones_out(tmp_path: Path) -> None:
    async with await Store.open(f"sqlite:///{tmp_path / 'livecart.db'}") as store:
        log = QuestionLog(store, QuestionSettings())
        log.note(asking("\ud800"))
        await log.flush()
        log.note(asking("good"))
        await log.flush()
        assert (log.lost, [item.question for item in (await store.list_questions()).items]) == (1, ["good"])
        assert (await store.list_questions()).items[0].first_asked == START
