"""A source read in a thread of its own. A file waits until its frames are wanted; a live one only as long as it does not fall behind."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from deployments.video.reading import Source, TimedFrame

AHEAD_FRAMES = 32
POLL_S = 0.2
MOST_BEHIND_S = 15.0  # more than the segments of HLS, whose frames come all at once
LEAVE_S = 1.0  # how long leaving waits for a reader that waits for the network


class Feed:
    """Iterate over the frames; `stop` ends that early. Frames of a live source that come too late are skipped and counted."""

    def __init__(self, source: Source, stop: threading.Event, clock: Callable[[], float] = time.monotonic) -> None:
        self.skipped = 0
        self._source = source
        self._stop = stop
        self._clock = clock
        self._soonest_s = float("inf")  # the least that a frame came after its own time, by our clock
        self._left = threading.Event()
        self._frames: queue.Queue[TimedFrame | Exception | None] = queue.Queue(AHEAD_FRAMES)
        self._reader = threading.Thread(target=self._read, name="video-reader", daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._left.set()
        self._reader.join(LEAVE_S)

    def __iter__(self) -> Iterator[TimedFrame]:
        while not self._stop.is_set():
            try:
                found = self._frames.get(timeout=POLL_S)
            except queue.Empty:
                continue
            if found is None:
                return
            if isinstance(found, Exception):
                raise found
            yield found

    def _read(self) -> None:
        end: Exception | None = None
        try:
            for frame in self._source.frames():
                if self._is_over():
                    break
                if self._source.is_live and self._behind_s(frame) > MOST_BEHIND_S:
                    self.skipped += 1
                else:
                    self._offer(frame)
        except Exception as error:  # noqa: BLE001  # raised again where the frames are read
            end = error
        finally:
            self._source.close()
            self._offer(end)

    def _behind_s(self, frame: TimedFrame) -> float:
        """How much later this frame is read than the promptest one, each measured from its own time."""
        after_s = self._clock() - frame.time_s
        self._soonest_s = min(self._soonest_s, after_s)
        return after_s - self._soonest_s

    def _offer(self, item: TimedFrame | Exception | None) -> None:
        while not self._is_over():
            try:
                self._frames.put(item, timeout=POLL_S)
            except queue.Full:
                continue
            return

    def _is_over(self) -> bool:
        return self._left.is_set() or self._stop.is_set()
