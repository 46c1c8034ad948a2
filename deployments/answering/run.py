"""Answer every row with the graph as it is served: the shipped retriever, classifiers and writer, in this process."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from deployments.answering.rows import Row
from deployments.answering.scores import Outcome
from deployments.answering.shop import RowKnowledge, RowShop, about, asking
from deployments.loading import load_comprehension, load_retriever, load_writer
from deployments.local import LocalComprehension
from deployments.settings import Settings
from graphs.answer import AnswerNodes, AnswerReply, AnswerRequest, answer_graph
from graphs.answering.known import Nearness
from graphs.answering.speaking import Speaker, Step
from graphs.flow import Overrides, StreamGraph
from graphs.guarding import GuardedCatalog
from models.language.environment import writer_environment

if TYPE_CHECKING:
    from models.language.writer import Writer

ROW_S = 120.0  # a machine under load is slower, not worse
AT_ONCE = 8
QUIET = {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_LOGGING_STREAM": "ext://sys.stderr"}  # standard output holds the report alone

Answers = StreamGraph[AnswerRequest, Step, AnswerReply]


async def answer_rows(rows: Sequence[Row], settings: Settings) -> AsyncIterator[Outcome]:
    """The outcome of each row, as they are done. Raises ArtifactError when weights cannot be loaded."""
    async with _graph(rows, settings) as graph:
        places = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_ask(row, graph, places)) for row in rows]
            for done in asyncio.as_completed(tasks):
                yield await done


@asynccontextmanager
async def _graph(rows: Sequence[Row], settings: Settings) -> AsyncIterator[Answers]:
    for name, value in {**writer_environment(settings.writer.model, threads=settings.writer.threads), **QUIET}.items():
        os.environ.setdefault(name, value)
    writer: Writer = await load_writer(settings.writer)
    try:
        retriever = await asyncio.to_thread(load_retriever, settings.retriever, settings.embedder)
        knowledge = await asyncio.to_thread(RowKnowledge, retriever.index, rows)
        comprehension = LocalComprehension(await asyncio.to_thread(load_comprehension, settings.comprehension))
        shop = RowShop.of(rows)
        ingress = settings.ingress
        nodes = AnswerNodes(
            GuardedCatalog(shop),
            knowledge,
            comprehension,
            shop,
            Speaker(writer),
            nearness=Nearness(ingress.bank_threshold, ingress.bank_agreement, ingress.evidence_threshold),
        )
        graph = answer_graph(nodes)
        yield graph.with_overrides(Overrides(timeouts_s=dict.fromkeys(("scope", "subject", "passages", "generate"), ROW_S)))
    finally:
        writer.close()


async def _ask(row: Row, graph: Answers, places: asyncio.Semaphore) -> Outcome:
    async with places:
        asking.set(about(row))  # of this task alone
        product_id = row.product.product_id if row.product else None
        began = time.perf_counter()
        run = await graph.run(AnswerRequest(row.question, product_id=product_id, language=row.language), budget_s=ROW_S)
        return Outcome(row, run.output, run.degraded, time.perf_counter() - began)
