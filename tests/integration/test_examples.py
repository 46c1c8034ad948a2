"""The examples of `clients/examples`, each as its own program against the real stack."""

import subprocess
import sys

import pytest

from models.demo.catalog import demo_rooms
from tests.clients.test_examples import EXAMPLES
from tests.integration.conftest import ROOT, Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

FRAME = "docs/pictures/frame.jpg"
ROOM = next(room for room in demo_rooms() if room.live).room_id
CALLS: dict[str, tuple[list[str], str]] = {  # arguments, and what is printed among other things
    "recognize": ([FRAME], " at ["),
    "answer_events": (["How much are the hiking shoes?"], "done slot"),
    "room_session": ([ROOM, "viewer-00001", FRAME], "reply "),
    "openai_chat": (["Product: Halo lamp\nFacts:\n- power: 9 W\nQuestion: how much power does it need?"], "9"),
    "oip_http": ([FRAME], " 0."),
    "triton_recognize": ([FRAME], "['"),
}


@pytest.mark.parametrize("name", [example.stem for example in EXAMPLES])
def test_an_example_runs_and_prints(name: str, server: Server) -> None:
    arguments, printed = CALLS[name]
    run = subprocess.run(
        [sys.executable, f"clients/examples/{name}.py", *arguments, server.url],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "clients"), "PATH": ""},
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr[-2_000:]
    assert printed in run.stdout
