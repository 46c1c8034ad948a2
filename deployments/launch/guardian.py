"""A small process that outlives its launcher by seconds: `python -m deployments.launch.guardian RUN_ID FOLDER`, standard input a pipe.

When the pipe closes without the word `done`, the launcher was killed: end everything of the run and remove its folder.
"""

import shutil
import signal
import sys

from deployments.launch.sweep import sweep

DONE = "done"


def main() -> None:
    run_id, folder = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if sys.stdin.read().strip() != DONE:
        sweep(run_id, grace_s=1.0)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
