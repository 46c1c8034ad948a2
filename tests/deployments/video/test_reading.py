"""Whatever is opened: times as in the file, pictures upright, and words for what cannot be read."""

import socket
from pathlib import Path

import numpy as np
import pytest

from deployments.video.errors import SourceError
from deployments.video.reading import TimedFrame, open_source
from tests.deployments.video.films import film, grey, halves, sound, steady


def read(path: Path | str) -> tuple[list[TimedFrame], str | None]:
    source = open_source(str(path))
    try:
        return list(source.frames()), source.damage
    finally:
        source.close()


def test_frames_come_at_their_own_times(tmp_path: Path) -> None:
    times_s = [0.0, 0.04, 0.1, 0.5, 0.52, 1.5, 1.6]
    frames, damage = read(film(tmp_path / "uneven.mkv", times_s, grey()))
    assert [frame.time_s for frame in frames] == pytest.approx(times_s, abs=0.002)
    assert damage is None


def test_times_count_from_the_first_frame(tmp_path: Path) -> None:
    frames, _ = read(film(tmp_path / "late.ts", [20 + time_s for time_s in steady(0.5)], grey()))
    assert [frame.time_s for frame in frames] == pytest.approx(steady(0.5), abs=0.002)


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
def test_a_turned_recording_is_shown_upright(tmp_path: Path, rotation: int) -> None:
    upright = halves((48, 64))(0)
    stored = upright.rotate(-rotation, expand=True)  # as the sensor saw it
    frames, _ = read(film(tmp_path / "turned.mp4", steady(0.3), lambda time_s: stored, rotation=rotation))
    assert frames[0].size == frames[0].picture().size == (48, 64)
    pixels = np.asarray(frames[0].picture()).astype(int)
    assert pixels[8, 24, 0] > 150 > pixels[56, 24, 0]
    assert pixels[56, 24, 2] > 150 > pixels[8, 24, 2]


def test_odd_sizes_are_read(tmp_path: Path) -> None:
    frames, _ = read(film(tmp_path / "odd.mp4", steady(0.3), grey((63, 47)), codec="libvpx-vp9"))
    assert frames[0].picture().size == (63, 47)


def test_a_cut_file_gives_what_is_left_and_says_so(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mp4", steady(8), halves((160, 120)), movflags="+faststart").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) * 6 // 10])
    frames, damage = read(cut)
    assert 10 < len(frames) < 75
    assert damage is not None
    assert "though it says to be" in damage


def test_a_corrupt_tail_gives_what_is_before_it(tmp_path: Path) -> None:
    noise = np.random.default_rng(1)
    whole = film(tmp_path / "whole.mkv", steady(6), halves((160, 120))).read_bytes()
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(whole[: len(whole) // 2] + noise.bytes(len(whole) // 2))
    frames, damage = read(broken)
    assert len(frames) > 10
    assert damage is not None


def test_an_index_that_is_cut_off_is_said(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mp4", steady(2), grey()).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="index is cut off"):
        open_source(str(cut))


def test_what_is_no_video_is_said(tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.mp4", tmp_path / "text.mp4"
    empty.touch()
    text.write_text("no video\n" * 100, encoding="utf-8")
    for path, words in ((tmp_path / "none.mp4", "does not exist"), (tmp_path, "is a folder"), (empty, "is empty"), (text, "is no video")):
        with pytest.raises(SourceError, match=words):
            open_source(str(path))


def test_an_audio_file_holds_no_video(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds only sound"):
        open_source(str(sound(tmp_path / "song.m4a")))


def test_an_unknown_codec_is_said(tmp_path: Path) -> None:
    path = film(tmp_path / "strange.mkv", steady(0.5), grey(), codec="ffv1")
    path.write_bytes(path.read_bytes().replace(b"V_FFV1", b"V_XYZ9"))
    with pytest.raises(SourceError, match="cannot decode"):
        open_source(str(path))


def test_an_address_where_nobody_listens_is_said() -> None:
    for address in ("rtmp://127.0.0.1:9/live/room", "http://127.0.0.1:9/live.m3u8"):
        with pytest.raises(SourceError, match=r"127.0.0.1:9.* cannot be opened: Connection refused"):
            open_source(address)


def test_an_address_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(SourceError, match=r"did not answer within 0\.5 s"):
            open_source(f"http://127.0.0.1:{port}/live.m3u8", timeout_s=0.5)
