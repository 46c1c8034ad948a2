"""Declined, listed, answered by an editor, answered by the bank: two ingress replicas over one store, without Ray."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from deployments.gateway import Gateway
from deployments.ingress.fakes import StoreShop, fake_ports
from deployments.loading import LoadedRetriever
from deployments.retrieval import LiveRetriever
from deployments.store import Store
from deployments.telemetry import Telemetry
from graphs.answer import AnswerReply, AnswerRequest
from models.interactions.event_log import EventLog, Histories
from models.recommend.behaviour import Behaviour
from models.recommend.hashed_text import HashedTextEmbedder
from models.recommend.item_factors import Fit
from models.recommend.learned import LearnedSources
from models.recommend.retriever import ShopIndex
from models.recommend.rooms import RoomRanker
from models.training.recommender import fit_behaviour
from models.types import Document, DocumentId, ProductId
from tests.deployments.store.examples import BY, START, product

ASKED = AnswerRequest("杯盖可以单独买吗？", product_id=ProductId("p1"))
ANSWER = Document(DocumentId(""), "qa", ProductId("p1"), "杯盖可以单独买吗？", "可以，联系客服补发。", language="zh")
ROUNDS = 100


@pytest.fixture
def behaviour() -> Behaviour:
    return fit_behaviour(Histories(EventLog.of(())), [product()], START, Fit(factor_dim=2), seed=0)


@asynccontextmanager
async def replica(url: str, behaviour: Behaviour) -> AsyncIterator[Gateway]:
    """An ingress replica with an index of its own; its poll is the default one."""
    index = ShopIndex(HashedTextEmbedder(), picture_dim=2, factor_dim=2)
    async with await Store.open(url) as store:
        retriever = await LiveRetriever(
            store, LoadedRetriever(index, behaviour, RoomRanker(index), "tag", LearnedSources()), poll_s=0.2
        ).start()
        gateway = Gateway(store, replace(fake_ports(StoreShop(store)), knowledge=retriever), Telemetry())
        noting = asyncio.create_task(gateway.questions.run())
        yield gateway
        noting.cancel()
        await retriever.stop()


async def ask(gateway: Gateway) -> AnswerReply:
    reply: AnswerReply = (await gateway.run("answer", ASKED, budget_s=10)).output
    return reply


async def test_what_one_replica_declined_both_answer_once_an_editor_has(tmp_path: Path, behaviour: Behaviour) -> None:
    url = f"sqlite:///{tmp_path / 'livecart.db'}"
    async with await Store.open(url) as store:
        await store.put_products([product(1)], actor=BY)
    async with replica(url, behaviour) as first, replica(url, behaviour) as second:
        assert (await ask(first)).abstained
        assert (await ask(second)).abstained
        for _ in range(ROUNDS):
            found = (await first.store.list_questions()).items
            if found and found[0].count == 2:
                break
            await asyncio.sleep(0.05)
        [question] = found
        await second.store.answer_question(question.question_id, ANSWER, actor=BY)
        for gateway in (first, second):
            for _ in range(ROUNDS):
                reply = await ask(gateway)
                if reply.source == "bank":
                    break
                await asyncio.sleep(0.01)
            assert (reply.source, reply.answer) == ("bank", ANSWER.answer)
        await first.questions.flush()
        assert (await first.store.list_questions()).items == ()
