"""The real stack, once per session: `livecart up` with the shipped configuration, on a free port, in a home of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deployments.launch.control import Status, read_status
from deployments.launch.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
READY_S = 480.0
STOPPED_S = 60.0


@dataclass(frozen=True)
class Server:
    url: str
    home: Path
    launcher: "subprocess.Popen[bytes]"

    def status(self) -> Status:
        return read_status(self.home)

    def replica_pids(self, deployment: str) -> list[int]:
        """Fresh to a few seconds: the launcher writes down what Serve reports."""
        return [replica.pid for replica in self.status().deployments[deployment].replicas if replica.pid]

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        lines = httpx.get(f"{self.url}/metrics", timeout=30).text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((name + " ", name + "{")))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("livecart")
    home, output = folder / "home", folder / "output.txt"
    (port,) = free_ports(1)
    command = [str(Path(sys.executable).with_name("livecart")), "up", "--home", str(home), "--port", str(port)]
    with output.open("wb") as file:
        launcher = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        ends = time.monotonic() + READY_S
        while "Ready" not in output.read_text(encoding="utf-8"):
            assert launcher.poll() is None, output.read_text(encoding="utf-8")
            assert time.monotonic() < ends, output.read_text(encoding="utf-8")
            time.sleep(0.5)
        yield Server(f"http://127.0.0.1:{port}", home, launcher)
    finally:
        os.killpg(launcher.pid, signal.SIGINT)
        launcher.wait(STOPPED_S)


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


@pytest.fixture
async def async_http(server: Server) -> "Iterator[httpx.AsyncClient]":  # type: ignore[misc]  # pytest-asyncio awaits it
    async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=httpx.Limits(max_connections=64)) as client:
        yield client
