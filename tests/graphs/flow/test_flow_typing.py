"""The typing itself is under test: a wrong edge is an error of the type checker."""

import re
import sys
from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parents[3]

# Lines with `# E:` must be errors whose text contains what follows; all others must be clean.
PROGRAM = """
from collections.abc import AsyncIterator, Sequence
from graphs.flow import Graph, GraphBuilder, Run, Slot, StreamGraph, StreamSlot

async def length(text: str) -> int: return len(text)
async def halve(number: int) -> float: return number / 2
async def join(text: str, number: int) -> str: return text * number
async def words(text: str) -> list[str]: return text.split()
async def letters(text: str) -> AsyncIterator[str]:
    yield text
async def digits(text: str) -> AsyncIterator[int]:
    yield 1
def is_long(number: int) -> bool: return number > 3
def zero(text: str) -> int: return 0
def zero_of_number(number: int) -> int: return 0
def nothing(text: str) -> str: return ""
def total(numbers: Sequence[int]) -> int: return sum(numbers)

def good() -> Graph[str, float]:
    b = GraphBuilder("good", str)
    n: Slot[int] = b.add(length, b.request, timeout_s=1, fallback=zero)
    lengths: Slot[tuple[int, ...]] = b.map(length, b.add(words, b.request, timeout_s=1), timeout_s=1, concurrency=2, name="lengths")
    b.shadow(join, b.request, n, timeout_s=1)
    summed = b.apply(total, lengths)
    chosen: Slot[int] = b.when(b.apply(is_long, n), then=summed, otherwise=n)
    mixed: Slot[int | float] = b.when(b.apply(is_long, n, name="again"), then=n, otherwise=b.add(halve, n, timeout_s=1), name="mixed")
    raced = b.race(length, length, b.request, timeout_s=1, name="raced")
    split: Slot[int] = b.split("split", b.request, variants={"a": chosen, "b": raced}, weights={"a": 1, "b": 1})
    return b.build(b.add(halve, split, timeout_s=1, name="last"))

def good_stream() -> StreamGraph[str, str, int]:
    b = GraphBuilder("good", str)
    tokens: StreamSlot[str, str] = b.stream(letters, b.request, reduce="".join, timeout_s=1)
    return b.build_stream(b.add(length, tokens, timeout_s=1), items=tokens)

async def use(graph: Graph[str, float], streaming: StreamGraph[str, str, int]) -> None:
    answer: float = (await graph.run("x", budget_s=1)).output
    wrong: str = (await graph.run("x", budget_s=1)).output  # E: Incompatible types in assignment
    await graph.run(3, budget_s=1)  # E: "run" of "Graph" has incompatible type "int"
    async for item in streaming.stream("x", budget_s=1):
        if isinstance(item, Run):
            total_length: int = item.output
        else:
            token: str = item

def bad() -> Graph[str, str]:
    b = GraphBuilder("bad", str)
    n = b.add(length, b.request, timeout_s=1)
    b.add(halve, b.request, timeout_s=1)  # E: has incompatible type
    b.add(join, b.request, timeout_s=1)  # E: has incompatible type
    b.add(join, n, b.request, timeout_s=1)  # E: has incompatible type
    b.add(length, b.request)  # E: No overload variant
    b.add(zero, b.request, timeout_s=1)  # E: has incompatible type
    b.add(length, b.request, timeout_s=1, fallback=zero_of_number)  # E: has incompatible type
    b.apply(is_long, b.request)  # E: has incompatible type
    b.map(length, b.request, timeout_s=1, concurrency=1, fallback=zero_of_number)  # E: incompatible type
    b.map(halve, b.add(words, b.request, timeout_s=1), timeout_s=1, concurrency=1)  # E: incompatible type
    b.race(length, join, b.request, timeout_s=1)  # E: incompatible type
    b.when(n, then=n, otherwise=n)  # E: incompatible type
    b.split("s", n, variants={"a": n}, weights={"a": 1})  # E: incompatible type
    b.stream(digits, b.request, reduce="".join, timeout_s=1)  # E: Cannot infer
    b.include(good(), n, timeout_s=1)  # E: Cannot infer
    soft: Slot[int] = b.add(length, b.request, timeout_s=1, fallback=nothing)  # E: incompatible type
    b.build_stream(n, items=n)  # E: incompatible type
    return b.build(n)  # E: incompatible type
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], dict[int, str]]:
    """The lines of the program and what the type checker says about them, by line number."""
    file = tmp_path_factory.mktemp("typed") / "program.py"
    file.write_text(PROGRAM)
    config = file.with_name("mypy.ini")
    config.write_text(f"[mypy]\nstrict = True\nexplicit_package_bases = True\nmypy_path = {ROOT}\n")
    options = ["--config-file", str(config), "--cache-dir", str(file.parent / "cache"), "--python-executable", sys.executable]
    output, failure, _ = api.run([*options, str(file)])
    if failure:
        pytest.fail(failure)
    said: dict[int, str] = {}
    for number, text in re.findall(r"program\.py:(\d+): (?:error|note): (.*)", output):
        said[int(number)] = said.get(int(number), "") + text + "\n"
    return PROGRAM.splitlines(), said


def test_wrong_edges_are_errors_of_the_type_checker(program: tuple[list[str], dict[int, str]]) -> None:
    lines, said = program
    expected = {number: line.split("# E: ")[1] for number, line in enumerate(lines, 1) if "# E: " in line}
    missed = {
        lines[number - 1].strip(): said.get(number, "no error") for number, text in expected.items() if text not in said.get(number, "")
    }
    assert not missed


def test_right_edges_are_clean(program: tuple[list[str], dict[int, str]]) -> None:
    lines, said = program
    assert not {lines[number - 1].strip(): text for number, text in said.items() if "# E: " not in lines[number - 1]}
