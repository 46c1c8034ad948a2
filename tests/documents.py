"""What the README shows is run: its tour and its drawn graphs, checked by tests and written by this module.

python -m tests.documents http://127.0.0.1:8000    # run the tour against a fresh demo world and write what came back
"""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from deployments.gateway import build_graphs
from deployments.ingress.fakes import fake_ports
from deployments.settings import IngressConfig
from graphs.fakes import FakeShop

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
DEFAULT = "localhost:8000"
STEP = re.compile(r"```sh\n(?P<command>[^`]*curl [^`]*?)\n```\n```json\n(?P<printed>.*?)```", re.DOTALL)
GRAPH = re.compile(r"<!-- graph: (?P<name>\w+) -->\n```mermaid\n(?P<drawn>.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Step:
    command: str
    printed: str

    def run(self, url: str) -> object:
        """The answer's JSON."""
        command = self.command.replace(DEFAULT, url.removeprefix("http://"))
        done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, check=True, timeout=120)
        return json.loads(done.stdout)


def tour() -> list[Step]:
    return [Step(found["command"], found["printed"]) for found in STEP.finditer(README.read_text(encoding="utf-8"))]


def graphs() -> dict[str, str]:
    return {found["name"]: found["drawn"] for found in GRAPH.finditer(README.read_text(encoding="utf-8"))}


def drawn(name: str) -> str:
    """A graph as `livecart graphs draw NAME` prints it; what stands behind its ports makes no difference."""
    return build_graphs(fake_ports(FakeShop()), IngressConfig())[name].mermaid()


def shape(value: object) -> object:
    """What a caller relies on: names and kinds, not the values; a list by its first element."""
    match value:
        case dict():
            return {name: shape(inner) for name, inner in value.items()}
        case []:
            return []
        case [first, *_]:
            return [shape(first)]
        case bool() | str() | None:
            return type(value).__name__
        case _:
            return "number"


def shortened(value: object) -> object:
    """Numbers as a person reads them, lists by their first two elements, boxes whole."""
    match value:
        case float():
            return round(value, 3)
        case dict():
            return {name: shortened(inner) for name, inner in value.items()}
        case [float(), *_]:
            return [round(number) for number in value if isinstance(number, float)]
        case list():
            return [shortened(inner) for inner in value[:2]]
    return value


def printed(value: object) -> str:
    """JSON with a line for each name of the outermost object."""
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    lines = (f"  {json.dumps(name)}: {json.dumps(inner, ensure_ascii=False)}" for name, inner in value.items())
    return "{\n" + ",\n".join(lines) + "\n}"


def write(url: str) -> None:
    text = README.read_text(encoding="utf-8")
    for step in tour():
        came = printed(shortened(step.run(url)))
        text = text.replace(f"{step.command}\n```\n```json\n{step.printed}```", f"{step.command}\n```\n```json\n{came}\n```")
    for name, old in graphs().items():
        text = text.replace(f"<!-- graph: {name} -->\n```mermaid\n{old}```", f"<!-- graph: {name} -->\n```mermaid\n{drawn(name)}\n```")
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(sys.argv[1])
