"""docs/oip.md: its examples are run against a server, its table is that of the models."""

import subprocess
import sys

import pytest

from deployments.ingress.oip.table import ModelSpec, TensorSpec, model_specs
from deployments.settings import ZOO
from models.vision.embedder_info import embedder_info
from tests.pages import ROOT, Block, blocks

PAGE = ROOT / "docs" / "oip.md"
SHOWN = [block for block in blocks() if block.page == PAGE]
PROGRAMS = [block for block in SHOWN if block.language == "python"]
COMMANDS = [block for block in SHOWN if block.language == "sh"]


def run(command: list[str]) -> bytes:
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=120).stdout


@pytest.mark.parametrize("block", PROGRAMS, ids=str)
def test_a_program_runs_and_prints(block: Block, address: str) -> None:
    assert len(block.text.splitlines()) < 30
    assert run([sys.executable, "-c", block.text.replace("localhost:8000", address)])


@pytest.mark.parametrize("block", COMMANDS, ids=str)
def test_a_call_with_curl_is_answered(block: Block, address: str) -> None:
    answer = run(["bash", "-c", block.text.replace("localhost:8000", address)])
    assert b'"outputs"' in answer


def test_all_examples_are_found() -> None:
    assert (len(PROGRAMS), len(COMMANDS)) == (2, 2)


def listed(specs: tuple[TensorSpec, ...]) -> str:
    return ", ".join(f"`{spec.name}` {spec.datatype} {list(spec.shape)}" for spec in specs)


@pytest.mark.parametrize("spec", model_specs(embedder_info(str(ZOO / "embedder")).dim).values(), ids=lambda spec: spec.name)
def test_the_table_is_that_of_the_models(spec: ModelSpec) -> None:
    rows = "" if spec.takes_anything else f" {spec.max_rows}"
    assert f"| `{spec.name}` | {listed(spec.inputs)} | {listed(spec.outputs)} |{rows} |" in PAGE.read_text(encoding="utf-8")
