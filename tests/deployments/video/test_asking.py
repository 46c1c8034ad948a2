"""Frames to the server and back: in order, few at once, patient with files and not with streams."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from deployments.video.asking import AT_ONCE, SENT_PX, Asker, as_jpeg
from deployments.video.reading import TimedFrame, open_source
from tests.deployments.video.eye import Eye
from tests.deployments.video.films import film, scenes, steady


@pytest.fixture
def frames(tmp_path: Path) -> list[TimedFrame]:
    source = open_source(str(film(tmp_path / "film.mkv", steady(1), scenes(("red", 0.45), ("blue", 9)))))
    found = list(source.frames())
    source.close()
    return found


@pytest.fixture
def http(eye: Eye) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=eye.url) as client:
        yield client


def test_answers_come_in_the_order_of_the_frames(eye: Eye, http: httpx.Client, frames: list[TimedFrame]) -> None:
    with Asker(http, room="room-1") as asker:
        for frame in frames:
            asker.ask(frame)
        answers = asker.answers(leaving=0)
    assert [answer.time_s for answer in answers] == [frame.time_s for frame in frames]
    products = [answer.reply.products[0].matches[0].product_id for answer in answers if answer.reply]
    assert products == ["red"] * 5 + ["blue"] * 5
    assert all(b"room-1" in body for body in eye.bodies)


def test_it_says_when_enough_are_under_way(eye: Eye, http: httpx.Client, frames: list[TimedFrame]) -> None:
    eye.takes_s = 0.2
    with Asker(http) as asker:
        for index, frame in enumerate(frames[:AT_ONCE]):
            assert asker.is_busy == (index >= AT_ONCE)
            asker.ask(frame)
        assert asker.is_busy
        assert len(asker.answers(leaving=1)) >= AT_ONCE - 1
        assert not asker.is_busy


def test_a_busy_server_is_asked_again_for_a_file(eye: Eye, http: httpx.Client, frames: list[TimedFrame]) -> None:
    eye.busy = 2
    with Asker(http) as asker:
        asker.ask(frames[0])
        (answer,) = asker.answers(leaving=0)
    assert answer.reply is not None
    assert len(eye.bodies) == 3


def test_a_busy_server_costs_a_stream_its_frame(eye: Eye, http: httpx.Client, frames: list[TimedFrame]) -> None:
    eye.busy = 1
    with Asker(http, is_live=True) as asker:
        asker.ask(frames[0])
        (answer,) = asker.answers(leaving=0)
    assert answer.reply is None
    assert len(eye.bodies) == 1


def test_a_refusal_comes_out(eye: Eye, http: httpx.Client, frames: list[TimedFrame]) -> None:
    eye.fails_after = 0
    with Asker(http) as asker:
        asker.ask(frames[0])
        with pytest.raises(httpx.HTTPStatusError):
            asker.answers(leaving=0)


def test_large_frames_are_shrunk_and_their_boxes_are_not(eye: Eye, http: httpx.Client, tmp_path: Path) -> None:
    wide = film(tmp_path / "wide.mkv", [0.0], scenes(("red", 9), size=(2 * SENT_PX, 120)))
    source = open_source(str(wide))
    with Asker(http) as asker:
        asker.ask(next(source.frames()))
        (answer,) = asker.answers(leaving=0)
    source.close()
    assert eye.seen == [(SENT_PX, 60)]
    assert answer.reply is not None
    assert answer.reply.products[0].box == (0, 0, SENT_PX, 120)
    assert (answer.reply.frame.width, answer.reply.frame.height) == (2 * SENT_PX, 120)


@pytest.mark.parametrize("size", [(1, 1), (5000, 1), (640, 480)])
def test_any_picture_becomes_a_jpeg(size: tuple[int, int]) -> None:
    assert as_jpeg(Image.new("RGB", size)).startswith(b"\xff\xd8\xff")
