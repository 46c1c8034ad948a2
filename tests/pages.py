"""What the pages show, taken apart: blocks of code, commands of `livecart`, calls with curl and what they answer."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from typer.testing import CliRunner

from deployments.cli.root import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
_BEYOND = frozenset({"|", ";", "&&", ">", ">>", "<"})  # what ends a command of the shell
_SERVER = "localhost:8000"


@dataclass(frozen=True, slots=True)
class Block:
    page: Path
    line: int
    language: str  # empty where none is stated
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True, slots=True)
class Command:
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where} {self.text}"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the API with curl, and the answer that is printed below it."""

    where: str
    method: str
    path: str
    body: str | None
    printed: str

    def __str__(self) -> str:
        return f"{self.where} {self.path}"


def blocks() -> list[Block]:
    return [
        Block(page, token.map[0] + 1 if token.map else 0, token.info.strip(), token.content)
        for page in PAGES
        for token in _tokens(page)
        if token.type in ("fence", "code_block")
    ]


def commands() -> list[Command]:
    found = [Command(str(block), line) for block in blocks() if block.language in ("", "sh") for line in _lines(block.text)]
    for page in PAGES:
        spans = [child for token in _tokens(page) for child in token.children or [] if child.type == "code_inline"]
        found += [Command(str(page.relative_to(ROOT)), span.content) for span in spans]
    return [each for each in found if each.text.startswith("livecart ") and not each.text.endswith("...")]  # those are its messages


def calls() -> list[Call]:
    """The blocks of the shell that end in a call, each with the JSON right behind it."""
    shown = blocks()
    return [
        _call(block, after.text)
        for block, after in pairwise(shown)
        if block.language == "sh" and "curl " in block.text and after.language == "json" and after.page == block.page
    ]


def refusal(command: Command) -> str | None:
    """What the command line says to its commands and options; the alternatives of `train a|b` are all looked at. None: it takes them.

    Help comes when all is parsed, and before anything is done. An option at the end may be named without its value.
    """
    for words in _alternatives(_words(command.text)[1:]):
        end = len(words) - words[-1].startswith("--")
        parsed = CliRunner().invoke(app, [*words[:end], "--help", *words[end:]])
        if parsed.exit_code != 0 and "requires an argument" not in parsed.output:
            return parsed.output
    return None


def _tokens(page: Path) -> list[Token]:
    return MarkdownIt().enable("table").parse(page.read_text(encoding="utf-8"))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in re.sub(r"\\\n\s*", "", text).splitlines()]


def _words(line: str) -> list[str]:
    words = shlex.split(line.replace("[--", "--"), comments=True)
    end = next((place for place, word in enumerate(words) if word in _BEYOND), len(words))
    return [word.removesuffix("]") for word in words[:end]]


def _alternatives(words: list[str]) -> Iterator[list[str]]:
    if not words:
        yield []
        return
    for rest in _alternatives(words[1:]):
        for word in words[0].split("|"):
            yield [word, *rest]


def _call(block: Block, printed: str) -> Call:
    words = shlex.split(_lines(block.text)[-1])
    words = words[words.index("curl") + 1 :]
    address = next(word for word in words if _SERVER in word)
    data = {option: words[place + 1] for place, option in enumerate(words) if option in ("-d", "-X", "--data-binary", "-F")}
    method = data.get("-X") or ("POST" if data else "GET")
    path = address.partition(_SERVER)[2].partition("?")[0]
    return Call(str(block), method, path, data.get("-d"), printed)
