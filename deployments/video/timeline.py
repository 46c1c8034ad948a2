"""What a video showed, in order, with times: for the end of `livecart recognize` and its JSON."""

from dataclasses import asdict, dataclass

from graphs.recognize import RecognizeReply
from graphs.watching.watcher import Displayed
from models.types import ProductId


@dataclass(frozen=True, slots=True)
class Display:
    """One product's display; times in seconds from the first frame."""

    order: int
    product_id: ProductId
    title: str
    from_s: float
    to_s: float
    dwell_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a video."""

    source: str
    length_s: float  # of what was read
    frames_read: int
    frames_sent: int
    frames_skipped: int  # of a live stream: this machine was slower than the source
    frames_dropped: int  # of a live stream: due to be sent, but the server was slower than the source
    damage: str | None  # what of the source could not be read
    out: str | None
    displays: tuple[Display, ...]

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


class Timeline:
    """Collects displays as they end, with the titles that the server gave."""

    def __init__(self) -> None:
        self._titles: dict[ProductId, str] = {}
        self._displays: list[Display] = []

    @property
    def displays(self) -> tuple[Display, ...]:
        return tuple(sorted(self._displays, key=lambda display: display.order))

    def note_titles(self, reply: RecognizeReply) -> None:
        self._titles |= {match.product_id: match.title for seen in reply.products for match in seen.matches}

    def note_displays(self, ended: tuple[Displayed, ...]) -> None:
        for display in ended:
            from_s, to_s = (round(max(0.0, time_s), 3) for time_s in (display.began_s, display.ended_s))
            title = self._titles.get(display.product_id, "")
            self._displays.append(Display(display.order, display.product_id, title, from_s, to_s, round(to_s - from_s, 3)))


def clock(time_s: float) -> str:
    """Minutes and seconds.

    >>> clock(83.46)
    '1:23.5'
    """
    tenths = round(time_s * 10)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"
