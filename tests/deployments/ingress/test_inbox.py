"""Messages by the letter, and the place for the newest frame."""

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.ingress.session.inbox import BadComment, Frame, Newest, read_message
from graphs.errors import InvalidRequest
from livecart_client import wire

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
nearly = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["frame", "comment", "ping"]) | values,
        "base64": values,
        "comment_id": values,
        "viewer_id": values,
        "text": values,
    },
)


@settings(deadline=None)  # a busy machine is no fault
@given(nearly | values)
def test_whatever_is_sent_is_a_message_or_an_error_that_can_be_told(value: object) -> None:
    try:
        message = read_message(json.dumps(value))
    except InvalidRequest as error:
        assert error.message
    else:
        assert isinstance(message, wire.SessionFrame | wire.SessionComment | wire.SessionPing | BadComment)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_message_or_an_error(text: str) -> None:
    with pytest.raises(InvalidRequest):
        read_message(text)


@pytest.mark.parametrize(
    ("text", "param"),
    [
        ('{"type": "frame"}', "base64"),
        ("{}", "type"),
        ('{"type": "dance"}', "type"),
    ],
)
def test_an_error_names_the_field(text: str, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_message(text)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("fields", "comment_id", "param"),
    [
        ({"comment_id": "C-1", "viewer_id": "V-1", "text": 7}, "C-1", "text"),
        ({"comment_id": "C-1", "viewer_id": "V-1", "text": "x" * 2_001}, "C-1", "text"),
        ({"comment_id": "C-1", "viewer_id": "V-1"}, "C-1", "text"),
        ({"comment_id": "C-1", "viewer_id": "a b", "text": "?"}, "C-1", "viewer_id"),
        ({"comment_id": "C-1", "viewer_id": "V-1", "text": "?", "more": 1}, "C-1", "more"),
        ({"comment_id": "a b", "viewer_id": "V-1", "text": "?"}, None, "comment_id"),
        ({"comment_id": 7, "viewer_id": "V-1", "text": "?"}, None, "comment_id"),
        ({}, None, "comment_id"),
    ],
)
def test_a_comment_with_a_bad_field_is_known_by_its_id(fields: dict[str, object], comment_id: str | None, param: str) -> None:
    message = read_message(json.dumps({"type": "comment", **fields}))
    assert isinstance(message, BadComment)
    assert (message.comment_id, message.error.param) == (comment_id, param)


@given(st.integers(1, 30))
def test_all_but_the_newest_are_dropped(count: int) -> None:
    newest = Newest()
    frames = [Frame(bytes([number]), float(number)) for number in range(count)]
    drops = [newest.put(frame) for frame in frames]
    assert drops == [False] + [True] * (count - 1)
    assert newest.dropped == count - 1
    assert newest.take() is frames[-1]
    with pytest.raises(LookupError):
        newest.take()


async def test_who_waits_is_told_of_the_next_frame() -> None:
    newest, frame = Newest(), Frame(b"", 0.0)
    waiting = asyncio.create_task(newest.wait())
    await asyncio.sleep(0)
    assert newest.put(frame) is False
    await waiting
    assert newest.take() is frame
