"""`livecart recognize` of a video: everything of this package put together."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, takewhile
from pathlib import Path

import httpx

from deployments.video.asking import Asker
from deployments.video.errors import SourceError
from deployments.video.feed import Feed
from deployments.video.fonts import load_font
from deployments.video.reading import Source, TimedFrame, open_source
from deployments.video.recognition import Recognition
from deployments.video.timeline import Outcome
from deployments.video.writing import VideoWriter, check_output

FONT_SHARE = 36  # the frame's shorter side is so many times the font's size
LEAST_FONT_PX = 12


@dataclass(frozen=True, slots=True)
class Wishes:
    source: str
    room: str = ""
    fps: float = 2.0
    seconds: float | None = None  # of the video; None: to its end
    out: Path | None = None
    font: Path | None = None
    force: bool = False


Show = Callable[[float, float | None], None]  # seconds done, of how many if that is known


def recognize_video(wishes: Wishes, http: httpx.Client, stop: threading.Event, show: Show) -> Outcome:
    """Recognise until the source ends, `wishes.seconds` are over or `stop` is set. Raises VideoError, httpx.HTTPError.

    When the server fails on the way, the annotated video is completed with what was recognised; with nothing, it is not written.
    """
    if wishes.out is not None:
        check_output(wishes.out, force=wishes.force, source=wishes.source)
    source = open_source(wishes.source)
    length_s = source.length_s if wishes.seconds is None else min(wishes.seconds, source.length_s or wishes.seconds)
    with Feed(source, stop) as feed:
        first = next(iter(feed), None)
        if first is None:
            raise SourceError(f"no frame came from {wishes.source}{f': {source.damage}' if source.damage else ''}")
        frames = _until(chain([first], feed), wishes.seconds)
        with Asker(http, room=wishes.room, is_live=source.is_live) as asker:
            writer = _writer(wishes, source, first)
            recognition = _recognition(wishes, source, asker, writer, first)
            try:
                recognition.run(frames, lambda time_s: show(time_s, length_s))
            finally:
                _finish(writer, recognition)
    return _outcome(wishes, source, feed, recognition)


def _writer(wishes: Wishes, source: Source, first: TimedFrame) -> VideoWriter | None:
    return None if wishes.out is None else VideoWriter(wishes.out, fps=source.fps, size=first.size)


def _recognition(wishes: Wishes, source: Source, asker: Asker, writer: VideoWriter | None, first: TimedFrame) -> Recognition:
    font = load_font(wishes.font, max(LEAST_FONT_PX, min(first.size) // FONT_SHARE)) if writer else None
    return Recognition(asker, fps=wishes.fps, is_live=source.is_live, writer=writer, font=font)


def _finish(writer: VideoWriter | None, recognition: Recognition) -> None:
    if writer is None:
        return
    if recognition.counts.answered:
        writer.close()
    else:
        writer.discard()


def _until(frames: Iterable[TimedFrame], seconds: float | None) -> Iterator[TimedFrame]:
    return iter(frames) if seconds is None else takewhile(lambda frame: frame.time_s < seconds, frames)


def _outcome(wishes: Wishes, source: Source, feed: Feed, recognition: Recognition) -> Outcome:
    counts = recognition.counts
    return Outcome(
        source=wishes.source,
        length_s=round(counts.length_s, 3),
        frames_read=counts.read,
        frames_sent=counts.sent,
        frames_skipped=feed.skipped,
        frames_dropped=counts.dropped,
        damage=source.damage,
        out=str(wishes.out) if wishes.out is not None and counts.answered else None,
        displays=recognition.timeline.displays,
    )
