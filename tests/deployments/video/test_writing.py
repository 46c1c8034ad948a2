"""What is written is what is read again, and nothing is lost by writing it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deployments.video.errors import OutputError
from deployments.video.library import load_av
from deployments.video.writing import VideoWriter, check_output
from tests.deployments.video.films import film, grey, halves, steady, stored_frames


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm"])
@pytest.mark.parametrize("size", [(64, 48), (63, 47)])
def test_pictures_and_times_survive(tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    times_s, picture = [0.0, 0.04, 0.5, 1.25], halves(size)(0)
    with VideoWriter(tmp_path / name, fps=25, size=size) as writer:
        for time_s in times_s:
            writer.write(picture, time_s)
    stored = stored_frames(tmp_path / name)
    assert [time_s for time_s, _ in stored] == pytest.approx(times_s, abs=0.002)
    pixels = stored[-1][1][: size[1], : size[0]].astype(int)
    assert np.abs(pixels - np.asarray(picture)).mean() < 12
    assert list(tmp_path.iterdir()) == [tmp_path / name]


def test_the_codec_is_free_of_the_gpl(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", fps=25, size=(64, 48)) as writer:
        writer.write(grey()(0), 0.0)
    with load_av().open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].codec_context.codec.canonical_name == "vp9"


def test_times_that_do_not_grow_are_moved(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", fps=25, size=(64, 48)) as writer:
        for time_s in (0.0, 0.0, 0.2, 0.1):
            writer.write(grey()(0), time_s)
    assert [round(time_s, 3) for time_s, _ in stored_frames(tmp_path / "a.mp4")] == [0.0, 0.001, 0.2, 0.201]


def test_another_size_is_fitted(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", fps=25, size=(64, 48)) as writer:
        writer.write(Image.new("RGB", (200, 90)), 0.0)
    assert stored_frames(tmp_path / "a.mp4")[0][1].shape == (48, 64, 3)


def test_nothing_stands_in_its_place_before_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"an older one")
    writer = VideoWriter(path, fps=25, size=(64, 48))
    writer.write(grey()(0), 0.0)
    assert path.read_bytes() == b"an older one"
    writer.discard()
    assert path.read_bytes() == b"an older one"
    assert list(tmp_path.iterdir()) == [path]


def test_without_frames_nothing_is_written(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", fps=25, size=(64, 48)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_place_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4", steady(0.2), grey())
    (tmp_path / "folder.mp4").mkdir()
    for name, words, force in (
        ("source.mp4", "is the video that is read", True),
        ("folder.mp4", "is a folder", True),
        ("none/a.mp4", "none does not exist", True),
        ("a.avi", "ends in .avi", True),
    ):
        with pytest.raises(OutputError, match=words):
            check_output(tmp_path / name, force=force, source=str(source))


def test_a_file_is_overwritten_only_by_force(tmp_path: Path) -> None:
    there = film(tmp_path / "there.mp4", steady(0.2), grey())
    with pytest.raises(OutputError, match="--force overwrites"):
        check_output(there, force=False)
    check_output(there, force=True)
    check_output(tmp_path / "new.mp4", force=False)
