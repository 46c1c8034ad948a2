import subprocess
import sys
from pathlib import Path

import pytest

from deployments.launch import state
from deployments.launch.errors import AlreadyRunningError

HOLD = """
import sys, time
from pathlib import Path
from deployments.launch import state
with state.lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def run_state(folder: Path) -> state.RunState:
    return state.RunState(
        run_id="abc",
        launcher_pid=1,
        url="http://127.0.0.1:1",
        config="c.yaml",
        folder=str(folder),
        logs=str(folder / "logs"),
        started_at="2026-11-21T00:00:00+00:00",
    )


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    state.save(tmp_path, run_state(tmp_path))
    assert state.load(tmp_path) == run_state(tmp_path)
    state.forget(tmp_path)
    assert state.load(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run_id": "x"}', '{"of": "another version"}'])
def test_a_damaged_file_describes_no_run(tmp_path: Path, text: str) -> None:
    (tmp_path / state.STATE_FILE).write_text(text, encoding="utf-8")
    assert state.load(tmp_path) is None


def test_a_home_is_held_by_one_launcher_until_it_dies(tmp_path: Path) -> None:
    state.save(tmp_path, run_state(tmp_path))
    assert not state.is_locked(tmp_path)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert state.is_locked(tmp_path)
    with pytest.raises(AlreadyRunningError, match="livecart down"), state.lock(tmp_path):
        pass
    holder.kill()
    holder.wait()
    with state.lock(tmp_path):
        pass
