"""The recommend graph over a world in this process, with viewers' histories read from a store, and callers in processes of their own."""

import asyncio
import multiprocessing
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.recommend.world import World
from deployments.local import LocalRanker
from deployments.settings import IngressConfig
from deployments.store import Store
from deployments.store.values import StoreOptions
from graphs.recommend import RecommendNodes, RecommendRequest, recommend_graph
from models.types import Candidate, Event, Product, ProductId, Room, RoomId, ViewerId

BUDGET_S = 30.0
EVENTS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """`p50_ms` and `p99_ms` of a request, requests a second of all callers together, and CPU time of one, which other work on the
    machine disturbs least."""

    p50_ms: float
    p99_ms: float
    per_s: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class WorldShop:
    """Catalog from memory, Viewers from the store, as an ingress replica has them."""

    named: Mapping[ProductId, Product]
    store: Store

    async def products(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        return {product_id: product for product_id in product_ids if (product := self.named.get(product_id)) is not None}

    async def room(self, room_id: RoomId) -> Room | None:
        return None

    async def live_rooms(self) -> tuple[Room, ...]:
        return ()

    async def history(self, viewer_id: ViewerId, *, limit: int) -> tuple[Event, ...]:
        return await self.store.viewer_history(viewer_id, limit)

    async def visits(self, viewer_id: ViewerId, *, limit: int) -> tuple[Event, ...]:
        return await self.store.visits(viewer_id, limit)

    async def displays(self, host: ViewerId, *, limit: int) -> tuple[Event, ...]:
        return await self.store.displays(host, limit)


@dataclass(frozen=True, slots=True)
class WorldCandidates:
    """As `deployments.retrieval.LiveRetriever` asks them: on worker threads."""

    world: World

    async def by_behaviour(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        return await asyncio.to_thread(self.world.behaviour.candidates, history, context, k=k, exclude=exclude)

    async def by_content(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        return await asyncio.to_thread(self.world.shop.candidates, history, context, k=k, exclude=exclude)

    async def by_taste(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        return await asyncio.to_thread(self.world.learned.candidates, history, context, k=k, exclude=exclude)


async def fill(url: str, world: World) -> None:
    """The histories into an empty store."""
    store = await Store.open(url, StoreOptions())
    events = [event for history in world.histories.values() for event in history]
    for first in range(0, len(events), EVENTS_AT_ONCE):
        await store.append_events(events[first : first + EVENTS_AT_ONCE])
    await store.close()


def asked(world: World, folder: Path, *, callers: int, requests: int, processes: int) -> Asked:
    """`callers` in all, each asking again when answered; the world is shared by forking, so nothing may run in threads now."""
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    share = [callers // processes + (number < callers % processes) for number in range(processes)]
    workers = [
        context.Process(target=_work, args=(world, folder, each, requests // processes, number, answers))
        for number, each in enumerate(share)
        if each
    ]
    for worker in workers:
        worker.start()
    parts: list[tuple[list[float], float, float]] = [answers.get() for _ in workers]
    for worker in workers:
        worker.join()
    took_s = np.concatenate([times for times, _, _ in parts])
    p50, p99 = np.percentile(took_s, [50, 99]) * 1_000
    cpu_ms = sum(cpu_s for _, _, cpu_s in parts) / len(took_s) * 1_000
    return Asked(float(p50), float(p99), sum(len(times) / seconds for times, seconds, _ in parts), cpu_ms)


def _work(world: World, folder: Path, callers: int, requests: int, number: int, answers: "multiprocessing.SimpleQueue[object]") -> None:
    answers.put(asyncio.run(_ask(world, folder, callers, requests, number)))


async def _ask(world: World, folder: Path, callers: int, requests: int, number: int) -> tuple[list[float], float, float]:
    store = await Store.open(f"sqlite:///{folder / 'store.db'}", StoreOptions())
    shop = WorldShop(world.products, store)
    served = IngressConfig()
    nodes = RecommendNodes(shop, shop, WorldCandidates(world), LocalRanker(world.ranker), served.limits.history_events, served.repetition)
    graph = recommend_graph(nodes)
    viewers = list(world.histories)[number::2] or list(world.histories)
    left, took_s = iter(range(requests)), list[float]()

    async def caller() -> None:
        for place in left:
            started = time.perf_counter()
            await graph.run(RecommendRequest(viewers[place % len(viewers)]), budget_s=BUDGET_S)
            took_s.append(time.perf_counter() - started)

    started, cpu_before = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(callers)))
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu_before
    await store.close()
    return took_s, seconds, cpu_s
