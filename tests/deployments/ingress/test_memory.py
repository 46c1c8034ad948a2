"""What is kept of a room for whoever comes back: bounded in number and in time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.ingress.session.memory import MOST_REPLIES, MOST_UNANSWERED, Memories
from graphs.errors import Conflict
from livecart_client import wire
from models.types import RoomId
from tests.deployments.ingress.camera import Clock

KEEP_S = 60.0
ROOM = RoomId("R-1")
LABEL = wire.LabelScore(label="spec", score=1.0)


def reply(number: int) -> wire.SessionReply:
    return wire.SessionReply(
        comment_id=f"C-{number}",
        answer=f"answer {number}",
        grounded=True,
        abstained=False,
        source="bank",
        citations=[],
        intent=LABEL,
        sentiment=LABEL,
        product_ids=[],
        ai_generated=False,
        degraded=False,
    )


def asked(number: int) -> wire.SessionComment:
    return wire.SessionComment(type="comment", comment_id=f"C-{number}", viewer_id="V-1", text="?")


@given(st.lists(st.tuples(st.integers(0, 200), st.floats(0, 30)), max_size=150))
def test_the_latest_replies_are_kept_for_their_time(given_replies: list[tuple[int, float]]) -> None:
    clock = Clock()
    with Memories(clock).of(ROOM, keep_s=KEEP_S) as memory:
        last_s: dict[int, float] = {}
        for number, later_s in given_replies:
            clock.now_s += later_s
            memory.answered(asked(number), reply(number))
            last_s[number] = clock.now_s
        known = {number for number in range(201) if memory.reply(asked(number)) is not None}
        assert len(known) <= MOST_REPLIES
        assert known <= {number for number, at_s in last_s.items() if at_s >= clock.now_s - KEEP_S}
        assert not last_s or given_replies[-1][0] in known


@given(st.integers(0, 3 * MOST_UNANSWERED))
def test_comments_that_were_left_are_given_once_in_order_the_latest_of_too_many(count: int) -> None:
    with Memories(Clock()).of(ROOM, keep_s=KEEP_S) as memory:
        memory.leave(map(asked, range(count)))
        expected = [f"C-{number}" for number in range(max(0, count - MOST_UNANSWERED), count)]
        assert [comment.comment_id for comment in memory.take()] == expected
        assert memory.take() == []


def test_what_was_answered_meanwhile_is_not_left() -> None:
    with Memories(Clock()).of(ROOM, keep_s=KEEP_S) as memory:
        memory.leave([asked(1), asked(2)])
        memory.answered(asked(1), reply(1))
        assert memory.take() == [asked(2)]


@pytest.mark.parametrize("other", [{"viewer_id": "V-2"}, {"text": "!"}])
def test_a_reply_is_given_to_its_own_comment_only(other: dict[str, str]) -> None:
    clock = Clock()
    with Memories(clock).of(ROOM, keep_s=KEEP_S) as memory:
        memory.answered(asked(1), reply(1))
        assert memory.reply(asked(1)) == reply(1)
        with pytest.raises(Conflict):
            memory.reply(asked(1).model_copy(update=other))
        clock.now_s += KEEP_S + 1
        assert memory.reply(asked(1).model_copy(update=other)) is None


def test_what_two_viewers_left_under_one_id_is_all_there() -> None:
    theirs = asked(1).model_copy(update={"viewer_id": "V-2"})
    with Memories(Clock()).of(ROOM, keep_s=KEEP_S) as memory:
        memory.leave([asked(1), theirs])
        memory.answered(asked(1), reply(1))
        assert memory.take() == [theirs]


def test_a_room_is_forgotten_when_its_last_session_is_long_over() -> None:
    clock = Clock()
    memories = Memories(clock)
    with memories.of(ROOM, keep_s=KEEP_S) as first:
        clock.now_s += 10 * KEEP_S
        with memories.of(ROOM, keep_s=KEEP_S) as second:
            assert second is first, "one memory as long as a session lasts"
    clock.now_s += KEEP_S
    with memories.of(ROOM, keep_s=KEEP_S) as third:
        assert third is first
    clock.now_s += KEEP_S + 1
    with memories.of(RoomId("R-2"), keep_s=KEEP_S):
        assert len(memories) == 1
