"""Ctrl-C once stops in order, twice in a hurry; TERM and HUP are the same as Ctrl-C."""

import ctypes
import signal
import threading
from types import FrameType

PR_SET_CHILD_SUBREAPER = 36
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """The first signal raises KeyboardInterrupt in the main thread; later ones only set `hurry`, so that stopping is not torn apart."""

    def __init__(self) -> None:
        self.requested = threading.Event()
        self.hurry = threading.Event()

    def install(self) -> None:
        """Takes the handlers, also from a library that took them (Ray does)."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._handle)

    def stopping(self) -> None:
        """From here on no signal raises."""
        self.requested.set()

    def check(self) -> None:
        """Raises the KeyboardInterrupt that a destructor or a C call swallowed."""
        if self.requested.is_set():
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested.is_set():
            self.hurry.set()
            return
        self.requested.set()
        raise KeyboardInterrupt


def adopt_orphans() -> None:
    """Descendants whose parents die become this process's children, where the sweep finds them."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
