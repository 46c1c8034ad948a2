"""Requests made from the server's own OpenAPI document: no 5xx, no answer that it does not tell, nothing taken that it forbids."""

import subprocess
import sys
from pathlib import Path

CONFIG = Path(__file__).with_suffix(".toml")
LONGEST_S = 800
WITHOUT_KEYS = ["--generation-with-security-parameters", "false", "--exclude-checks", "ignored_auth"]  # the server lets everybody in


def fuzz(url: str, *options: str, key: str = "") -> None:
    """Run schemathesis on the server; raises AssertionError with its report. `options` are those of `schemathesis run`."""
    command = [
        sys.executable,
        "-c",
        "from schemathesis.cli import schemathesis; schemathesis()",
        "--config-file",
        str(CONFIG),
        "--no-color",
    ]
    command += ["run", f"{url}/openapi.json", *options]
    command += ["--header", f"Authorization: Bearer {key}"] if key else WITHOUT_KEYS
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_S)
    assert done.returncode == 0, done.stdout[-40_000:] + done.stderr[-4_000:]
