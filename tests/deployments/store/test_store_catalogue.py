"""What every database has to do with products, documents, rooms and views."""

from dataclasses import replace
from datetime import UTC
from decimal import Decimal

import numpy as np
import pytest

from deployments.store import Change, Store, StoreOptions, View
from graphs.errors import Conflict, InvalidRequest, InvalidRow, NotFound, PayloadTooLarge
from models.types import DocumentId, Money, ProductId, RoomId
from tests.deployments.store.examples import BY, document, product, room, view

P1, P2, R1 = ProductId("p1"), ProductId("p2"), RoomId("r1")


async def test_a_product_comes_back_as_it_was_put(store: Store) -> None:
    put = replace(product(), price=Money(Decimal("0.10"), "CNY"))
    await store.put_products([put], actor=BY)
    assert await store.product(P1) == put
    assert str(put.price.amount) == "0.10"
    assert await store.product(ProductId("other")) is None


async def test_optional_fields_may_be_missing(store: Store) -> None:
    bare = replace(product(), brand=None, attributes={}, description=None, tags=(), stock=None)
    await store.put_products([bare], actor=BY)
    assert await store.product(P1) == bare


async def test_putting_again_replaces_and_the_last_of_one_batch_counts(store: Store) -> None:
    await store.put_products([product(), product(title="first"), product(title="second", stock=None)], actor=BY)
    assert await store.product(P1) == product(title="second", stock=None)


async def test_one_bad_row_stores_none_and_is_named(store: Store) -> None:
    with pytest.raises(InvalidRow) as caught:
        await store.put_products([product(1), replace(product(2), title="NUL \0"), replace(product(3), brand="\ud800")], actor=BY)
    assert [detail["index"] for detail in caught.value.details] == [1, 2]
    assert await store.products([P1, P2]) == {}
    assert await store.last_change() == 0


@pytest.mark.parametrize("fault", [{"stock": 2**63}, {"price": Money(Decimal("NaN"), "CNY")}, {"attributes": {"a": "\0"}}])
async def test_what_a_database_cannot_hold_is_an_invalid_row(store: Store, fault: dict[str, object]) -> None:
    with pytest.raises(InvalidRow):
        await store.put_products([replace(product(), **fault)], actor=BY)  # type: ignore[arg-type]  # one field each


async def test_an_id_that_cannot_be_stored_is_simply_not_there(store: Store) -> None:
    assert await store.product(ProductId("\0")) is None
    assert await store.product(ProductId("\ud800")) is None
    assert not await store.delete_room(RoomId("\0"), actor=BY)
    assert await store.shelf_history(RoomId("\0")) == ()


async def test_thousands_of_ids_are_looked_up_at_once(store: Store) -> None:
    await store.put_products([product(number) for number in range(1_500)], actor=BY)
    assert len(await store.products([ProductId(f"p{number}") for number in range(3_000)])) == 1_500


async def test_pages_come_in_order_of_id_by_code_point(store: Store) -> None:
    ids = ["Z", "a", "é", "商品", "a-b", "aB", "a b", "10", "9"]
    await store.put_products([replace(product(), product_id=ProductId(key)) for key in ids], actor=BY)
    first = await store.list_products(None, 4)
    second = await store.list_products(first.next_cursor, 5)
    assert [item.product_id for item in (*first.items, *second.items)] == sorted(ids)
    assert second.next_cursor is None


@pytest.mark.parametrize("cursor", ["!", "é", "AA", "gA"])
async def test_a_made_up_cursor_is_an_invalid_request(store: Store, cursor: str) -> None:
    with pytest.raises(InvalidRequest):
        await store.list_products(cursor, 10)
    with pytest.raises(InvalidRequest):
        await store.audit(10, cursor)


async def test_a_page_of_nothing_cannot_be_asked_for(store: Store) -> None:
    with pytest.raises(InvalidRequest):
        await store.list_rooms(None, 0)


async def test_documents_are_put_listed_and_deleted(store: Store) -> None:
    await store.put_products([product()], actor=BY)
    await store.put_documents([document(1, about=1), document(2)], actor=BY)
    assert (await store.list_documents()).items == (document(1, about=1), document(2))
    assert await store.delete_document(DocumentId("d1"), actor=BY)
    assert not await store.delete_document(DocumentId("d1"), actor=BY)
    assert await store.document(DocumentId("d1")) is None


async def test_a_document_about_an_unknown_product_is_refused_with_all_others(store: Store) -> None:
    with pytest.raises(NotFound) as caught:
        await store.put_documents([document(1), document(2, about=9)], actor=BY)
    assert caught.value.param == "product_id"
    assert (await store.list_documents()).items == ()


async def test_a_room_keeps_the_order_of_its_shelf(store: Store) -> None:
    await store.put_products([product(number) for number in (1, 2, 3)], actor=BY)
    await store.put_rooms([room(shelf=(3, 1, 2), showing=1)], actor=BY)
    assert await store.room(R1) == room(shelf=(3, 1, 2), showing=1)
    await store.put_rooms([room(shelf=(2,))], actor=BY)
    assert await store.room(R1) == room(shelf=(2,))


@pytest.mark.parametrize(("bad", "param"), [(room(shelf=(9,)), "shelf"), (room(showing=9), "showing")])
async def test_a_room_cannot_sell_what_does_not_exist(store: Store, bad: object, param: str) -> None:
    with pytest.raises(NotFound) as caught:
        await store.put_rooms([room(2), bad], actor=BY)  # type: ignore[list-item]  # parametrised
    assert caught.value.param == param
    assert (await store.list_rooms()).items == ()


async def test_rooms_are_listed_by_whether_they_are_live(store: Store) -> None:
    await store.put_rooms([room(1), room(2, live=False)], actor=BY)
    assert [item.room_id for item in (await store.list_rooms(live=True)).items] == ["r1"]
    assert [item.room_id for item in (await store.list_rooms(live=False)).items] == ["r2"]
    assert await store.live_rooms() == (room(1),)
    assert len((await store.list_rooms()).items) == 2


async def test_the_shelf_history_grows_only_when_something_changed(store: Store) -> None:
    await store.put_products([product(1), product(2)], actor=BY)
    for put in (room(shelf=(1,)), room(shelf=(1,)), replace(room(shelf=(1,)), title="other"), room(shelf=(1, 2), showing=2)):
        await store.put_rooms([put], actor=BY)
    await store.delete_room(R1, actor=BY)
    history = await store.shelf_history(R1)
    assert [(moment.shelf, moment.showing, moment.live) for moment in history] == [
        ((P1,), None, True),
        ((P1, P2), P2, True),
        ((), None, False),
    ]
    assert all(moment.at.tzinfo is UTC for moment in history)


async def test_a_deleted_product_takes_its_views_documents_and_places_on_shelves_along(store: Store) -> None:
    await store.put_products([product(1), product(2)], actor=BY)
    await store.put_documents([document(1, about=1), document(2)], actor=BY)
    await store.put_rooms([room(1, shelf=(1, 2), showing=1), room(2, shelf=(2,))], actor=BY)
    await store.add_views(P1, [view()], actor=BY)
    before = await store.last_change()
    assert await store.delete_product(P1, actor=BY)
    assert await store.views(P1) == ()
    assert (await store.list_documents()).items == (document(2),)
    assert await store.room(R1) == room(1, shelf=(2,))
    assert (await store.shelf_history(R1))[-1].shelf == (P2,)
    told = {(change.kind, change.key, change.op) for change in await store.changes_since(before)}
    assert told == {("view", "p1", "delete"), ("document", "d1", "delete"), ("room", "r1", "put"), ("product", "p1", "delete")}
    assert not await store.delete_product(P1, actor=BY)


async def test_views_come_back_with_picture_and_embeddings(store: Store) -> None:
    await store.put_products([product()], actor=BY)
    assert await store.add_views(P1, [view(1), view(2, rows=3)], actor=BY) == 2
    first, second = await store.views(P1)
    assert (first.picture, second.model) == (b"picture 1", "m1")
    assert second.embeddings.dtype == np.float32
    np.testing.assert_array_equal(second.embeddings, view(2, rows=3).embeddings)
    assert (await store.embeddings([P1, P2]))[P1][0].picture is None


async def test_the_same_picture_again_replaces_its_embeddings(store: Store) -> None:
    await store.put_products([product()], actor=BY)
    await store.add_views(P1, [view(1), view(2)], actor=BY)
    again = replace(view(1), model="m2")
    assert await store.add_views(P1, [again, again], actor=BY) == 2
    assert sorted(held.model for held in await store.views(P1)) == ["m1", "m2"]


async def test_replacing_views_forgets_the_others(store: Store) -> None:
    await store.put_products([product()], actor=BY)
    await store.add_views(P1, [view(1), view(2)], actor=BY)
    assert await store.replace_views(P1, [view(3, model="m2")], actor=BY) == 1
    assert [held.picture for held in await store.views(P1)] == [b"picture 3"]
    assert await store.replace_views(P1, (), actor=BY) == 0
    assert (await store.changes_since(0))[-1] == Change(await store.last_change(), "view", "p1", "delete")


async def test_views_are_bounded_and_checked(database_url: str) -> None:
    options = StoreOptions(max_views_per_product=2, max_picture_bytes=20)
    async with await Store.open(database_url, options) as store:
        with pytest.raises(NotFound):
            await store.add_views(P1, [view()], actor=BY)
        await store.put_products([product()], actor=BY)
        with pytest.raises(PayloadTooLarge):
            await store.add_views(P1, [replace(view(), picture=b"x" * 21)], actor=BY)
        with pytest.raises(InvalidRow):
            await store.add_views(P1, [View(b"x", np.array([[np.nan]], np.float32), "m")], actor=BY)
        with pytest.raises(InvalidRow):
            await store.add_views(P1, [View(b"x", np.zeros(4, np.float32), "m")], actor=BY)
        with pytest.raises(Conflict):
            await store.add_views(P1, [view(1), view(2), view(3)], actor=BY)
        assert await store.views(P1) == ()


async def test_products_with_views_are_paged_with_all_their_views(store: Store) -> None:
    await store.put_products([product(number) for number in range(5)], actor=BY)
    for number in (0, 1, 3):
        await store.add_views(ProductId(f"p{number}"), [view(1), view(2)], actor=BY)
    first = await store.list_embeddings(None, 2)
    second = await store.list_embeddings(first.next_cursor, 2)
    assert [(key, len(views)) for key, views in (*first.items, *second.items)] == [("p0", 2), ("p1", 2), ("p3", 2)]
    assert second.next_cursor is None


async def test_every_change_is_audited_with_who_and_in_which_request(store: Store) -> None:
    await store.put_products([product(1), product(2)], actor="anna", request_id="req-1")
    await store.delete_product(P1, actor="ben", request_id="req-2")
    first = await store.audit(2)
    second = await store.audit(2, first.next_cursor)
    assert len(first.items) == 2
    entries = [(entry.actor, entry.action, entry.key, entry.request_id) for entry in (*first.items, *second.items)]
    assert entries[0] == ("ben", "product.delete", "p1", "req-2")
    assert sorted(entries[1:]) == [("anna", "product.put", "p1", "req-1"), ("anna", "product.put", "p2", "req-1")]
    assert second.next_cursor is None


async def test_a_refused_change_leaves_no_trace_in_either_log(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.put_rooms([room(shelf=(1,))], actor=BY)
    assert await store.changes_since(0) == []
    assert (await store.audit()).items == ()


async def test_old_changes_are_forgotten_and_the_gap_shows(database_url: str) -> None:
    async with await Store.open(database_url, StoreOptions(keep_changes=10)) as store:
        assert await store.put_products([product(number) for number in range(1_200)], actor=BY) == 1_200
        assert [change.seq for change in await store.changes_since(0)] == list(range(1_191, 1_201))
