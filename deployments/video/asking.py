"""Frames to a running server, a few at once, and its answers in the order of the frames."""

import io
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx
from PIL import Image

from deployments.video.reading import TimedFrame
from graphs.recognize import FrameSize, ProductMatch, RecognizeReply, SeenProduct
from livecart_client import wire
from models.types import Box, ProductId

AT_ONCE = 4
SENT_PX = 1280  # the longer side of what is sent: more shows the models nothing more
QUALITY = 90
TRIES = 6
LONGEST_PAUSE_S = 5.0
BUSY = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server saw in the frame of `time_s`; boxes in that frame's pixels. None: it was busy, and this frame was given up."""

    time_s: float
    reply: RecognizeReply | None


class Asker:
    """Used as a context manager by one thread. Errors of httpx come out of `answers`."""

    def __init__(self, http: httpx.Client, *, room: str = "", is_live: bool = False) -> None:
        self._http = http
        self._form = {"room_id": room} if room else {}
        self._tries = 1 if is_live else TRIES
        self._pool = ThreadPoolExecutor(AT_ONCE, "video-asker")
        self._asked: deque[Future[Answer]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=True)

    @property
    def is_busy(self) -> bool:
        return len(self._asked) >= AT_ONCE

    def ask(self, frame: TimedFrame) -> None:
        picture = frame.picture()  # here: FFmpeg's conversion locks up when two threads convert one frame
        self._asked.append(self._pool.submit(self._answer, frame.time_s, picture))

    def answers(self, *, leaving: int) -> list[Answer]:
        """The answers that have come, in order; waits until at most `leaving` are still to come."""
        found = []
        while self._asked and (self._asked[0].done() or len(self._asked) > leaving):
            found.append(self._asked.popleft().result())
        return found

    def _answer(self, time_s: float, picture: Image.Image) -> Answer:
        jpeg = as_jpeg(picture)
        for left in reversed(range(self._tries)):
            response = self._http.post("/v1/recognize", files={"frame": ("frame.jpg", jpeg, "image/jpeg")}, data=self._form)
            if response.status_code not in BUSY:
                break
            if left:
                time.sleep(_pause_s(response))
        if response.status_code in BUSY and self._tries == 1:
            return Answer(time_s, None)
        reply = wire.RecognizeReply.model_validate_json(response.raise_for_status().content)
        return Answer(time_s, as_seen(reply, picture.size))


def as_jpeg(picture: Image.Image) -> bytes:
    """JPEG, shrunk so that its longer side is at most `SENT_PX`."""
    scale = min(1.0, SENT_PX / max(picture.size))
    if scale < 1:
        picture = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), reducing_gap=2.0)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def as_seen(reply: wire.RecognizeReply, size: tuple[int, int]) -> RecognizeReply:
    """The reply as the graph's own, its boxes in the pixels of a frame of `size` (width, height)."""
    wide, tall = size[0] / reply.frame.width, size[1] / reply.frame.height
    return RecognizeReply(FrameSize(*size), tuple(_seen(product, wide, tall) for product in reply.products))


def _seen(product: wire.SeenProduct, wide: float, tall: float) -> SeenProduct:
    left, top, right, bottom = product.box
    box: Box = (left * wide, top * tall, right * wide, bottom * tall)
    matches = tuple(ProductMatch(ProductId(match.product_id), match.title, match.similarity) for match in product.matches)
    return SeenProduct(box, product.score, product.category, matches)


def _pause_s(response: httpx.Response) -> float:
    try:
        asked_s = float(response.headers.get("Retry-After", "1"))
    except ValueError:  # a date
        asked_s = 1.0
    return min(max(asked_s, 0.1), LONGEST_PAUSE_S)
