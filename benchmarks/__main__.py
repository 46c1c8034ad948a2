"""`make bench`: the engine's cost per node, the same graph on livecart and its peers, the eye and the writer
bare and through the ingress, the recommend graph by the size of the catalogue, and tensors through /v2.

python -m benchmarks [engine|overhead|vision|voice|recommend|oip] [options of the one that is named, or --quick]
"""

import subprocess
import sys

NAMES = ("engine", "overhead", "vision", "voice", "recommend", "oip")


def main() -> None:
    options = sys.argv[1:]
    chosen = NAMES if not options or options[0].startswith("-") else (options.pop(0),)
    if not set(chosen) <= set(NAMES):
        sys.exit(f"no benchmark {chosen[0]}; there are {', '.join(NAMES)}")
    for name in chosen:
        fitting = [] if name == "engine" and chosen == NAMES else options  # it has no --quick
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *fitting], check=True)  # our own modules


if __name__ == "__main__":
    main()
