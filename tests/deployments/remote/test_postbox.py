"""Pieces over a socket: in order, whole, to the box they are for, and an end in every case."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.remote.postbox import Address, Box, Courier, Postbox, UnreachableBox
from graphs.errors import Unavailable


@pytest.fixture
async def postbox() -> AsyncIterator[Postbox]:
    opened = await Postbox().open()
    yield opened
    await opened.close()


@pytest.fixture
async def courier() -> AsyncIterator[Courier]:
    courier = Courier()
    yield courier
    courier.close()


async def all_of(box: Box) -> bytes:
    return b"".join([piece async for piece in box])


async def test_pieces_come_in_order_and_end(postbox: Postbox, courier: Courier) -> None:
    with postbox.box() as box:
        delivery = await courier.to(box.address)
        for piece in (b"one ", b"", b"two ", b"three"):
            delivery.post(piece)
        delivery.complete()
        assert await all_of(box) == b"one two three"


async def test_each_box_gets_its_own(postbox: Postbox, courier: Courier) -> None:
    with postbox.box() as left, postbox.box() as right:
        to_left, to_right = await courier.to(left.address), await courier.to(right.address)
        for _ in range(100):
            to_left.post(b"l")
            to_right.post(b"r")
            await asyncio.sleep(0)
        to_right.complete()
        to_left.complete()
        assert await all_of(left) == b"l" * 100
        assert await all_of(right) == b"r" * 100


async def test_what_comes_for_a_box_that_is_gone_is_dropped(postbox: Postbox, courier: Courier) -> None:
    with postbox.box() as gone:
        late = await courier.to(gone.address)
    with postbox.box() as box:
        delivery = await courier.to(box.address)
        late.post(b"late")
        delivery.post(b"here")
        delivery.complete()
        assert await all_of(box) == b"here"


async def test_a_call_that_fails_ends_the_reading_after_what_had_come(postbox: Postbox, courier: Courier) -> None:
    async def failing() -> None:
        raise Unavailable("gone")

    with postbox.box() as box:
        delivery = await courier.to(box.address)
        delivery.post(b"begun")
        assert await anext(box) == b"begun"
        call = asyncio.create_task(failing())
        call.add_done_callback(box.call_ended)
        with pytest.raises(Unavailable, match="gone"):
            await anext(box)


async def test_a_box_on_another_machine_cannot_be_reached(courier: Courier) -> None:
    with pytest.raises(UnreachableBox):
        await courier.to(Address("livecart-nobody-is-here", 1))


async def test_a_postbox_that_was_opened_again_is_found(courier: Courier) -> None:
    for _ in range(2):
        postbox = await Postbox().open()
        with postbox.box() as box:
            delivery = await courier.to(box.address)
            delivery.complete()
            assert await all_of(box) == b""
        await postbox.close()


def test_it_runs_on_uvloop_as_well() -> None:
    async def round_trip() -> bytes:
        postbox, courier = await Postbox().open(), Courier()
        with postbox.box() as box:
            delivery = await courier.to(box.address)
            delivery.post(b"over uvloop")
            delivery.complete()
            return await all_of(box)

    assert uvloop.run(round_trip()) == b"over uvloop"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(max_size=70_000), max_size=12))
def test_what_is_posted_is_what_arrives(pieces: list[bytes]) -> None:
    async def round_trip() -> bytes:
        postbox, courier = await Postbox().open(), Courier()
        with postbox.box() as box:
            delivery = await courier.to(box.address)
            for number, piece in enumerate(pieces):
                delivery.post(piece)
                if number % 3 == 0:
                    await asyncio.sleep(0)
            delivery.complete()
            return await all_of(box)

    assert asyncio.run(round_trip()) == b"".join(pieces)
