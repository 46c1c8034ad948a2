from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from graphs.errors import InvalidRequest, NotFound, Unavailable
from graphs.fakes import FakeRanker, FakeRetriever, FakeShop
from graphs.flow import Graph
from graphs.recommend import RecommendNodes, RecommendReply, RecommendRequest, recommend_graph
from graphs.watching.displays import host_of
from models.types import Candidate, Event, EventId, ProductId, RoomId, ViewerId
from tests.graphs.world import ENTER, LAMP, MUG, PEN, ROOM, VIEWER

BOUGHT = Candidate(PEN.product_id, "bought_together", 2.0, LAMP.product_id)
SIMILAR = Candidate(LAMP.product_id, "similar_to", 0.9, PEN.product_id)


def graph(
    behaviour: tuple[Candidate, ...] = (BOUGHT,), content: tuple[Candidate, ...] = (SIMILAR,), ranker: FakeRanker | None = None
) -> Graph[RecommendRequest, RecommendReply]:
    shop = FakeShop((LAMP, MUG, PEN), (ROOM,), (ENTER,))
    retriever = FakeRetriever(behaviour=behaviour, content=content)
    return recommend_graph(RecommendNodes(shop, shop, retriever, ranker or FakeRanker()))


def ids(reply: RecommendReply) -> list[ProductId]:
    return [item.product_id for item in reply.items]


async def test_candidates_of_all_sources_are_ranked_and_explained() -> None:
    run = await graph().run(RecommendRequest(VIEWER), budget_s=1)
    assert set(ids(run.output)) == {PEN.product_id, LAMP.product_id}
    bought = next(item for item in run.output.items if item.product_id == PEN.product_id)
    assert (bought.reasons[0].kind, bought.reasons[0].product_id) == ("bought_together", LAMP.product_id)
    assert LAMP.title in bought.reasons[0].text


async def test_what_learned_sources_foresee_is_merged_and_said_to_be_what_viewers_did() -> None:
    click = Event(EventId("c1"), VIEWER, "click", ENTER.at, product_id=PEN.product_id)
    shop = FakeShop((LAMP, MUG, PEN), (ROOM,), (ENTER, click))
    foreseen = (Candidate(PEN.product_id, "sequence", 0.4), Candidate(LAMP.product_id, "ials", 0.3, PEN.product_id))
    nodes = RecommendNodes(shop, shop, FakeRetriever(taste=foreseen), FakeRanker())
    items = (await recommend_graph(nodes).run(RecommendRequest(VIEWER), budget_s=1)).output.items
    assert [(item.product_id, item.reasons[0].kind) for item in items] == [
        (PEN.product_id, "bought_together"),
        (LAMP.product_id, "bought_together"),
    ]
    assert "history like yours" in items[0].reasons[0].text
    assert PEN.title in items[1].reasons[0].text


async def test_a_viewer_who_did_nothing_is_told_of_the_screen() -> None:
    shop = FakeShop((LAMP, MUG, PEN), (ROOM,), (ENTER,))
    foreseen = (Candidate(PEN.product_id, "sequence", 0.4), Candidate(LAMP.product_id, "ials", 0.3, PEN.product_id))
    graph_ = recommend_graph(RecommendNodes(shop, shop, FakeRetriever(taste=foreseen), FakeRanker()))
    items = (await graph_.run(RecommendRequest(VIEWER, context=(MUG.product_id,)), budget_s=1)).output.items
    assert {reason.text for item in items for reason in item.reasons} == {"goes with what is on screen"}


async def test_k_limits_the_list() -> None:
    assert len((await graph().run(RecommendRequest(VIEWER, k=1), budget_s=1)).output.items) == 1


async def test_what_is_on_screen_is_not_recommended_back() -> None:
    run = await graph().run(RecommendRequest(VIEWER, context=(LAMP.product_id,)), budget_s=1)
    assert ids(run.output) == [PEN.product_id]


async def test_what_is_excluded_is_left_out() -> None:
    run = await graph().run(RecommendRequest(VIEWER, exclude=(PEN.product_id,)), budget_s=1)
    assert ids(run.output) == [LAMP.product_id]


async def test_a_room_prefers_its_shelf_and_offers_more() -> None:
    run = await graph().run(RecommendRequest(VIEWER, ROOM.room_id), budget_s=1)
    assert ids(run.output) == [LAMP.product_id, PEN.product_id]


async def test_within_a_room_only_its_shelf_is_offered() -> None:
    run = await graph().run(RecommendRequest(VIEWER, ROOM.room_id, within="room"), budget_s=1)
    assert ids(run.output) == [LAMP.product_id]


async def test_within_without_a_room_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        await graph().run(RecommendRequest(VIEWER, within="room"), budget_s=1)


async def test_what_is_sold_out_is_not_offered() -> None:
    run = await graph(behaviour=(Candidate(MUG.product_id, "popular", 9.0),)).run(RecommendRequest(VIEWER), budget_s=1)
    assert MUG.product_id not in ids(run.output)


@pytest.mark.parametrize(
    ("days_ago", "days", "is_offered"),
    [(1.0, 7.0, False), (0.0, 7.0, False), (8.0, 7.0, True), (0.0, 0.0, True), (1.0, 0.0, True), (-1.0, 0.0, True)],
)
async def test_what_was_just_bought_is_not_offered(days_ago: float, days: float, *, is_offered: bool) -> None:
    now = datetime.now(UTC)
    purchase = Event(EventId("p1"), VIEWER, "purchase", now - timedelta(days=days_ago), product_id=LAMP.product_id)
    shop = FakeShop(
        (LAMP, MUG, PEN), (ROOM,), (purchase, replace(purchase, event_id=EventId("c1"), type="click", product_id=PEN.product_id))
    )
    retriever = FakeRetriever(behaviour=(BOUGHT,), content=(SIMILAR,))
    nodes = RecommendNodes(shop, shop, retriever, FakeRanker(), bought_again_after_days=days, now=lambda: now)
    for room in (None, ROOM.room_id):
        run = await recommend_graph(nodes).run(RecommendRequest(VIEWER, room), budget_s=1)
        assert (LAMP.product_id in ids(run.output)) == is_offered
        assert PEN.product_id in ids(run.output)


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        (RecommendRequest(ViewerId("nobody")), "viewer_id"),
        (RecommendRequest(VIEWER, RoomId("nowhere")), "room_id"),
        (RecommendRequest(VIEWER, context=(ProductId("nothing"),)), "context.product_ids"),
    ],
)
async def test_unknown_names_are_not_found(request_: RecommendRequest, param: str) -> None:
    with pytest.raises(NotFound) as caught:
        await graph().run(request_, budget_s=1)
    assert caught.value.param == param


async def test_without_the_ranker_the_sources_own_order_is_fused() -> None:
    run = await graph(ranker=FakeRanker(Unavailable("down"))).run(RecommendRequest(VIEWER), budget_s=1)
    assert run.degraded
    assert set(ids(run.output)) == {PEN.product_id, LAMP.product_id}


async def test_without_one_source_the_others_go_on() -> None:
    shop = FakeShop((LAMP, MUG, PEN), (ROOM,), (ENTER,))
    retriever = FakeRetriever(failure=Unavailable("down"))
    over = recommend_graph(RecommendNodes(shop, shop, retriever, FakeRanker()))
    run = await over.run(RecommendRequest(VIEWER, ROOM.room_id), budget_s=1)
    assert (run.degraded, ids(run.output)) == (True, [LAMP.product_id])


def shown_room(*shown: ProductId) -> tuple[FakeShop, "Remembering"]:
    now = datetime.now(UTC)
    host = host_of(ROOM.room_id)
    displays = (Event(EventId(f"d-{p}"), host, "display", now - timedelta(seconds=9), ROOM.room_id, p, 5.0) for p in shown)
    return FakeShop((LAMP, MUG, PEN), (ROOM,), (ENTER, *displays)), Remembering(behaviour=(BOUGHT,), content=(SIMILAR,))


@dataclass
class Remembering(FakeRetriever):
    """Remembers the context that it was asked with."""

    contexts: list[tuple[ProductId, ...]] = field(default_factory=list)

    async def by_behaviour(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        self.contexts.append(tuple(context))
        return await super().by_behaviour(history, context, k=k, exclude=exclude)


async def test_what_a_room_was_seen_to_show_leads_to_other_products() -> None:
    shop, retriever = shown_room(PEN.product_id)
    over = recommend_graph(RecommendNodes(shop, shop, retriever, FakeRanker()))
    await over.run(RecommendRequest(VIEWER, ROOM.room_id), budget_s=1)
    await over.run(RecommendRequest(VIEWER, ROOM.room_id, context=(MUG.product_id,)), budget_s=1)
    await over.run(RecommendRequest(VIEWER), budget_s=1)
    assert retriever.contexts == [(PEN.product_id,), (MUG.product_id,), ()]


async def test_a_room_that_nobody_watches_shows_what_it_says() -> None:
    shop, retriever = shown_room()
    await recommend_graph(RecommendNodes(shop, shop, retriever, FakeRanker())).run(RecommendRequest(VIEWER, ROOM.room_id), budget_s=1)
    assert retriever.contexts == [(LAMP.product_id,)]


async def test_what_is_shown_may_be_recommended() -> None:
    shop, retriever = shown_room(LAMP.product_id)
    run = await recommend_graph(RecommendNodes(shop, shop, retriever, FakeRanker())).run(RecommendRequest(VIEWER, ROOM.room_id), budget_s=1)
    assert LAMP.product_id in ids(run.output)


async def test_a_host_is_no_viewer() -> None:
    shop, retriever = shown_room(LAMP.product_id)
    with pytest.raises(NotFound):
        await recommend_graph(RecommendNodes(shop, shop, retriever, FakeRanker())).run(RecommendRequest(host_of(ROOM.room_id)), budget_s=1)
