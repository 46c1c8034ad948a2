"""Questions that the store and the bank did not answer: what the knowledge's editors should write next."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, or_, select, update

from deployments.store.askings import asking_row, drop_questions, note_askings
from deployments.store.database import Section
from deployments.store.documents import require_products
from deployments.store.journal import By, audit, journal, lock_counter
from deployments.store.queries import cut_page, decode_cursor, page_before, rows_with, upsert
from deployments.store.rows import checked_rows, document_of, document_row
from deployments.store.schema import documents, question_rooms, questions
from deployments.store.values import Asking, Page, Question, QuestionOrder, QuestionSource, QuestionStatus
from graphs.errors import Conflict, InvalidRequest, NotFound
from models.types import Document, DocumentId, ProductId, RoomId

_HELD = ("question_id", "question", "status", "source", "answer", "language", "product_id", "first_asked", "last_asked", "document_id")


@dataclass(frozen=True, slots=True)
class QuestionFilter:
    """Only questions of which all that is given is true."""

    status: QuestionStatus | None = "open"
    source: QuestionSource | None = None
    room_id: RoomId | None = None  # asked there, among other rooms
    product_id: ProductId | None = None


OPEN = QuestionFilter()


class Questions(Section):
    async def note_questions(self, askings: Sequence[Asking], *, max_open: int) -> int:
        """Count what was asked; returns how many open questions were dropped to keep at most `max_open`.

        The least asked go first, of these the ones not asked for longest. What one viewer asked is erased with the viewer.
        Raises InvalidRow, Unavailable (then it may be noted or not).
        """
        checked_rows(askings, asking_row)
        return await self._database.write(lambda connection: note_askings(connection, askings, max_open))

    async def prune_questions(self, asked_before: datetime) -> int:
        """Forget the questions, of any status, that nobody has asked since; returns how many they were."""
        old = select(questions.c.question_id).where(questions.c.last_asked < asked_before)

        def prune(connection: Connection) -> int:
            lock_counter(connection, "questions")
            found = connection.scalars(old).all()
            drop_questions(connection, found)
            return len(found)

        return await self._database.write(prune)

    async def question(self, question_id: int) -> Question | None:
        statement = select(questions).where(questions.c.question_id == question_id)

        def read(connection: Connection) -> list[Question]:
            return _questions_of(connection, connection.execute(statement).mappings().all())

        return next(iter(await self._database.read(read)), None)

    async def list_questions(
        self, wanted: QuestionFilter = OPEN, order: QuestionOrder = "most_asked", cursor: str | None = None, limit: int = 100
    ) -> Page[Question]:
        """Those asked most, or first asked last, first. Raises InvalidRequest for a bad cursor or limit.

        By `most_asked`, one that is asked while pages are read may move to a page that was read before.
        """
        statement = _filtered(wanted)

        def read(connection: Connection) -> Page[Question]:
            if order == "newest":
                page = page_before(connection, statement, questions.c.question_id, cursor, limit)
            else:
                page = _most_asked(connection, statement, cursor, limit)
            return Page(tuple(_questions_of(connection, page.items)), page.next_cursor)

        return await self._database.read(read)

    async def answer_question(
        self, question_id: int, answered: Document, *, actor: str, request_id: str | None = None
    ) -> tuple[Document, bool]:
        """Put `answered` into the bank under the question's own document id and mark the question, in one transaction.

        Returns the document, and whether it is new: the same answer again changes nothing. Raises NotFound (no such question or
        product), Conflict (another answer was given), InvalidRow, Unavailable.
        """
        [row] = checked_rows([answered], document_row)
        by = By(actor, request_id)

        def settle(connection: Connection) -> tuple[Document, bool]:
            asked = _locked(connection, question_id)
            row["document_id"] = f"question-{asked['digest'].hex()[:20]}"
            held = _bank_entry(connection, row["document_id"]) if asked["status"] == "answered" else None
            if held is not None:
                if document_row(held) == row:
                    return held, False
                raise Conflict(f"question {question_id} was answered meanwhile; PUT /v1/knowledge/{row['document_id']} changes the answer")
            with journal(connection, by, keep=self._database.options.keep_changes) as written:
                require_products(connection, {row["product_id"]} - {None}, param="product_id")
                upsert(connection, documents, [row])
                written.note("document", "put", [row["document_id"]])
            _settle(connection, question_id, "answered", row["document_id"])
            audit(connection, by, [("question.answer", str(question_id))])
            return Document(**row), True

        return await self._database.write(settle)

    async def dismiss_question(self, question_id: int, *, actor: str, request_id: str | None = None) -> None:
        """It stays dismissed however often it is asked. Raises NotFound, Conflict (it was answered), Unavailable."""
        by = By(actor, request_id)

        def dismiss(connection: Connection) -> None:
            asked = _locked(connection, question_id)
            if asked["status"] == "answered":
                raise Conflict(f"question {question_id} was answered: DELETE /v1/knowledge/{asked['document_id']} takes the answer back")
            if asked["status"] == "open":
                _settle(connection, question_id, "dismissed", asked["document_id"])
                audit(connection, by, [("question.dismiss", str(question_id))])

        await self._database.write(dismiss)


def no_question(name: object) -> NotFound:
    return NotFound(f"no question `{name}`; GET /v1/questions lists them, and old ones are forgotten", param="question_id")


def _locked(connection: Connection, question_id: int) -> RowMapping:
    """The question, which nobody else changes until this transaction ends. Raises NotFound."""
    lock_counter(connection, "questions")
    asked = connection.execute(select(questions).where(questions.c.question_id == question_id)).mappings().first()
    if asked is None:
        raise no_question(question_id)
    return asked


def _bank_entry(connection: Connection, document_id: str) -> Document | None:
    held = rows_with(connection, select(documents), documents.c.document_id, [document_id])
    return document_of(held[0]) if held else None


def _settle(connection: Connection, question_id: int, status: QuestionStatus, document_id: DocumentId | None) -> None:
    settled = {"status": status, "settled_at": datetime.now(UTC), "document_id": document_id}
    connection.execute(update(questions).where(questions.c.question_id == question_id).values(settled))


def _filtered(wanted: QuestionFilter) -> Select[Any]:
    statement = select(questions)
    for column, value in (
        (questions.c.status, wanted.status),
        (questions.c.source, wanted.source),
        (questions.c.product_id, wanted.product_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.room_id is not None:
        asked_there = select(question_rooms.c.question_id).where(question_rooms.c.room_id == wanted.room_id)
        statement = statement.where(questions.c.question_id.in_(asked_there))
    return statement


def _most_asked(connection: Connection, statement: Select[Any], cursor: str | None, limit: int) -> Page[RowMapping]:
    times, number = questions.c.times, questions.c.question_id
    if cursor is not None:
        least, before = _place_of(cursor)
        statement = statement.where(or_(times < least, and_(times == least, number < before)))
    return cut_page(connection, statement.order_by(times.desc(), number.desc()), limit, lambda row: f"{row['times']}/{row['question_id']}")


def _place_of(cursor: str) -> tuple[int, int]:
    times, _, number = decode_cursor(cursor).partition("/")
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in (times, number)):
        raise InvalidRequest("the cursor was not given by a page of this list", param="cursor")
    return int(times), int(number)


def _questions_of(connection: Connection, rows: Sequence[RowMapping]) -> list[Question]:
    rooms: dict[int, list[RoomId]] = defaultdict(list)
    statement = select(question_rooms).order_by(question_rooms.c.room_id)
    for row in rows_with(connection, statement, question_rooms.c.question_id, [row["question_id"] for row in rows]):
        rooms[row["question_id"]].append(row["room_id"])
    return [Question(**{name: row[name] for name in _HELD}, room_ids=tuple(rooms[row["question_id"]]), count=row["times"]) for row in rows]
