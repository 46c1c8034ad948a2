"""An annotated video on disk: VP9 by libvpx (BSD licence, not GPL), in MP4, Matroska or WebM, each frame at its own time."""

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from PIL import Image

from deployments.video.errors import OutputError
from deployments.video.library import load_av
from deployments.video.reading import reason

CODEC = "libvpx-vp9"
OPTIONS = {"deadline": "realtime", "cpu-used": "7", "row-mt": "1", "crf": "30", "b": "0"}
FORMATS = {".mp4": "mp4", ".mkv": "matroska", ".webm": "webm"}
CLOCK = Fraction(1, 1000)
THREADS = 2


class VideoWriter:
    """Written beside its place and moved there by `close`, so that no half file carries its name. A context manager closes it."""

    def __init__(self, path: Path, *, fps: float, size: tuple[int, int]) -> None:
        """Raises OutputError, VideoLibraryError. Frames of other sizes than `size` (width, height) are fitted into it."""
        self.path = path
        self._unfinished = path.with_name(f".{path.name}.part")
        self._size = (size[0] + size[0] % 2, size[1] + size[1] % 2)  # colour is stored for two by two pixels
        self._av = load_av()
        self._last = -1
        self._is_closed = False
        try:
            self._container = self._av.open(str(self._unfinished), "w", format=FORMATS[path.suffix.lower()])
            self._stream = self._container.add_stream(CODEC, rate=Fraction(fps).limit_denominator(1001), options=OPTIONS)
        except (self._av.error.FFmpegError, OSError) as error:
            raise OutputError(f"{path} cannot be written: {reason(error)}") from error
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = self._stream.codec_context.time_base = CLOCK
        self._stream.codec_context.thread_count = THREADS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def write(self, picture: Image.Image, time_s: float) -> None:
        """Append an RGB picture. Times have to grow; of two within a millisecond the second moves. Raises OutputError."""
        frame = self._av.VideoFrame.from_image(self._fitted(picture))
        frame.time_base = CLOCK
        frame.pts = self._last = max(self._last + 1, round(time_s / CLOCK))
        self._mux(frame)

    def close(self) -> None:
        """Complete the file and put it in its place; without frames there is none. Raises OutputError."""
        if self._is_closed:
            return
        if self._last >= 0:
            self._mux(None)
        self._end()
        if self._last >= 0:
            self._unfinished.replace(self.path)
        self._unfinished.unlink(missing_ok=True)

    def discard(self) -> None:
        """Leave nothing behind, and what was at the path as it is."""
        self._end()
        self._unfinished.unlink(missing_ok=True)

    def _end(self) -> None:
        self._is_closed = True
        with suppress(self._av.error.FFmpegError):  # a file without frames has no header to complete
            self._container.close()

    def _mux(self, frame: object) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except (self._av.error.FFmpegError, OSError) as error:
            raise OutputError(f"{self.path} cannot be written any further: {reason(error)}") from error

    def _fitted(self, picture: Image.Image) -> Image.Image:
        if picture.size == self._size:
            return picture
        if max(abs(have - want) for have, want in zip(picture.size, self._size, strict=True)) <= 1:
            return picture.crop((0, 0, *self._size))  # an odd size: one row or column of black
        return picture.resize(self._size)


def check_output(path: Path, *, force: bool, source: str = "") -> None:
    """Raises OutputError when a video must not or cannot be written to `path`; a source is never overwritten."""
    if path.suffix.lower() not in FORMATS:
        raise OutputError(f"{path} ends in {path.suffix or 'nothing'}; {', '.join(FORMATS)} are written")
    if path.is_dir():
        raise OutputError(f"{path} is a folder")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent} does not exist")
    if not path.exists():
        return
    if source and Path(source).exists() and path.samefile(source):
        raise OutputError(f"{path} is the video that is read")
    if not force:
        raise OutputError(f"{path} exists; --force overwrites it")
