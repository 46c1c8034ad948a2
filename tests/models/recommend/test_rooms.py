"""Live rooms are ranked by what the viewer did and what goes on in them; nothing else is offered."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recommend import rooms
from models.recommend.hashed_text import HashedTextEmbedder
from models.recommend.retriever import ShopIndex
from models.recommend.rooms import RoomRanker
from models.types import Money, Product, ProductId, Room, RoomId
from tests.models.recommend.conftest import NOW, event


def product(name: str, title: str) -> Product:
    return Product(ProductId(name), title, "things", Money(Decimal(1), "CNY"))


def room(name: str, *shelf: str, title: str = "live") -> Room:
    return Room(RoomId(name), title, "host", live=True, shelf=tuple(map(ProductId, shelf)))


TEA_ROOM, BALL_ROOM, EMPTY_ROOM = room("tea", "mug", "tea", title="tea and mugs"), room("ball", "ball"), room("empty")


@pytest.fixture
def ranker() -> RoomRanker:
    shop = ShopIndex(HashedTextEmbedder(), picture_dim=2, factor_dim=2)
    shop.put_products((product("mug", "tea mug"), product("tea", "green tea"), product("ball", "rubber ball")))
    return RoomRanker(shop)


def test_a_room_that_was_watched_comes_first_and_says_so(ranker: RoomRanker) -> None:
    history = [event(None, "enter", room="ball", ago_s=900), event(None, "watch", room="ball", ago_s=60, value=800.0)]
    best = ranker.rank_rooms(history, (TEA_ROOM, BALL_ROOM, EMPTY_ROOM), k=3)[0]
    assert best.room_id == "ball"
    assert best.reasons[0][0] == "watched_before"


def test_a_room_whose_shelf_is_near_to_what_was_clicked_comes_first(ranker: RoomRanker) -> None:
    best = ranker.rank_rooms([event("mug")], (BALL_ROOM, EMPTY_ROOM, TEA_ROOM), k=3)[0]
    assert best.room_id == "tea"
    assert {kind for kind, _ in best.reasons} == {"similar_to", "topic"}


def test_activity_makes_a_room_popular_and_a_start_makes_it_fresh(ranker: RoomRanker) -> None:
    ranker.observe(event(None, "enter", viewer="old", room="tea", ago_s=6000))
    for number in range(20):
        ranker.observe(event(None, "like", viewer=f"v{number}", room="tea", ago_s=3000 - number))
    ranker.observe(event(None, "enter", viewer="new", room="ball", ago_s=10))
    for number in range(100):
        ranker.observe(event(None, "like", viewer=f"w{number}", room="tea", ago_s=5))
    first, second = ranker.rank_rooms([], (TEA_ROOM, BALL_ROOM), k=2)
    assert (first.room_id, first.reasons[0][0]) == ("tea", "popular")
    assert (second.room_id, second.reasons[0][0]) == ("ball", "fresh")


def test_an_event_from_the_future_does_not_make_the_other_rooms_old(ranker: RoomRanker) -> None:
    ranker.observe(event(None, "like", room="tea"), now=NOW)
    ranker.observe(replace(event(None, "display", room="elsewhere"), at=NOW + timedelta(days=365_000)), now=NOW)
    (tea,) = ranker.rank_rooms([], (TEA_ROOM,), k=1)
    assert dict(tea.reasons) == pytest.approx({"popular": rooms.SET_BY_HAND["popular"], "fresh": rooms.SET_BY_HAND["fresh"]})


def test_of_endless_rooms_the_latest_are_remembered(ranker: RoomRanker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "MAX_ROOMS", 2)
    for name in ("tea", "ball", "tea", "invented"):
        ranker.observe(event(None, "like", room=name))
    by_room = {item.room_id: item.reasons for item in ranker.rank_rooms([], (TEA_ROOM, BALL_ROOM), k=2)}
    assert by_room[RoomId("tea")]
    assert not by_room[RoomId("ball")]


def test_a_viewer_without_history_gets_all_live_rooms_in_a_stable_order(ranker: RoomRanker) -> None:
    ranked = ranker.rank_rooms([], (TEA_ROOM, BALL_ROOM, EMPTY_ROOM), k=10)
    assert [item.room_id for item in ranked] == ["ball", "empty", "tea"]
    assert ranker.rank_rooms([], (), k=10) == ()


kinds = st.sampled_from(["enter", "watch", "click", "purchase", "leave"])
histories = st.lists(
    st.builds(
        lambda kind, p, r, ago_s: event(p, kind, room=r, ago_s=ago_s, value=60.0),
        kinds,
        st.sampled_from(["mug", "tea", "ball", "unknown"]),
        st.sampled_from(["tea", "ball", "gone", None]),
        st.floats(0, 9999),
    ),
    max_size=10,
)


@given(
    history=histories, live=st.lists(st.sampled_from([TEA_ROOM, BALL_ROOM, EMPTY_ROOM]), unique_by=lambda r: r.room_id), k=st.integers(0, 4)
)
@settings(max_examples=50, deadline=None)
def test_scores_are_shares_and_the_sum_of_their_reasons(history: list, live: list[Room], k: int) -> None:  # type: ignore[type-arg]  # of events
    shop = ShopIndex(HashedTextEmbedder(), picture_dim=2, factor_dim=2)
    shop.put_products((product("mug", "tea mug"), product("ball", "rubber ball")))
    ranker = RoomRanker(shop)
    for item in history:
        ranker.observe(item)
    ranked = ranker.rank_rooms(history, live, k=k)
    assert len(ranked) == min(k, len(live))
    assert {item.room_id for item in ranked} <= {item.room_id for item in live}
    for item in ranked:
        assert 0.0 <= item.score <= 1.0 + 1e-6
        assert sum(weight for _, weight in item.reasons) == pytest.approx(item.score)
        assert all(weight > 0 for _, weight in item.reasons)
