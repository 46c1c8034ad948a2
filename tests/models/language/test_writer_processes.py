"""No process of the engine outlives the process that started it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from models.language.environment import writer_environment

_ROOT = Path(__file__).parents[3]
_MODEL = _ROOT / "models" / "zoo" / "writer"

_HOLDER = """
import asyncio, pathlib, sys, psutil
from models.language.writer import Writer

async def hold():
    writer = await Writer.start(sys.argv[1], kv_cache_gib=0.125)
    pathlib.Path(sys.argv[2]).write_text(" ".join(str(child.pid) for child in psutil.Process().children(recursive=True)))
    print("all pids are written", flush=True)
    await asyncio.sleep(600)

if __name__ == "__main__":
    asyncio.run(hold())
"""


@pytest.mark.slow
def test_no_process_outlives_a_killed_holder(tmp_path: Path) -> None:
    script = tmp_path / "holder.py"
    script.write_text(_HOLDER)
    environment = {**os.environ, **writer_environment(_MODEL, threads=1), "PYTHONPATH": str(_ROOT)}
    holder = subprocess.Popen(
        [sys.executable, script, _MODEL, tmp_path / "pids"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert holder.stdout is not None
    assert any("all pids are written" in line for line in holder.stdout)
    children = [psutil.Process(int(pid)) for pid in (tmp_path / "pids").read_text().split()]
    assert children
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    _, alive = psutil.wait_procs(children, 20)
    assert alive == []
