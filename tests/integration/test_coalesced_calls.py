"""Coalesced calls on real replicas, under the profile that `livecart up` sets."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deployments.launch.config import FrontEnd
from deployments.launch.ports import free_ports
from deployments.launch.prepare import environment, prepare
from deployments.launch.sweep import processes_of, sweep

ROOT = Path(__file__).parents[2]


@pytest.mark.integration
def test_answers_failures_cancellation_and_lost_replicas(tmp_path: Path) -> None:
    run = prepare(tmp_path / "home")
    (tmp_path / "markers").mkdir()
    command = [sys.executable, "-m", "tests.integration.coalesced_calls", str(run.folder), str(tmp_path / "markers")]
    variables = environment(run, FrontEnd("127.0.0.1", free_ports(1)[0]))
    try:
        printed = subprocess.run(command, cwd=ROOT, env=variables, check=False, capture_output=True, text=True, timeout=150)
    finally:
        sweep(run.run_id)
        shutil.rmtree(run.folder, ignore_errors=True)
    assert printed.returncode == 0, printed.stderr[-3000:]
    seen = json.loads(printed.stdout.splitlines()[-1])
    assert seen["together"] == ["'one'", "NotFound('no such thing')", "'two'"]
    assert 0 < seen["left"] <= 5
    assert seen["hung"]
    assert seen["cancelled"]
    assert seen["died"]
    assert seen["after death"] == "die once"
    assert not processes_of(run.run_id)
