"""A run over frames: a slow server costs a live source frames and a file none; memory is bounded; failing keeps what there is."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deployments.video.asking import AT_ONCE, Asker
from deployments.video.fonts import load_font
from deployments.video.reading import TimedFrame, open_source
from deployments.video.recognition import Recognition
from deployments.video.writing import VideoWriter
from tests.deployments.video.eye import Eye
from tests.deployments.video.films import film, scenes, steady, stored_frames


@pytest.fixture
def frames(tmp_path: Path) -> list[TimedFrame]:
    source = open_source(str(film(tmp_path / "film.mkv", steady(4), scenes(("red", 2), ("grey", 9)))))
    found = list(source.frames())
    source.close()
    return found


@pytest.fixture
def http(eye: Eye) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=eye.url) as client:
        yield client


def nobody(time_s: float) -> None:
    """Progress that is not shown."""


def test_a_slow_server_costs_a_live_source_frames(eye: Eye, http: httpx.Client, frames: list[TimedFrame]) -> None:
    eye.takes_s = 0.5
    with Asker(http, is_live=True) as asker:
        recognition = Recognition(asker, fps=10, is_live=True)
        recognition.run(frames, nobody)
    assert AT_ONCE <= recognition.counts.sent == len(eye.seen) < 40
    assert recognition.counts.sent + recognition.counts.dropped == 40


def test_a_slow_server_costs_a_file_nothing(eye: Eye, http: httpx.Client, frames: list[TimedFrame]) -> None:
    eye.takes_s, eye.busy = 0.05, 3
    with Asker(http) as asker:
        recognition = Recognition(asker, fps=10, is_live=False)
        recognition.run(frames, nobody)
    assert (recognition.counts.sent, recognition.counts.answered, recognition.counts.dropped) == (40, 40, 0)
    assert [display.product_id for display in recognition.timeline.displays] == ["red"]


@pytest.mark.parametrize("most_held_bytes", [0, 1_000_000_000])
def test_every_frame_is_written_in_its_place_however_little_may_be_held(
    http: httpx.Client, frames: list[TimedFrame], tmp_path: Path, most_held_bytes: int
) -> None:
    out = tmp_path / "out.mkv"
    with Asker(http) as asker, VideoWriter(out, fps=10, size=frames[0].size) as writer:
        font = load_font(None, 12)
        Recognition(asker, fps=1, is_live=False, writer=writer, font=font, most_held_bytes=most_held_bytes).run(frames, nobody)
    assert [time_s for time_s, _ in stored_frames(out)] == pytest.approx([frame.time_s for frame in frames], abs=0.002)


def test_a_display_that_goes_on_ends_with_the_video(http: httpx.Client, frames: list[TimedFrame]) -> None:
    with Asker(http) as asker:
        recognition = Recognition(asker, fps=5, is_live=False)
        recognition.run(frames[:15], nobody)
    (display,) = recognition.timeline.displays
    assert (display.from_s, display.to_s) == pytest.approx((0.0, 1.4), abs=0.2)


def test_when_asking_fails_what_was_learnt_stays(eye: Eye, http: httpx.Client, frames: list[TimedFrame]) -> None:
    eye.fails_after = 12
    with Asker(http) as asker:
        recognition = Recognition(asker, fps=10, is_live=False)
        with pytest.raises(httpx.HTTPStatusError):
            recognition.run(frames, nobody)
    assert [display.product_id for display in recognition.timeline.displays] == ["red"]
