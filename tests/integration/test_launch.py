"""`livecart up` with a toy application: what it leaves open while it runs, and what it leaves behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deployments.launch import state
from deployments.launch.control import down, read_status
from deployments.launch.errors import NotRunningError
from deployments.launch.ports import free_ports, listeners
from deployments.launch.sweep import processes_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
START = """
import sys
from pathlib import Path
from deployments.launch.errors import LaunchError
from deployments.launch.up import up
try:
    up(Path(sys.argv[1]), Path(sys.argv[2]), port=None, num_cpus=2, timeout_s=120, import_path="tests.integration.toy_app:build")
except LaunchError as error:
    sys.exit(str(error))
"""


REDEPLOY = """
import sys
from pathlib import Path
from deployments.launch.up import redeploy
redeploy(Path(sys.argv[1]), Path(sys.argv[2]), timeout_s=120, import_path="tests.integration.toy_app:build")
"""


class Platform:
    """One home in which the toy application is started, as a shell would: in a process group of its own."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        (self.port,) = free_ports(1)
        self._folder = folder

    def start(self, *, broken: bool = False) -> "subprocess.Popen[bytes]":
        config = self._folder / "serve_config.yaml"
        arguments = str(broken).lower()
        config.write_text(
            f"http_options: {{port: {self.port}}}\n"
            "applications:\n"
            f"  - {{name: livecart, import_path: 'tests.integration.toy_app:build', route_prefix: /, args: {{broken: {arguments}}}}}\n",
            encoding="utf-8",
        )
        command = [sys.executable, "-c", START, str(config), str(self.home)]
        with self.output.open("wb") as output:
            return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)

    def redeploy(self, *, workers: int) -> "subprocess.CompletedProcess[str]":
        config = self._folder / "edited.yaml"
        text = (self._folder / "serve_config.yaml").read_text(encoding="utf-8")
        config.write_text(text.replace("args:", f"deployments: [{{name: worker, num_replicas: {workers}}}], args:"), encoding="utf-8")
        command = [sys.executable, "-c", REDEPLOY, str(config), str(self.home)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)

    @property
    def output(self) -> Path:
        return self._folder / "output.txt"

    @property
    def text(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_until_ready(self, launcher: "subprocess.Popen[bytes]") -> state.RunState:
        while "Ready" not in self.text:
            assert launcher.poll() is None, self.text
            time.sleep(0.2)
        run = state.load(self.home)
        assert run is not None
        return run

    def assert_nothing_is_left(self, run: state.RunState) -> None:
        assert processes_of(run.run_id) == []
        assert [listener for listener in listeners() if listener.port == self.port] == []
        assert not Path(run.folder).exists()


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    platform = Platform(tmp_path)
    yield platform
    if state.load(platform.home):
        down(platform.home)


def press_ctrl_c(launcher: "subprocess.Popen[bytes]") -> None:
    """A terminal signals the whole group."""
    os.killpg(launcher.pid, signal.SIGINT)


def test_listens_on_loopback_only_scales_stops_cleanly_and_starts_again_at_once(platform: Platform) -> None:
    launcher = platform.start()
    run = platform.wait_until_ready(launcher)

    status = read_status(platform.home)
    assert status.ready
    assert len(status.listeners) > 5
    assert [listener for listener in status.listeners if not listener.is_loopback] == []
    first_worker = httpx.get(f"{run.url}/readyz").json()["worker_pid"]
    assert first_worker in {use.pid for use in status.processes}

    second = subprocess.run(launcher.args, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert "livecart down" in second.stderr
    assert httpx.get(f"{run.url}/readyz").is_success

    edited = platform.redeploy(workers=2)
    assert edited.returncode == 0, edited.stdout + edited.stderr
    workers = {use.pid for use in read_status(platform.home).processes if use.name.endswith(":worker")}
    assert len(workers) == 2
    assert first_worker in workers  # the edit touched no replica

    press_ctrl_c(launcher)
    press_ctrl_c(launcher)
    assert launcher.wait(30) == 0
    platform.assert_nothing_is_left(run)
    assert state.load(platform.home) is None
    assert list((platform.home / "logs").iterdir())

    again = platform.start()
    run_again = platform.wait_until_ready(again)
    again.kill()
    again.wait()
    await_end(run_again.run_id)
    platform.assert_nothing_is_left(run_again)
    assert down(platform.home) == []
    with pytest.raises(NotRunningError):
        down(platform.home)


def await_end(run_id: str) -> None:
    """The guardian of a killed launcher works on its own; the test's own time limit ends this."""
    while processes_of(run_id):
        time.sleep(0.1)


def test_says_why_a_deployment_failed_and_leaves_nothing(platform: Platform) -> None:
    launcher = platform.start(broken=True)
    assert launcher.wait(120) == 1
    assert "worker: RuntimeError: the weights in /nowhere are missing; run `livecart train worker`" in platform.text
    assert state.load(platform.home) is None
    assert [listener for listener in listeners() if listener.port == platform.port] == []


def test_down_from_another_shell_stops_a_start_that_is_not_ready_yet(platform: Platform) -> None:
    launcher = platform.start()
    while "Starting Ray" not in (platform.text if platform.output.exists() else ""):
        assert launcher.poll() is None
        time.sleep(0.1)
    run = state.load(platform.home)
    assert run is not None
    assert down(platform.home) == []
    assert launcher.wait(30) == 0
    platform.assert_nothing_is_left(run)
