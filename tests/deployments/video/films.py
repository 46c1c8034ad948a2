"""Tiny films for the tests of reading and recognising: plain colours, encoded on the spot."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from deployments.video.library import load_av

CLOCK = Fraction(1, 1000)
Paint = Callable[[float], Image.Image]  # time in seconds -> picture


def grey(size: tuple[int, int] = (64, 48)) -> Paint:
    return lambda time_s: Image.new("RGB", size, (90, 90, 90))


def halves(size: tuple[int, int]) -> Paint:
    """Red above, blue below: which way up a picture is can be seen."""
    pixels = np.zeros((size[1], size[0], 3), dtype=np.uint8)
    pixels[: size[1] // 2, :, 0] = 220
    pixels[size[1] // 2 :, :, 2] = 220
    return lambda time_s: Image.fromarray(pixels)


def film(path: Path, times_s: Sequence[float], paint: Paint, *, rotation: int = 0, codec: str = "mpeg4", **options: str) -> Path:
    """A video whose frames have exactly these times; `rotation` is noted in it, in degrees counter-clockwise."""
    av = load_av()
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = paint(0).size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = CLOCK
        stream.codec_context.gop_size = 5
        if rotation:
            stream.set_display_rotation(rotation)
        for time_s in times_s:
            frame = av.VideoFrame.from_image(paint(time_s))
            frame.time_base, frame.pts = CLOCK, round(time_s / CLOCK)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def steady(seconds: float, fps: float = 10.0) -> list[float]:
    return [index / fps for index in range(round(seconds * fps))]


def sound(path: Path) -> Path:
    """An audio file."""
    av = load_av()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8_000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8_000), dtype=np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def gaps(times_s: Sequence[float]) -> list[float]:
    return [after - before for before, after in pairwise(times_s)]


def stored_frames(path: Path) -> list[Any]:
    """(time in seconds, RGB array) of each frame, by PyAV alone."""
    with load_av().open(str(path)) as container:
        return [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def scenes(*colours_until_s: tuple[str, float], size: tuple[int, int] = (96, 64)) -> Paint:
    """One colour after the other, each until its time."""

    def paint(time_s: float) -> Image.Image:
        colour = next((colour for colour, until_s in colours_until_s if time_s < until_s), "grey")
        return Image.new("RGB", size, colour)

    return paint
