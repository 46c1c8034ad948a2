"""A build leaves nothing behind: not what it replaces, and not what builds left that were killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from deployments.index_building import SCRATCH, build_index
from deployments.settings import Settings
from models.artifacts import read_manifest
from models.demo.catalog import demo_products

EMBEDDER = Path(Settings().retriever.text_embedder)
PRODUCTS = demo_products()[:3]


def built(home: Path, count: int) -> None:
    build_index(PRODUCTS[:count], home, EMBEDDER)


def names(home: Path) -> set[str]:
    return {path.name for path in home.iterdir()}


def test_a_build_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    for count in (3, 2):
        built(tmp_path, count)
        assert names(tmp_path) == {"index"}
        assert read_manifest(tmp_path / "index")["data"]["products"] == count


def test_a_build_that_fails_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built(tmp_path, 3)
    usual = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.name == "index" and target == tmp_path / "index" and not (target.parent / "failed").exists():
            (target.parent / "failed").touch()
            raise OSError("no space")
        return usual(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(OSError, match="no space"):
        built(tmp_path, 2)
    assert names(tmp_path) == {"index", "failed"}
    assert read_manifest(tmp_path / "index")["data"]["products"] == 3


HOLD = """
import fcntl, os, sys
fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""  # as a build holds its folder


def test_what_killed_builds_left_is_swept_and_what_runs_is_not(tmp_path: Path) -> None:
    (tmp_path / f"{SCRATCH}left" / "index").mkdir(parents=True)
    running = tmp_path / f"{SCRATCH}running"
    running.mkdir()
    command = [sys.executable, "-c", HOLD, str(running)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        built(tmp_path, 1)
        assert names(tmp_path) == {"index", running.name}
        other.kill()
    built(tmp_path, 1)
    assert names(tmp_path) == {"index"}
