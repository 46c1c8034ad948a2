"""The shelf of a room: its rows, and what it held before."""

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, delete, insert, select, union, update

from deployments.store.journal import Journal
from deployments.store.queries import rows_with
from deployments.store.schema import rooms, shelf_history, shelves
from deployments.store.values import ShelfMoment
from models.types import ProductId, Room, RoomId


def rooms_of(connection: Connection, rows: Collection[RowMapping]) -> list[Room]:
    """Rows of `rooms` with their shelves."""
    shelf: dict[str, list[ProductId]] = defaultdict(list)
    ordered = select(shelves).order_by(shelves.c.room_id, shelves.c.position)
    for item in rows_with(connection, ordered, shelves.c.room_id, [row["room_id"] for row in rows]):
        shelf[item["room_id"]].append(item["product_id"])
    return [Room(**{**row, "tags": tuple(row["tags"]), "shelf": tuple(shelf[row["room_id"]])}) for row in rows]


def read_rooms(connection: Connection, room_ids: Collection[RoomId]) -> dict[RoomId, Room]:
    """Those that exist."""
    found = rows_with(connection, select(rooms), rooms.c.room_id, room_ids)
    return {room.room_id: room for room in rooms_of(connection, found)}


def replace_shelf(connection: Connection, room_id: RoomId, shelf: Collection[ProductId]) -> None:
    connection.execute(delete(shelves).where(shelves.c.room_id == room_id))
    if shelf:
        items = [{"room_id": room_id, "position": position, "product_id": product_id} for position, product_id in enumerate(shelf)]
        connection.execute(insert(shelves), items)


def note_moment(connection: Connection, before: Room | None, after: Room) -> None:
    """Append to the history when what is sold has changed."""
    if before is not None and (before.live, before.shelf, before.showing) == (after.live, after.shelf, after.showing):
        return
    moment = {"live": after.live, "shelf": list(after.shelf), "showing": after.showing}
    connection.execute(insert(shelf_history), {"room_id": after.room_id, "at": datetime.now(UTC), **moment})


def take_off_shelves(written: Journal, product_id: ProductId) -> None:
    """Take a product out of the rooms that sell or show it; each of them changes."""
    connection = written.connection
    on_shelf = select(shelves.c.room_id).where(shelves.c.product_id == product_id)
    shown = select(rooms.c.room_id).where(rooms.c.showing == product_id)
    before = read_rooms(connection, sorted(connection.scalars(union(on_shelf, shown))))
    connection.execute(delete(shelves).where(shelves.c.product_id == product_id))
    connection.execute(update(rooms).where(rooms.c.showing == product_id).values(showing=None))
    for room_id, room in read_rooms(connection, list(before)).items():
        note_moment(connection, before[room_id], room)
    written.note("room", "put", before)


def moments_of(rows: Collection[RowMapping]) -> tuple[ShelfMoment, ...]:
    return tuple(ShelfMoment(row["at"], row["live"], tuple(row["shelf"]), row["showing"]) for row in rows)
