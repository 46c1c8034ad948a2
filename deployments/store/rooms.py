"""Rooms: who sells what, now and before."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, delete, select

from deployments.store.database import Section
from deployments.store.documents import require_products
from deployments.store.journal import By, journal
from deployments.store.queries import page_after, upsert
from deployments.store.rows import Row, checked_rows, distinct, room_row
from deployments.store.schema import rooms, shelf_history
from deployments.store.shelves import moments_of, note_moment, read_rooms, replace_shelf, rooms_of
from deployments.store.values import Page, ShelfMoment
from models.types import Room, RoomId


class Rooms(Section):
    async def put_rooms(self, values: Sequence[Room], *, actor: str, request_id: str | None = None) -> int:
        """Insert or replace all of them or none; of several with one id the last counts. Returns the number of the last change.

        Raises NotFound when a shelf or `showing` names a product that does not exist, InvalidRow, Unavailable.
        """
        put_rooms = distinct(values, lambda room: room.room_id)
        rows = checked_rows(put_rooms, room_row)
        by = By(actor, request_id)

        def put(connection: Connection) -> int:
            with journal(connection, by, keep=self._database.options.keep_changes) as written:
                _put(connection, put_rooms, rows)
                written.note("room", "put", [room.room_id for room in put_rooms])
            return written.seq

        return await self._database.write(put)

    async def room(self, room_id: RoomId) -> Room | None:
        return (await self.rooms([room_id])).get(room_id)

    async def rooms(self, room_ids: Collection[RoomId]) -> dict[RoomId, Room]:
        """Those that exist."""
        return await self._database.read(lambda connection: read_rooms(connection, room_ids))

    async def list_rooms(self, cursor: str | None = None, limit: int = 100, *, live: bool | None = None) -> Page[Room]:
        """In order of id; only those that are live, or are not, when `live` is given. Raises InvalidRequest."""
        statement = select(rooms) if live is None else select(rooms).where(rooms.c.live == live)

        def read(connection: Connection) -> Page[Room]:
            page = page_after(connection, statement, rooms.c.room_id, cursor, limit)
            return Page(tuple(rooms_of(connection, page.items)), page.next_cursor)

        return await self._database.read(read)

    async def live_rooms(self) -> tuple[Room, ...]:
        """All rooms that are live now, in order of id."""

        def read(connection: Connection) -> list[Room]:
            rows = connection.execute(select(rooms).where(rooms.c.live).order_by(rooms.c.room_id)).mappings().all()
            return rooms_of(connection, rows)

        return tuple(await self._database.read(read))

    async def delete_room(self, room_id: RoomId, *, actor: str, request_id: str | None = None) -> bool:
        """False when it was not there. Its shelf history stays."""
        by = By(actor, request_id)

        def forget(connection: Connection) -> bool:
            with journal(connection, by, keep=self._database.options.keep_changes) as written:
                room = read_rooms(connection, [room_id]).get(room_id)
                if room is None:
                    return False
                note_moment(connection, room, Room(room_id, room.title, room.host))
                replace_shelf(connection, room_id, ())
                connection.execute(delete(rooms).where(rooms.c.room_id == room_id))
                written.note("room", "delete", [room_id])
            return True

        return await self._database.write(forget)

    async def shelf_history(self, room_id: RoomId, limit: int = 1_000) -> tuple[ShelfMoment, ...]:
        """What the room has sold and shown, the latest `limit` moments, oldest first."""
        latest = select(shelf_history).where(shelf_history.c.room_id == room_id).order_by(shelf_history.c.seq.desc()).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(latest).mappings().all())
        return moments_of(rows[::-1])


def _put(connection: Connection, values: Sequence[Room], rows: Sequence[Row]) -> None:
    require_products(connection, {product_id for room in values for product_id in room.shelf}, param="shelf")
    require_products(connection, {room.showing for room in values if room.showing is not None}, param="showing")
    before = read_rooms(connection, [room.room_id for room in values])
    upsert(connection, rooms, rows)
    for room in values:
        replace_shelf(connection, room.room_id, room.shelf)
        note_moment(connection, before.get(room.room_id), room)
