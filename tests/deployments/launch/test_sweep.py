"""On real little processes."""

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from deployments.launch.sweep import RUN_VARIABLE, processes_of, sweep

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEP
PARENT = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {SLEEP!r}], env={{}}); time.sleep(60)"


@pytest.fixture
def run_id() -> str:
    return uuid.uuid4().hex[:12]


def start(code: str, run_id: str) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, RUN_VARIABLE: run_id}, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    return process


def test_finds_the_marked_process_and_no_other(run_id: str) -> None:
    ours, foreign = start(SLEEP, run_id), start(SLEEP, "0" * 12)
    assert [process.pid for process in processes_of(run_id)] == [ours.pid]
    assert sweep(run_id) == []
    assert ours.wait(5) != 0
    assert foreign.poll() is None
    foreign.kill()
    foreign.wait()


def test_a_child_that_dropped_the_mark_is_found_through_its_parent(run_id: str) -> None:
    parent = start(PARENT, run_id)
    assert len(processes_of(run_id)) == 2
    assert sweep(run_id) == []
    parent.wait(5)


def test_what_ignores_term_is_killed(run_id: str) -> None:
    stubborn = start(STUBBORN, run_id)
    assert sweep(run_id, grace_s=0.1) == []
    assert stubborn.wait(5) == -9


def test_what_is_spared_lives(run_id: str) -> None:
    spared = start(SLEEP, run_id)
    assert sweep(run_id, spare=[spared.pid]) == []
    assert spared.poll() is None
    spared.kill()
    spared.wait()


def test_nothing_to_do_is_done_at_once(run_id: str) -> None:
    assert sweep(run_id) == []


def test_the_guardian_ends_a_run_whose_launcher_was_killed(run_id: str, tmp_path: Path) -> None:
    process = start(SLEEP, run_id)
    folder = tmp_path / "run"
    folder.mkdir()
    guardian = subprocess.Popen([sys.executable, "-m", "deployments.launch.guardian", run_id, str(folder)], stdin=subprocess.PIPE)
    guardian.communicate(b"")
    assert process.wait(10) != 0
    assert not folder.exists()


def test_the_guardian_does_nothing_when_the_launcher_was_done(run_id: str, tmp_path: Path) -> None:
    process = start(SLEEP, run_id)
    guardian = subprocess.Popen([sys.executable, "-m", "deployments.launch.guardian", run_id, str(tmp_path)], stdin=subprocess.PIPE)
    guardian.communicate(b"done")
    assert process.poll() is None
    process.kill()
    process.wait()
