"""What a room is about follows its title, its shelf and what is said in it."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from models.recommend import room_topics
from models.recommend.hashed_text import HashedTextEmbedder
from models.recommend.retriever import ShopIndex
from models.recommend.room_topics import RoomTopics
from models.types import Event, Money, Product, ProductId, Room, RoomId
from tests.models.recommend.conftest import event

TEA, BALL = ProductId("tea"), ProductId("ball")
ROOM = Room(RoomId("r"), "live", "host", live=True)


def said(text: str, room: str = "r") -> Event:
    return replace(event(None, "comment", room=room), text=text)


@pytest.fixture
def topics() -> RoomTopics:
    shop = ShopIndex(HashedTextEmbedder(), picture_dim=2, factor_dim=2)
    titles = {TEA: "green tea leaves", BALL: "rubber ball"}
    shop.put_products(Product(p, title, "things", Money(Decimal(1), "CNY")) for p, title in titles.items())
    return RoomTopics(shop)


@pytest.mark.parametrize("change", ["title", "shelf", "comment"])
def test_a_change_of_the_room_counts_from_the_next_question_on(topics: RoomTopics, change: str) -> None:
    (before,) = topics.near([ROOM], {TEA: 1.0})
    room = {"title": replace(ROOM, title="green tea leaves"), "shelf": replace(ROOM, shelf=(TEA,))}.get(change, ROOM)
    if change == "comment":
        topics.observe(said("which green tea leaves are these"))
    (after,) = topics.near([room], {TEA: 1.0})
    assert after > before + 0.1
    assert topics.near([room], {BALL: 1.0})[0] < after


def test_vectors_have_unit_length_and_an_empty_room_none(topics: RoomTopics) -> None:
    topics.observe(said("tea", room="other"))
    named, empty = topics.vectors([replace(ROOM, shelf=(TEA, BALL)), replace(ROOM, title="")])
    assert np.linalg.norm(named) == pytest.approx(1.0, abs=1e-5)
    assert np.linalg.norm(empty) == 0.0


def test_comments_of_the_latest_rooms_are_remembered(topics: RoomTopics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_topics, "MAX_ROOMS", 1)
    for name in ("r", "other"):
        topics.observe(said("green tea leaves", room=name))
    quiet, talking = topics.near([ROOM, replace(ROOM, room_id=RoomId("other"))], {TEA: 1.0})
    assert talking > quiet + 0.1
