"""Streams taken apart, however they are cut into pieces."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.ingress.sse import event, token_event
from livecart_client import errors, wire
from livecart_client.core.calls import model_of
from livecart_client.core.streams import EventDecoder, StreamReader

parse = model_of(wire.CopyReply)
DONE = {"text": "多少钱 hi", "attributes_used": [], "compliance": {"passed": True, "findings": []}, "degraded": False}
ERROR: dict[str, dict[str, object]] = {
    "error": {"code": "overloaded", "message": "full", "type": "rate_limit_error", "param": None, "details": []}
}


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


@given(st.lists(st.text(st.characters(codec="utf-8"))), st.lists(st.integers(0, 10_000)), st.sampled_from([b"\n", b"\r\n"]))
def test_what_the_server_writes_is_read_in_any_pieces(texts: list[str], places: list[int], end: bytes) -> None:
    sent = b": a comment\n\n" + b"".join(token_event(text) for text in texts) + event("done", json.dumps(DONE).encode())
    reader = StreamReader(parse)
    got = [token for piece in cut(sent.replace(b"\n", end), places) for token in reader.feed(piece)]
    assert got == texts
    assert reader.finish() == wire.CopyReply.model_validate(DONE)


@given(st.binary(), st.binary())
def test_garbage_is_taken_apart_without_a_fall(first: bytes, second: bytes) -> None:
    decoder = EventDecoder()
    for piece in (first, second):
        for name, data in decoder.feed(piece):
            assert isinstance(name, str)
            assert isinstance(data, bytes)


def test_an_error_ends_it_after_the_tokens_before() -> None:
    reader = StreamReader(parse, "req-1")
    tokens: list[str] = []
    with pytest.raises(errors.Overloaded) as found:
        tokens.extend(reader.feed(token_event("a") + event("error", json.dumps(ERROR).encode())))
    assert (found.value.message, found.value.request_id, found.value.status) == ("full", "req-1", None)


def test_a_stream_that_breaks_off_is_an_error() -> None:
    reader = StreamReader(parse)
    assert list(reader.feed(token_event("a"))) == ["a"]
    with pytest.raises(errors.Unreachable):
        reader.finish()


@pytest.mark.parametrize("sent", [b"event: token\ndata: {}\n\n", b"event: done\ndata: not json\n\n", b"event: error\ndata: {}\n\n"])
def test_another_servers_events_are_told_apart(sent: bytes) -> None:
    with pytest.raises(errors.UnexpectedReply):
        list(StreamReader(parse).feed(sent))
