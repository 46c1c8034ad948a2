"""Which frames of a video are sent: at most so many a second of its own time."""

EPSILON_S = 1e-3  # time stamps are rounded to the container's clock


class Sampler:
    """Takes the first frame, then each that is at least `1 / fps` seconds later than the last one taken.

    >>> sampler = Sampler(fps=2)
    >>> [sampler.takes(time_s) for time_s in (0.0, 0.3, 0.5, 0.9, 1.4)]
    [True, False, True, False, True]
    """

    def __init__(self, fps: float) -> None:
        if not fps > 0:
            raise ValueError(f"frames a second must be a positive number, not {fps}")
        self._pause_s = 1 / fps
        self._taken_s: float | None = None

    def takes(self, time_s: float) -> bool:
        if self._taken_s is not None and time_s < self._taken_s + self._pause_s - EPSILON_S:
            return False
        self._taken_s = time_s
        return True
