"""Questions that nobody could answer: what the knowledge's editors should write next."""

from datetime import UTC, datetime

from sqlalchemy import RowMapping, insert, select, update

from deployments.store.database import Section
from deployments.store.queries import page_before
from deployments.store.rows import require_storable
from deployments.store.schema import questions
from deployments.store.values import Page, Question, QuestionStatus
from graphs.errors import InvalidRequest
from models.types import Language, ProductId, RoomId, ViewerId


class Questions(Section):
    async def log_question(
        self,
        question: str,
        *,
        room_id: RoomId | None = None,
        product_id: ProductId | None = None,
        viewer_id: ViewerId | None = None,
        language: Language | None = None,
    ) -> int:
        """Remember an open question; returns its number. With a `viewer_id` it is erased with the viewer."""
        try:
            require_storable(question, room_id, product_id, viewer_id)
        except ValueError as error:
            raise InvalidRequest(str(error), param="question") from error
        row = {"question": question, "room_id": room_id, "product_id": product_id, "viewer_id": viewer_id, "language": language}
        statement = insert(questions).values(at=datetime.now(UTC), status="open", **row).returning(questions.c.question_id)
        return await self._database.write(lambda connection: connection.execute(statement).scalar_one())

    async def list_questions(self, status: QuestionStatus | None = "open", cursor: str | None = None, limit: int = 100) -> Page[Question]:
        """Newest first; of every status with None."""
        statement = select(questions) if status is None else select(questions).where(questions.c.status == status)
        page = await self._database.read(lambda connection: page_before(connection, statement, questions.c.question_id, cursor, limit))
        return Page(tuple(map(question_of, page.items)), page.next_cursor)

    async def settle_question(self, question_id: int, status: QuestionStatus) -> bool:
        """Mark a question as answered, dismissed or open again. False when there is no such question."""
        statement = update(questions).where(questions.c.question_id == question_id).values(status=status)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount > 0)


def question_of(row: RowMapping) -> Question:
    return Question(**row)
