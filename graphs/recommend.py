"""Viewer -> candidates from several sources at once -> ranked products with reasons."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Literal

from graphs.errors import InvalidRequest, NotFound
from graphs.flow import Graph, GraphBuilder
from graphs.ports import Candidates, Catalog, Ranker, Viewers
from graphs.recommending.reasons import reason_kind, reason_text, telling, touched_of
from graphs.recommending.variety import varied
from graphs.viewers import known_history
from graphs.watching.displays import host_of, shown_lately
from models.types import (
    CANDIDATES_PER_SOURCE,
    CANDIDATES_PER_TASTE,
    HISTORY_EVENTS,
    Candidate,
    Event,
    ProductId,
    Ranked,
    RankRequest,
    ReasonKind,
    Room,
    RoomId,
    SourceKind,
    ViewerId,
)

DISPLAYS_READ = 50  # of a room, the latest
SHOWN_AT_MOST = 3  # products of a room's screen that lead to others


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class RecommendRequest:
    viewer_id: ViewerId
    room_id: RoomId | None = None
    k: int = 10
    context: tuple[ProductId, ...] = ()  # on screen or under discussion; not recommended back
    exclude: tuple[ProductId, ...] = ()
    within: Literal["room"] | None = None  # "room" makes the shelf a limit, not a preference


@dataclass(frozen=True, slots=True)
class Reason:
    kind: ReasonKind
    product_id: ProductId | None
    weight: float
    text: str


@dataclass(frozen=True, slots=True)
class RecommendedProduct:
    product_id: ProductId
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Exposure:
    name: str
    variant: str


@dataclass(frozen=True, slots=True)
class RecommendReply:
    items: tuple[RecommendedProduct, ...]
    experiment: Exposure | None = None


@dataclass(frozen=True, slots=True)
class RecommendNodes:
    """`now`: the clock by which requests are ranked and displays are recent. `repetition`: see `graphs.recommending.variety`.

    `bought_again_after_days`: so long a product that the viewer bought is not offered to them; 0 offers it at once.
    """

    catalog: Catalog
    viewers: Viewers
    candidates: Candidates
    ranker: Ranker
    history_events: int = HISTORY_EVENTS
    repetition: float = 0.0
    bought_again_after_days: float = 0.0
    now: Callable[[], datetime] = utc_now

    async def history(self, request: RecommendRequest) -> tuple[Event, ...]:
        return await known_history(self.viewers, request.viewer_id, limit=self.history_events)

    async def room(self, request: RecommendRequest) -> Room | None:
        if request.room_id is None:
            if request.within == "room":
                raise InvalidRequest('`within: "room"` needs a `room_id`', param="within")
            return None
        room = await self.catalog.room(request.room_id)
        if room is None:
            raise NotFound(f"no room `{request.room_id}`; PUT /v1/rooms/{request.room_id} makes it", param="room_id")
        return room

    async def context(self, request: RecommendRequest) -> tuple[ProductId, ...]:
        known = await self.catalog.products(request.context)
        unknown = [product_id for product_id in request.context if product_id not in known]
        if unknown:
            raise NotFound(f"no product `{unknown[0]}`", param="context.product_ids")
        return request.context

    async def shown(self, request: RecommendRequest) -> tuple[ProductId, ...]:
        """What the room has shown lately, where the caller names the room and says nothing of the screen."""
        if request.room_id is None or request.context:
            return ()
        displays = await self.viewers.displays(host_of(request.room_id), limit=DISPLAYS_READ)
        return on_screen(displays, self.now())

    @staticmethod
    def surroundings(context: tuple[ProductId, ...], shown: tuple[ProductId, ...], room: Room | None) -> tuple[ProductId, ...]:
        """What leads to other products: what the caller named, else what the room was seen to show, else what it says it shows.

        Unlike what the caller named, what is shown stays recommendable from the shelf: nobody has said that the viewer has it before
        them, and it is what the room sells now.
        """
        return context or shown or ((room.showing,) if room is not None and room.showing is not None else ())

    async def by_behaviour(
        self, request: RecommendRequest, history: tuple[Event, ...], context: tuple[ProductId, ...]
    ) -> tuple[Candidate, ...]:
        """Bought together, popular and fresh."""
        return await self.candidates.by_behaviour(history, context, k=CANDIDATES_PER_SOURCE, exclude=_excluded(request))

    async def by_content(
        self, request: RecommendRequest, history: tuple[Event, ...], context: tuple[ProductId, ...]
    ) -> tuple[Candidate, ...]:
        """Similar to what is on screen or was looked at."""
        return await self.candidates.by_content(history, context, k=CANDIDATES_PER_SOURCE, exclude=_excluded(request))

    async def by_taste(
        self, request: RecommendRequest, history: tuple[Event, ...], context: tuple[ProductId, ...]
    ) -> tuple[Candidate, ...]:
        """What models of whole histories foresee."""
        return await self.candidates.by_taste(history, context, k=CANDIDATES_PER_TASTE, exclude=_excluded(request))

    @staticmethod
    def on_shelf(request: RecommendRequest, room: Room | None) -> tuple[Candidate, ...]:
        shelf = room.shelf if room else ()
        excluded = _excluded(request)
        return tuple(Candidate(p, "on_shelf", 1.0 / rank) for rank, p in enumerate(shelf, start=1) if p not in excluded)

    @staticmethod
    def merged(
        shelf: tuple[Candidate, ...], behaviour: tuple[Candidate, ...], content: tuple[Candidate, ...], taste: tuple[Candidate, ...]
    ) -> tuple[Candidate, ...]:
        return (*shelf, *behaviour, *content, *taste)

    async def sellable(
        self, request: RecommendRequest, history: tuple[Event, ...], room: Room | None, merged: tuple[Candidate, ...]
    ) -> tuple[Candidate, ...]:
        """All candidates that exist, are not sold out, were not just bought and, `within` a room, stand on its shelf."""
        hides_for = timedelta(days=self.bought_again_after_days)
        bought = bought_since(history, self.now() - hides_for) if hides_for else ()
        merged = tuple(c for c in merged if c.product_id not in bought)
        if request.within == "room" and room is not None:
            merged = tuple(c for c in merged if c.product_id in room.shelf)
        products = await self.catalog.products({c.product_id for c in merged})
        return tuple(c for c in merged if c.product_id in products and products[c.product_id].stock != 0)

    async def rank(
        self,
        request: RecommendRequest,
        history: tuple[Event, ...],
        room: Room | None,
        context: tuple[ProductId, ...],
        candidates: tuple[Candidate, ...],
    ) -> tuple[Ranked, ...]:
        return await self.ranker.rank(
            RankRequest(
                viewer_id=request.viewer_id,
                history=history,
                candidates=candidates,
                context=context,
                shelf=room.shelf if room else (),
                at=self.now(),
            )
        )

    async def vary(self, request: RecommendRequest, ranked: tuple[Ranked, ...]) -> tuple[Ranked, ...]:
        """The best `k`, several categories among them."""
        if not self.repetition:
            return ranked[: request.k]
        products = await self.catalog.products({item.product_id for item in ranked})
        category_of = {product_id: product.category for product_id, product in products.items()}
        return varied(ranked, category_of, k=request.k, penalty=self.repetition)

    async def explain(self, history: tuple[Event, ...], best: tuple[Ranked, ...]) -> RecommendReply:
        touched = touched_of(history)
        named = {because for item in best for _, because, _ in item.reasons if because is not None}
        products = await self.catalog.products(named)
        titles = {product_id: product.title for product_id, product in products.items()}
        return RecommendReply(
            tuple(
                RecommendedProduct(
                    item.product_id,
                    item.score,
                    tuple(
                        Reason(reason_kind(source), because, weight, reason_text(source, because, titles, touched))
                        for source, because, weight in telling(item.reasons, item.score, itemgetter(2))
                    ),
                )
                for item in best
            )
        )


def on_screen(displays: Sequence[Event], now: datetime) -> tuple[ProductId, ...]:
    """What leads to other products, of a room's latest `DISPLAYS_READ` displays."""
    return shown_lately(displays, now)[:SHOWN_AT_MOST]


def bought_since(history: Iterable[Event], since: datetime) -> frozenset[ProductId]:
    """What the viewer bought after `since`."""
    return frozenset(e.product_id for e in history if e.type == "purchase" and e.product_id is not None and e.at > since)


def _excluded(request: RecommendRequest) -> frozenset[ProductId]:
    return frozenset((*request.context, *request.exclude))


def nothing(*_inputs: object) -> tuple[Candidate, ...]:
    """Fallback of one source of candidates: the others go on without it."""
    return ()


def as_ranked(request: RecommendRequest, ranked: tuple[Ranked, ...]) -> tuple[Ranked, ...]:
    """Fallback of variety."""
    return ranked[: request.k]


def nothing_shown(_request: RecommendRequest) -> tuple[ProductId, ...]:
    """Fallback of the room's screen."""
    return ()


def by_best_source(
    _request: RecommendRequest,
    _history: tuple[Event, ...],
    _room: Room | None,
    _context: tuple[ProductId, ...],
    candidates: tuple[Candidate, ...],
) -> tuple[Ranked, ...]:
    """Fallback of the ranker: candidates in the order of their own sources (reciprocal rank fusion, Cormack et al. 2009)."""
    scores: dict[ProductId, float] = {}
    first: dict[ProductId, Candidate] = {}
    for source in _by_source(candidates):
        for rank, candidate in enumerate(sorted(source, key=lambda c: -c.score), start=1):
            scores[candidate.product_id] = scores.get(candidate.product_id, 0.0) + 1.0 / (60 + rank)
            first.setdefault(candidate.product_id, candidate)
    order = sorted(scores, key=lambda p: (-scores[p], p))
    return tuple(Ranked(p, scores[p], 0.0, 0.0, 0.0, ((first[p].source, first[p].because, scores[p]),)) for p in order)


def _by_source(candidates: Iterable[Candidate]) -> list[list[Candidate]]:
    sources: dict[SourceKind, list[Candidate]] = {}
    for candidate in candidates:
        sources.setdefault(candidate.source, []).append(candidate)
    return list(sources.values())


def recommend_graph(nodes: RecommendNodes) -> Graph[RecommendRequest, RecommendReply]:
    g = GraphBuilder("recommend", RecommendRequest)
    history = g.add(nodes.history, g.request, timeout_s=2.0)
    room = g.add(nodes.room, g.request, timeout_s=2.0)
    context = g.add(nodes.context, g.request, timeout_s=2.0)
    shown = g.add(nodes.shown, g.request, timeout_s=1.0, fallback=nothing_shown)
    around = g.apply(nodes.surroundings, context, shown, room)
    behaviour = g.add(nodes.by_behaviour, g.request, history, around, timeout_s=1.0, fallback=nothing)
    content = g.add(nodes.by_content, g.request, history, around, timeout_s=1.0, fallback=nothing)
    taste = g.add(nodes.by_taste, g.request, history, around, timeout_s=1.0, fallback=nothing)
    shelf = g.apply(nodes.on_shelf, g.request, room)
    merged = g.apply(nodes.merged, shelf, behaviour, content, taste)
    candidates = g.add(nodes.sellable, g.request, history, room, merged, timeout_s=2.0)
    ranked = g.add(nodes.rank, g.request, history, room, around, candidates, timeout_s=1.0, fallback=by_best_source)
    best = g.add(nodes.vary, g.request, ranked, timeout_s=1.0, fallback=as_ranked)
    reply = g.add(nodes.explain, history, best, timeout_s=1.0)
    return g.build(reply)
