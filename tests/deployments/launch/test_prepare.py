import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployments.launch.config import FrontEnd
from deployments.launch.prepare import FOLDER_LENGTH, LOGS_KEPT, Run, environment, prepare
from deployments.launch.profile import TUNED_PROFILE
from deployments.launch.sweep import RUN_VARIABLE
from deployments.variables import STOPPING_VARIABLE


@pytest.fixture(autouse=True)
def short_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs live in the system's temporary folder; pytest's own is too long for sockets, as a user's may be."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path_factory.getbasetemp()))


@pytest.fixture
def prepared() -> Iterator[Callable[[Path], Run]]:
    """`prepare`, whose folders outside of pytest's go when the test ends."""
    runs: list[Run] = []

    def keep(home: Path) -> Run:
        runs.append(prepare(home))
        return runs[-1]

    yield keep
    for run in runs:
        shutil.rmtree(run.folder)


def test_a_runs_folder_is_private_and_short_enough_for_sockets(tmp_path: Path, prepared: Callable[[Path], Run]) -> None:
    run = prepared(tmp_path / "home")
    assert len(str(run.folder)) <= FOLDER_LENGTH
    assert stat.S_IMODE(run.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(run.token.stat().st_mode) == 0o600
    assert len(run.token.read_text(encoding="ascii")) == 64


def test_the_logs_of_the_last_runs_are_kept(tmp_path: Path, prepared: Callable[[Path], Run]) -> None:
    logs = tmp_path / "logs"
    for number in range(LOGS_KEPT + 3):
        (logs / f"2000010{number}-000000-abcd").mkdir(parents=True)
    run = prepared(tmp_path)
    assert len(list(logs.iterdir())) == LOGS_KEPT
    assert run.logs.is_dir()


def test_the_environment_marks_the_run_and_lets_the_caller_override_the_profile(
    tmp_path: Path, prepared: Callable[[Path], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_SERVE_METRICS_EXPORT_INTERVAL_MS", "1000")
    run = prepared(tmp_path)
    variables = environment(run, FrontEnd("127.0.0.1", 8000))
    assert variables[RUN_VARIABLE] == run.run_id
    assert variables["LIVECART_HOME"] == str(tmp_path)
    assert variables[STOPPING_VARIABLE] == str(run.stopping)
    assert variables["RAY_SERVE_METRICS_EXPORT_INTERVAL_MS"] == "1000"
    assert set(TUNED_PROFILE) <= set(variables)
    assert variables["VLLM_RPC_BASE_PATH"] == str(run.folder)  # vLLM leaves its sockets; they go with the folder


def test_the_front_end_wrapper_becomes_the_real_haproxy(tmp_path: Path, prepared: Callable[[Path], Run]) -> None:
    run = prepared(tmp_path)
    variables = environment(run, FrontEnd("127.0.0.1", 8000))
    (run.folder / "h" / "node").mkdir(parents=True)
    configuration = run.folder / "h" / "node" / "haproxy.cfg"
    configuration.write_text("frontend a\n    mode http\n    timeout client 1s\n    bind :9101\n", encoding="utf-8")
    command = [variables["RAY_SERVE_HAPROXY_BINARY_PATH"], "-c", "-f", str(configuration)]
    checked = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert f"unix@{run.folder}/h/9101.sock" in configuration.read_text(encoding="utf-8")
    assert (configuration.parent / "500.http").exists()
