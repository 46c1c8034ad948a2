"""The retriever as it is served: the shop's FAISS indexes and its behaviour, kept current from the store."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Self

import numpy as np

from deployments.loading import LoadedRetriever, load_candidates
from deployments.store import Store
from deployments.store.follower import Follower, Value
from deployments.store.values import ChangeKind, View
from graphs.errors import Unavailable
from models.types import (
    Candidate,
    Document,
    DocumentId,
    Event,
    Match,
    Passage,
    Product,
    ProductId,
    RankedRoom,
    Room,
    Vectors,
)

_log = logging.getLogger("livecart.retriever")
_EVENTS_AT_ONCE = 1_000
_EVENTS_OF_OLD = 20_000  # from before the start, enough to know what is popular now
_MOST_LAG_S = 30.0  # beyond this the copy is too old to be called ready


class LiveRetriever:
    """PictureIndex, Knowledge, Candidates and RoomRanker in one process, at most a poll behind the store.

    Searches run on worker threads; FAISS, numpy and the index's short lock allow several at once.
    """

    def __init__(self, store: Store, loaded: LoadedRetriever, *, poll_s: float) -> None:
        self._store = store
        self._index = loaded.index
        self._behaviour = loaded.behaviour
        self._learned = loaded.learned
        self._rooms = loaded.rooms
        self._embedder_tag = loaded.embedder_tag
        self._poll_s = poll_s
        self._products: dict[ProductId, Product] = {}  # changed since the last `_apply`
        self._documents: dict[DocumentId, Document] = {}
        self._follower = Follower(store, self._on_change, kinds=("product", "document", "view"), on_caught_up=self._apply, poll_s=poll_s)
        self._seen_events: int | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> Self:
        """Load everything, then follow until `stop`. Raises DeadlineExceeded, and has stopped then."""
        self._tasks.append(asyncio.create_task(self._follower.run(), name="follow catalogue"))
        try:
            await self._follower.wait_for(0, timeout_s=600.0)
        except BaseException:
            await self.stop()
            raise
        # Only now: events count when the catalogue knows their products
        self._tasks.append(asyncio.create_task(self._follow_events(), name="follow events"))
        return self

    async def stop(self) -> None:
        """Follow no longer; what is asked is answered on from what is known. The store stays open: it is the caller's. May be repeated."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for task, ended in zip(tasks, await asyncio.gather(*tasks, return_exceptions=True), strict=True):
            if isinstance(ended, Exception):
                _log.error("the task `%s` had ended before", task.get_name(), exc_info=ended)

    async def ping(self) -> None:
        """Raises Unavailable while the first load is under way, or when the copy has fallen far behind."""
        if not self._follower.is_loaded or self._follower.lag_s > _MOST_LAG_S:
            raise Unavailable(f"the index is {self._follower.lag_s:.0f} s behind the store")

    # --- following ---------------------------------------------------------------------------------------------------------

    async def _on_change(self, kind: ChangeKind, key: str, value: Value | None) -> None:
        match value:
            case Product():
                self._products[value.product_id] = value
            case Document():
                self._documents[value.document_id] = value
            case tuple():
                await asyncio.to_thread(self._put_views, ProductId(key), value)
            case None:
                self._forget(kind, key)
            case Room():
                pass  # not asked for

    async def _apply(self, _seq: int) -> None:
        """Index what has changed in one step each: the embedder is fastest on many texts."""
        products, self._products = self._products, {}
        documents, self._documents = self._documents, {}
        if not self._follower.is_loaded:  # what the store does not hold any more may be in an index that was built ahead
            await asyncio.to_thread(self._index.keep_products, products.keys())
        if products:
            await asyncio.to_thread(self._index.put_products, products.values())
            if self._follower.is_loaded:  # what was there at the start is not new
                for product_id in products:
                    self._behaviour.announce(product_id, datetime.now(UTC))
        if documents:
            await asyncio.to_thread(self._index.put_documents, documents.values())

    def _put_views(self, product_id: ProductId, views: Sequence[View]) -> None:
        current = [view.embeddings for view in views if view.model == self._embedder_tag]
        if current:
            self._index.put_views(product_id, np.concatenate(current))

    def _forget(self, kind: ChangeKind, key: str) -> None:
        if kind == "product":
            self._products.pop(ProductId(key), None)
            self._index.remove_product(ProductId(key))
        elif kind == "document":
            self._documents.pop(DocumentId(key), None)
            self._index.remove_document(DocumentId(key))

    async def _follow_events(self) -> None:
        """Feed what goes on in rooms, and the popularity of products that the catalogue knows: invented ids must not fill the memory.

        A database that is away is asked again with the next round.
        """
        while True:
            try:
                if self._seen_events is None:
                    self._seen_events = max(0, await self._store.count_events() - _EVENTS_OF_OLD)
                fresh = await self._store.events_since(self._seen_events, _EVENTS_AT_ONCE)
            except Unavailable as error:
                _log.warning("events cannot be followed now: %s", error)
                fresh = []
            for numbered in fresh:
                if numbered.event.product_id is not None and self._index.knows(numbered.event.product_id):
                    self._behaviour.observe(numbered.event)
                self._rooms.observe(numbered.event)
                self._seen_events = numbered.seq
            await asyncio.sleep(0 if len(fresh) == _EVENTS_AT_ONCE else self._poll_s)

    async def swap(self, folder: str) -> None:
        """Load another recommender's sources of candidates; what is popular now is kept. Raises ArtifactError, and goes on as before."""
        fresh = await asyncio.to_thread(load_candidates, folder)
        await asyncio.to_thread(self._index.put_factors, fresh.behaviour.item_vectors(), dim=fresh.behaviour.factor_dim)
        self._behaviour = fresh.behaviour.with_popularity(self._behaviour.popularity)
        self._learned = fresh.learned
        self._rooms.weights = fresh.room_weights

    @property
    def seen_events(self) -> int:
        """Number of the latest event that counts here."""
        return self._seen_events or 0

    # --- ports -------------------------------------------------------------------------------------------------------------

    async def match(self, embeddings: Vectors, *, among: frozenset[ProductId] | None, top_k: int) -> list[tuple[Match, ...]]:
        return await asyncio.to_thread(self._index.match, embeddings, among=among, top_k=top_k)

    async def passages(self, query: str, *, products: frozenset[ProductId] | None, k: int) -> tuple[Passage, ...]:
        return await asyncio.to_thread(self._index.passages, query, products=products, k=k)

    async def embed_texts(self, texts: Sequence[str]) -> Vectors:
        return await asyncio.to_thread(self._index.embed_texts, texts)

    async def by_behaviour(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        return await asyncio.to_thread(self._behaviour.candidates, history, context, k=k, exclude=exclude)

    async def by_content(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        return await asyncio.to_thread(self._index.candidates, history, context, k=k, exclude=exclude)

    async def by_taste(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        learned = self._learned
        if not learned.kinds:
            return ()
        return await asyncio.to_thread(learned.candidates, history, context, k=k, exclude=exclude)

    async def rank_rooms(self, history: Sequence[Event], live: Sequence[Room], *, k: int) -> tuple[RankedRoom, ...]:
        return await asyncio.to_thread(self._rooms.rank_rooms, history, live, k=k)
