"""What answers are worth on your own questions, products and facts. No server is needed."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.cli.common import AsJson, errors_named, print_json
from deployments.cli.evaluate.tables import print_table, shown

if TYPE_CHECKING:
    from deployments.answering.rows import Row
    from deployments.answering.scores import Outcome

COLUMNS = ("rows", "correct", "wrongly_abstained", "abstained_rightly", "grounded", "wrong_figures")


@errors_named()
def answers(  # noqa: PLR0913  # a command's options
    *,
    data: Annotated[Path | None, typer.Option(help="JSONL, see docs/answers.md. None: invented products of held-out families.")] = None,
    writer: Annotated[str, typer.Option(help="Folder or hub id of the writer. Empty: the one that ships.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write each answer here, a JSON object a line, to look at.")] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first so many rows.", min=1)] = None,
    questions: Annotated[int, typer.Option(help="How many are invented, without --data.", min=1)] = 1_000,
    seed: Annotated[int, typer.Option(help="Same seed, same questions.", min=0)] = 0,
    write_data: Annotated[Path | None, typer.Option(help="Write the rows themselves here, in the form of --data.")] = None,
    as_json: AsJson = False,
) -> None:
    """Correct, grounded, rightly declined answers and wrong figures, by the answer graph as it is served.

    A row: {"question": "多重", "product": {"title": "...", "price": {"amount": "39.00", "currency": "CNY"},
    "attributes": {"重量": "350 g"}}, "answer": "350 g", "accept": ["350g"]}. A price may be "39.00" alone, which is CNY.
    `"facts": ["...", "name: value"]` instead of or beside `product`, `"answer": null` where declining is right.

    Examples: `livecart evaluate answers --data questions.jsonl --json`; `livecart evaluate answers --questions 200 --out answers.jsonl`
    """
    rows = _rows(data, questions=questions, seed=seed, write_to=write_data)[:limit]  # before the imports of what answers: seconds

    from deployments.answering.run import answer_rows
    from deployments.answering.scores import report
    from deployments.settings import Settings

    settings = Settings()
    if writer:
        settings = settings.model_copy(update={"writer": settings.writer.model_copy(update={"model": writer})})

    async def all_outcomes() -> "list[Outcome]":
        with _progress(len(rows)) as advance:
            return [advance(outcome) async for outcome in answer_rows(rows, settings)]

    began = time.perf_counter()
    outcomes = sorted(asyncio.run(all_outcomes()), key=lambda outcome: outcome.row.line)
    if out is not None:
        out.write_text("".join(json.dumps(_line(each), ensure_ascii=False) + "\n" for each in outcomes), encoding="utf-8")
    facts: dict[str, object] = {"data": str(data or "held-out families"), "writer": writer or "shipped", **report(outcomes)}
    facts["seconds"] = round(time.perf_counter() - began, 1)
    _finish({**facts, **({"out": str(out)} if out else {})}, as_json=as_json)


def _rows(data: Path | None, *, questions: int, seed: int, write_to: Path | None) -> "list[Row]":
    from deployments.answering.rows import read_rows, row_from
    from models.evaluation.held_out_questions import held_out_questions

    if data is not None:
        return read_rows(data)
    invented = held_out_questions(count=questions, seed=seed)
    if write_to is not None:
        write_to.write_text("".join(json.dumps(values, ensure_ascii=False) + "\n" for values in invented), encoding="utf-8")
    return [row_from(values, line=number) for number, values in enumerate(invented, start=1)]


@contextmanager
def _progress(total: int) -> "Iterator[Callable[[Outcome], Outcome]]":
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("answering", total=total)

        def advance(outcome: "Outcome") -> "Outcome":
            progress.advance(task)
            return outcome

        yield advance


def _line(outcome: "Outcome") -> dict[str, object]:
    row, reply = outcome.row, outcome.reply
    return {
        "line": row.line,
        "kind": row.kind,
        "language": row.language,
        "question": row.question,
        "answer": reply.answer,
        "accept": list(row.accept),
        "right": outcome.is_right,
        "declined": outcome.declined,
        "source": reply.source,
        "grounded": outcome.is_grounded,
        "wrong_figures": list(outcome.wrong_figures),
        "citations": [passage.text for passage in reply.citations],
        "seconds": round(outcome.took_s, 3),
    }


def _finish(facts: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(dict(facts))
        return
    lines = [_cells("all", facts)]
    for part in ("by_language", "by_source", "by_kind"):
        scores = facts.get(part)
        if isinstance(scores, Mapping):
            lines += [_cells(str(name), each) for name, each in scores.items()]
    title = f"Answers on {facts['data']}: {facts['seconds']} s, {facts['degraded']} degraded"
    print_table(title, ("", *(column.replace("_", " ") for column in COLUMNS)), lines)


def _cells(name: str, scores: Mapping[str, object]) -> list[str]:
    return [name, *(shown(scores.get(column)) for column in COLUMNS)]
