"""A source read in a thread of its own: it waits for nobody when it is live, and is waited for when it is a file."""

import queue
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from deployments.video.reading import Source, TimedFrame

AHEAD_FRAMES = 32
POLL_S = 0.2
LEAVE_S = 1.0  # how long leaving waits for a reader that waits for the network


class Feed:
    """Iterate over the frames; `stop` ends that early. A live source's frames that find no room are skipped and counted."""

    def __init__(self, source: Source, stop: threading.Event) -> None:
        self.skipped = 0
        self._source = source
        self._stop = stop
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
                if not self._offer(frame, patient=not self._source.is_live):
                    self.skipped += 1
        except Exception as error:  # noqa: BLE001  # raised again where the frames are read
            end = error
        finally:
            self._source.close()
            self._offer(end, patient=True)

    def _offer(self, item: TimedFrame | Exception | None, *, patient: bool) -> bool:
        while not self._is_over():
            try:
                self._frames.put(item, timeout=POLL_S if patient else 0)
            except queue.Full:
                if not patient:
                    return False
            else:
                return True
        return False

    def _is_over(self) -> bool:
        return self._left.is_set() or self._stop.is_set()
