"""Frames out of anything that FFmpeg opens: files, RTMP, HLS, HTTP."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from deployments.video.errors import SourceError
from deployments.video.library import load_av

if TYPE_CHECKING:
    import av

TIMEOUT_S = 10.0  # to open an address, and to wait for its next packet
REMOTE = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
LIVE = re.compile(r"(rtmp|rtsp|srt|udp|rtp)", re.IGNORECASE)
REMOTE_PROTOCOLS = "http,https,httpproxy,tls,tcp,crypto,rtmp,rtmps,rtmpt,rtmpts,rtsp,rtp,udp,srt"  # no file: a playlist could name ours
FALLBACK_FPS = 25.0
UNREADABLE = "is no video that FFmpeg can read, or its beginning or index is cut off"
ENDS_EARLY_S = 1.0
TURNS = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """One decoded frame, for one thread at a time; `time_s` counts from the first one and only grows."""

    time_s: float
    _frame: "av.VideoFrame"

    @property
    def size_bytes(self) -> int:
        return sum(plane.buffer_size for plane in self._frame.planes)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        wide, tall = self._frame.width, self._frame.height
        return (tall, wide) if self._turned_degrees in (90, 270) else (wide, tall)

    def picture(self) -> Image.Image:
        """RGB, turned as the recording camera noted."""
        picture: Image.Image = self._frame.to_image()
        turn = TURNS.get(self._turned_degrees)
        return picture.transpose(turn) if turn is not None else picture

    @property
    def _turned_degrees(self) -> int:
        return round(int(self._frame.rotation) / 90) * 90 % 360


class Source:
    """An opened video; `open_source` makes it. Used by one thread at a time."""

    def __init__(self, address: str, container: "av.container.InputContainer", stream: "av.VideoStream", timeout_s: float) -> None:
        self.address = address
        self._timeout_s = timeout_s
        self._container = container
        self._stream = stream
        self.fps = float(stream.guessed_rate or stream.average_rate or FALLBACK_FPS)
        self.length_s = _length_s(container)
        self.is_live = is_remote(address) and (self.length_s is None or LIVE.match(address) is not None)
        self.damage: str | None = None  # set once all is read: what of it could not be
        self._undecoded = 0

    def frames(self) -> Iterator[TimedFrame]:
        """All frames in order of presentation. Damage ends or thins them; it is said in `damage` and never raised."""
        time_s, first_s = -1 / self.fps, None
        for frame in self._decoded():
            if frame.time is not None:
                first_s = frame.time if first_s is None else first_s
                if frame.time - first_s <= time_s:  # a live encoder that started again counts from zero again
                    first_s = frame.time - time_s - 1 / self.fps
                time_s = frame.time - first_s
            else:
                time_s += 1 / self.fps
            yield TimedFrame(time_s, frame)
        self._note_damage(time_s + 1 / self.fps)

    def close(self) -> None:
        self._container.close()

    def _decoded(self) -> Iterator["av.VideoFrame"]:
        errors = load_av().error
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except errors.ExitError:
                self.damage = f"nothing came for {self._timeout_s:g} s"
                return
            except errors.FFmpegError as error:
                self.damage = f"reading ended: {reason(error)}"
                return
            try:
                yield from packet.decode()
            except errors.FFmpegError:
                self._undecoded += 1

    def _note_damage(self, read_s: float) -> None:
        said = [self.damage] if self.damage else []
        if self._undecoded:
            said.append(f"{self._undecoded} packets could not be decoded")
        if self.length_s is not None and read_s < self.length_s - ENDS_EARLY_S:
            said.append(f"it ends at {max(0.0, read_s):.1f} s, though it says to be {self.length_s:.1f} s long")
        self.damage = "; ".join(said) or None


def is_remote(address: str) -> bool:
    """
    >>> is_remote("rtmp://host/live/room"), is_remote("clip.mp4")
    (True, False)
    """
    return REMOTE.match(address) is not None


def open_source(address: str, *, timeout_s: float = TIMEOUT_S) -> Source:
    """Open a path or an address. Raises SourceError, VideoLibraryError."""
    if not is_remote(address):
        _check_file(Path(address))
    av = load_av()
    options = {"protocol_whitelist": REMOTE_PROTOCOLS} if is_remote(address) else {}
    try:
        container = av.open(address, "r", container_options=options, timeout=(timeout_s, timeout_s))
    except (av.error.FFmpegError, ValueError) as error:
        raise SourceError(_unopened(address, error, timeout_s)) from error
    try:
        stream = _video_stream(address, container)
    except SourceError:
        container.close()
        raise
    stream.thread_type = "AUTO"
    return Source(address, container, stream, timeout_s)


def reason(error: Exception) -> str:
    """FFmpeg's own words without its numbers.

    >>> reason(ValueError("nothing there"))
    'nothing there'
    """
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _check_file(path: Path) -> None:
    if not path.exists():
        raise SourceError(f"{path} does not exist; give a file, or an address such as rtmp://host/live/room or https://host/live.m3u8")
    if path.is_dir():
        raise SourceError(f"{path} is a folder, not a video")
    if path.stat().st_size == 0:
        raise SourceError(f"{path} is empty")


def _unopened(address: str, error: Exception, timeout_s: float) -> str:
    av = load_av()
    if isinstance(error, av.error.ExitError | TimeoutError):
        return f"{address} did not answer within {timeout_s:g} s"
    if is_remote(address):
        return f"{address} cannot be opened: {reason(error)}"
    if isinstance(error, av.error.InvalidDataError):
        return f"{address} {UNREADABLE}"
    return f"{address} cannot be read: {reason(error)}"


def _video_stream(address: str, container: "av.container.InputContainer") -> "av.VideoStream":
    """The first stream of moving pictures (an audio file's cover is none) that can be decoded."""
    cover = load_av().stream.Disposition.attached_pic
    streams: list[Any] = [stream for stream in container.streams if stream.type == "video" and not stream.disposition & cover]
    if not streams:
        has_sound = any(stream.type == "audio" for stream in container.streams)
        raise SourceError(f"{address} holds only sound" if has_sound else f"{address} {UNREADABLE}")
    decoded: av.VideoStream | None = next((stream for stream in streams if stream.codec_context is not None), None)
    if decoded is None:
        raise SourceError(f"{address} is coded in a way that this FFmpeg cannot decode")
    return decoded


def _length_s(container: "av.container.InputContainer") -> float | None:
    return container.duration / 1_000_000 if container.duration and container.duration > 0 else None
