"""A whole video or stream: sampled, recognised, followed, drawn. Frames wait until the next recognised one tells where things go."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from deployments.video.asking import AT_ONCE, Answer, Asker
from deployments.video.boxes import Sample, Tracks
from deployments.video.drawing import draw_products
from deployments.video.fonts import Font
from deployments.video.reading import TimedFrame
from deployments.video.sampling import Sampler
from deployments.video.timeline import Timeline
from deployments.video.writing import VideoWriter
from graphs.watching.watcher import Watch

MOST_HELD_BYTES = 512 * 1024 * 1024


@dataclass(slots=True)
class Counts:
    read: int = 0
    sent: int = 0
    answered: int = 0
    dropped: int = 0
    length_s: float = 0.0


class Recognition:
    """One run over one source."""

    def __init__(
        self,
        asker: Asker,
        *,
        fps: float,
        is_live: bool,
        writer: VideoWriter | None = None,
        font: Font | None = None,
        most_held_bytes: int = MOST_HELD_BYTES,
    ) -> None:
        self.counts = Counts()
        self.timeline = Timeline()
        self._asker = asker
        self._sampler = Sampler(fps)
        self._is_live = is_live
        self._writer = writer
        self._font = font
        self._watch = Watch()
        self._tracks = Tracks(hold_s=2 / fps)
        self._held: deque[TimedFrame] = deque()
        self._held_bytes = 0
        self._most_held_bytes = most_held_bytes

    def run(self, frames: Iterable[TimedFrame], progress: Callable[[float], None]) -> None:
        """Take the frames as they come and call `progress` with their times. What was read is drawn and told also when asking fails."""
        try:
            for frame in frames:
                self._take(frame)
                progress(frame.time_s)
            self._learn(self._asker.answers(leaving=0))
        finally:
            self.timeline.note_displays(self._watch.close(self.counts.length_s).shown)
            self._write(until_s=float("inf"))

    def _take(self, frame: TimedFrame) -> None:
        self.counts.read += 1
        self.counts.length_s = frame.time_s
        if self._sampler.takes(frame.time_s):
            self._send(frame)
        self._learn(self._asker.answers(leaving=AT_ONCE))
        if self._writer is not None:
            self._held.append(frame)
            self._held_bytes += frame.size_bytes
            self._write(until_s=self._tracks.known_until_s)

    def _send(self, frame: TimedFrame) -> None:
        if self._is_live and self._asker.is_busy:
            self.counts.dropped += 1
            return
        self.counts.sent += 1
        self._asker.ask(frame)

    def _learn(self, answers: list[Answer]) -> None:
        for answer in answers:
            if answer.reply is None:
                self.counts.sent -= 1
                self.counts.dropped += 1
                continue
            self.counts.answered += 1
            update = self._watch.see(answer.reply, answer.time_s)
            self.timeline.note_titles(answer.reply)
            self.timeline.note_displays(update.shown)
            self._tracks.add(Sample(answer.time_s, update.in_frame))

    def _write(self, *, until_s: float) -> None:
        """Draw and write what is held up to a time, and more when too much is held."""
        while self._writer is not None and self._held:
            if self._held[0].time_s > until_s and self._held_bytes <= self._most_held_bytes:
                return
            frame = self._held.popleft()
            self._held_bytes -= frame.size_bytes
            picture = frame.picture()
            if self._font is not None:
                draw_products(picture, self._tracks.at(frame.time_s), self._font)
            self._writer.write(picture, frame.time_s)
