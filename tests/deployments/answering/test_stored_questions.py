"""Hand-written questions on the demo shop: other words for stored questions, and questions that only look like one."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deployments.loading import load_comprehension, load_retriever
from deployments.local import LocalComprehension
from deployments.settings import IngressConfig, Settings
from graphs.answer import AnswerNodes, AnswerRequest, answer_graph
from graphs.answering.known import Nearness
from graphs.answering.speaking import Speaker
from graphs.fakes import FakeShop, FakeWriter
from models.demo.catalog import demo_documents, demo_products
from models.types import Passage, ProductId

if TYPE_CHECKING:
    from models.recommend.retriever import ShopIndex

ROWS = json.loads(Path(__file__).with_name("stored_questions.json").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class _Shelf:
    index: "ShopIndex"

    async def passages(self, query: str, *, products: frozenset[ProductId] | None, k: int) -> tuple[Passage, ...]:
        return self.index.passages(query, products=products, k=k)


@pytest.mark.parametrize(("language", "found", "mistaken"), [("zh", 34, 3), ("en", 37, 3)])
async def test_paraphrases_hit_and_look_alikes_do_not(language: str, found: int, mistaken: int) -> None:
    settings = Settings()
    index = load_retriever(settings.retriever, settings.embedder).index
    index.put_products(demo_products())
    index.put_documents(demo_documents())
    shop, config = FakeShop(demo_products()), IngressConfig()
    nearness = Nearness(config.bank_threshold, config.bank_agreement, config.evidence_threshold)
    comprehension = LocalComprehension(load_comprehension(settings.comprehension))
    graph = answer_graph(AnswerNodes(shop, _Shelf(index), comprehension, shop, Speaker(FakeWriter()), nearness=nearness))
    counted: Counter[str] = Counter()
    for row in (row for row in ROWS if row["language"] == language):
        reply = (await graph.run(AnswerRequest(row["question"], product_id=row["product_id"]), budget_s=30)).output
        cited = {passage.source_id for passage in reply.citations if passage.question is not None}
        if row["document_id"] is None:
            counted["mistaken"] += bool(cited)
        else:
            counted["found"] += row["document_id"] in cited or reply.source == "slot"
    assert counted["found"] >= found
    assert counted["mistaken"] <= mistaken
