"""`livecart recognize` and `livecart demo video` against a server that sees colours: order, times, files, and plain words when it fails."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from deployments.cli.root import app
from tests.deployments.video.eye import Eye, open_eye
from tests.deployments.video.films import film, grey, scenes, steady, stored_frames

SHOW = scenes(("grey", 1), ("red", 4), ("grey", 7), ("blue", 9))


@pytest.fixture
def eye() -> Iterator[Eye]:
    with open_eye() as opened:
        yield opened


@pytest.fixture
def show(tmp_path: Path) -> Path:
    return film(tmp_path / "show.mp4", steady(10), SHOW)


def recognize(eye: Eye, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["recognize", *arguments, "--url", eye.url])


def test_a_video_becomes_a_timeline(eye: Eye, show: Path) -> None:
    result = recognize(eye, str(show), "--json")
    assert result.exit_code == 0, result.output
    outcome = json.loads(result.stdout)
    assert [(display["order"], display["product_id"], display["title"]) for display in outcome["displays"]] == [
        (1, "red", "Red Mug"),
        (2, "blue", "蓝色台灯"),
    ]
    for display, (from_s, to_s) in zip(outcome["displays"], ((1, 4), (7, 9)), strict=True):
        assert display["from_s"] == pytest.approx(from_s, abs=0.5)
        assert display["to_s"] == pytest.approx(to_s, abs=0.5)
        assert display["dwell_s"] == pytest.approx(display["to_s"] - display["from_s"], abs=0.01)
    assert (outcome["frames_read"], outcome["frames_sent"], outcome["damage"], outcome["out"]) == (100, 20, None, None)


def test_the_timeline_is_printed_as_a_table(eye: Eye, show: Path) -> None:
    result = recognize(eye, str(show), "--fps", "4")
    assert result.exit_code == 0, result.output
    assert "Red Mug" in result.stdout
    assert "100 frames read (0:09.9), 34 sent" in result.stdout


def test_every_frame_is_drawn_and_written(eye: Eye, show: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    assert recognize(eye, str(show), "--out", str(out)).exit_code == 0
    stored = stored_frames(out)
    assert [time_s for time_s, _ in stored] == pytest.approx(steady(10), abs=0.002)
    unlike_red = np.abs(stored[25][1].astype(int) - [255, 0, 0]).sum(axis=2) > 120
    assert unlike_red[:, :50].any()  # box and label
    assert not (np.abs(stored[55][1].astype(int) - 128).sum(axis=2) > 60).any()  # nothing shown, nothing drawn


def test_seconds_end_it(eye: Eye, show: Path) -> None:
    outcome = json.loads(recognize(eye, str(show), "--seconds", "2.5", "--json").stdout)
    assert outcome["frames_read"] == 25
    assert [display["product_id"] for display in outcome["displays"]] == ["red"]


def test_a_picture_is_answered_as_a_picture(eye: Eye, tmp_path: Path) -> None:
    for kind in ("JPEG", "PNG"):
        buffer = io.BytesIO()
        Image.new("RGB", (40, 30), "red").save(buffer, "JPEG")
        picture = tmp_path / f"picture-{kind}"
        picture.write_bytes(buffer.getvalue())
        assert "red Red Mug (0.90)" in recognize(eye, str(picture)).stdout


def test_what_is_only_for_videos_is_refused_with_a_picture(eye: Eye, tmp_path: Path) -> None:
    picture = tmp_path / "frame.png"
    Image.new("RGB", (40, 30), "red").save(picture)
    for options in (["--out", "a.mp4"], ["--fps", "2"], ["--seconds", "3"], ["--font", "a.ttf"], ["--force"]):
        result = recognize(eye, str(picture), *options)
        assert result.exit_code == 2
        assert f"is a picture, and {options[0]} only for videos" in result.output
    assert not eye.seen


def test_a_damaged_video_is_recognised_as_far_as_it_goes(eye: Eye, tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mp4", steady(10), SHOW, movflags="+faststart").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) * 7 // 10])
    result = recognize(eye, str(cut))
    assert result.exit_code == 0, result.output
    assert "Red Mug" in result.stdout
    assert "not all of it could be read" in result.stdout


def test_a_server_that_refuses_is_quoted_and_what_was_recognised_is_kept(eye: Eye, show: Path, tmp_path: Path) -> None:
    eye.fails_after = 8
    result = recognize(eye, str(show), "--out", str(tmp_path / "out.mp4"))
    assert result.exit_code == 1
    assert "404 not_found: no room `room-9`" in result.output
    assert len(stored_frames(tmp_path / "out.mp4")) > 10


def test_without_any_answer_no_video_is_left(show: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["recognize", str(show), "--out", str(tmp_path / "out.mp4"), "--url", "http://127.0.0.1:9"])
    assert result.exit_code == 1
    assert "no answer from http://127.0.0.1:9" in result.output
    assert list(tmp_path.iterdir()) == [show]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.mp4"], "none.mp4 does not exist"),
        (["show.mp4", "--out", "show.mp4", "--force"], "is the video that is read"),
        (["show.mp4", "--out", "there.mp4"], "--force overwrites it"),
        (["show.mp4", "--out", "a.gif"], "ends in .gif"),
        (["rtmp://127.0.0.1:9/live/room"], "rtmp://127.0.0.1:9/live/room cannot be opened"),
    ],
)
def test_what_cannot_be_done_is_said(eye: Eye, show: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str) -> None:
    monkeypatch.chdir(show.parent)
    (show.parent / "there.mp4").touch()
    result = recognize(eye, *arguments)
    assert result.exit_code == 1
    assert words in result.output
    assert "Traceback" not in result.output


def test_a_playlist_is_read_by_its_address(eye: Eye, tmp_path: Path) -> None:
    parts = str(tmp_path / "part%d.m4s")
    film(
        tmp_path / "live.m3u8", steady(10), SHOW, hls_time="2", hls_playlist_type="vod", hls_segment_type="fmp4", hls_segment_filename=parts
    )
    assert len(list(tmp_path.glob("part*.m4s"))) > 2
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path))) as files:
        thread = threading.Thread(target=files.serve_forever, args=(0.01,))
        thread.start()
        result = recognize(eye, f"http://127.0.0.1:{files.server_address[1]}/live.m3u8", "--json")
        files.shutdown()
        thread.join()
    assert result.exit_code == 0, result.output
    outcome = json.loads(result.stdout)
    assert [display["product_id"] for display in outcome["displays"]] == ["red", "blue"]
    assert outcome["frames_read"] == 100


def test_ctrl_c_completes_the_file_and_exits_clean(eye: Eye, tmp_path: Path) -> None:
    eye.takes_s = 0.5
    show, out = film(tmp_path / "long.mp4", steady(120), grey()), tmp_path / "out.mp4"
    command = [str(Path(sys.executable).with_name("livecart")), "recognize", str(show), "--out", str(out), "--url", eye.url, "--json"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    while len(eye.seen) < 4:
        assert running.poll() is None
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGINT)
    printed, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    assert json.loads(printed)["frames_sent"] < 240
    assert len(stored_frames(out)) > 5


def test_a_demo_video_tells_what_it_shows(tmp_path: Path) -> None:
    out = tmp_path / "demo.mp4"
    arguments = ["demo", "video", "--out", str(out), "--seconds", "6", "--each", "2", "--fps", "5", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert [showing["product_id"] for showing in json.loads(result.stdout)["showings"]] == ["sku-1053"]
    assert len(stored_frames(out)) == 30
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 1
    assert "--force" in again.output


def test_a_demo_room_that_is_none_is_said(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", "video", "--out", str(tmp_path / "a.mp4"), "--room", "attic"])
    assert result.exit_code == 1
    assert "no demo room `attic`; there are room-01" in result.output


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
        """Silent."""
