"""`make bench`: the engine's cost per node, then the same graph on livecart and its peers.

python -m benchmarks [--quick]
"""

import subprocess
import sys


def main() -> None:
    for module, options in (("benchmarks.engine", []), ("benchmarks.overhead", sys.argv[1:])):
        subprocess.run([sys.executable, "-m", module, *options], check=True)  # our own modules


if __name__ == "__main__":
    main()
