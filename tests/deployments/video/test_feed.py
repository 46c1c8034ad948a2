"""Reading ahead: a file loses no frame, a live source loses those that come too late, and stopping is prompt."""

import threading
from pathlib import Path

import pytest

from deployments.video.feed import AHEAD_FRAMES, MOST_BEHIND_S, Feed
from deployments.video.reading import Source, TimedFrame, open_source
from tests.deployments.video.films import film, grey, steady

COUNT = AHEAD_FRAMES * 3


class Clock:
    """Goes on by a fixed step whenever it is read."""

    def __init__(self, step_s: float) -> None:
        self.now_s = 0.0
        self.step_s = step_s

    def __call__(self) -> float:
        self.now_s += self.step_s
        return self.now_s


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return open_source(str(film(tmp_path / "film.mkv", steady(COUNT / 10), grey())))


def live(source: Source) -> Source:
    source.is_live = True
    return source


def test_a_file_waits_for_whoever_reads_it(source: Source) -> None:
    with Feed(source, threading.Event(), Clock(step_s=100)) as feed:
        assert len(list(feed)) == COUNT
    assert feed.skipped == 0


def test_a_live_source_in_time_loses_nothing_though_its_frames_come_in_bursts(source: Source) -> None:
    with Feed(live(source), threading.Event(), Clock(step_s=0.001)) as feed:
        assert len(list(feed)) == COUNT
    assert feed.skipped == 0


def test_a_live_source_that_falls_behind_skips_and_counts(source: Source) -> None:
    step_s = 0.1 + 1.0  # each frame comes a second later than its time says
    with Feed(live(source), threading.Event(), Clock(step_s)) as feed:
        seen = list(feed)
    assert len(seen) == int(MOST_BEHIND_S) + 1
    assert feed.skipped == COUNT - len(seen)


def test_stopping_ends_it_at_once(source: Source) -> None:
    stop = threading.Event()
    seen: list[TimedFrame] = []
    with Feed(source, stop) as feed:
        for frame in feed:
            seen.append(frame)
            stop.set()
    assert len(seen) == 1
    assert [thread.name for thread in threading.enumerate() if thread.name == "video-reader"] == []
