"""Questions that were declined or answered by the LLM, for the editors who turn them into bank entries."""

from typing import Annotated, Literal

from fastapi import Query
from starlette.responses import Response

from deployments.ingress import schema
from deployments.ingress.call import TheGateway, TheInfo, json_response, model_response
from deployments.ingress.routes.products import Cursor, PageSize
from deployments.ingress.routing import EDITOR, PathId, Router
from deployments.store import Question, QuestionOrder, QuestionSource, QuestionStatus
from deployments.store.questions import QuestionFilter, no_question
from livecart_client import wire
from models.types import Document, DocumentId, ProductId, RoomId

router = Router(tag="knowledge")

Status = Annotated[QuestionStatus | Literal["all"], Query(description="What became of them")]
Source = Annotated[QuestionSource | None, Query(description="Only those that nobody answered, or that the LLM did")]
InRoom = Annotated[wire.Identifier | None, Query(description="Only those asked in this room, among others")]
AboutProduct = Annotated[wire.Identifier | None, Query(description="Only those about this product")]
Order = Annotated[QuestionOrder, Query(description="`newest`: first asked last, first")]


@router.get(
    "/v1/questions",
    response_model=wire.Page[wire.Question],
    dependencies=EDITOR,
    responses=schema.errors(503),
    summary="Questions that were declined or answered by the LLM, most asked first",
)
async def list_questions(  # noqa: PLR0913  # each is a query parameter
    gateway: TheGateway,
    *,
    status: Status = "open",
    source: Source = None,
    room_id: InRoom = None,
    product_id: AboutProduct = None,
    order: Order = "most_asked",
    cursor: Cursor = None,
    limit: PageSize = 100,
) -> Response:
    wanted = QuestionFilter(
        None if status == "all" else status,
        source,
        None if room_id is None else RoomId(room_id),
        None if product_id is None else ProductId(product_id),
    )
    page = await gateway.store.list_questions(wanted, order, cursor, limit)
    return model_response(wire.Page[wire.Question].model_validate(page))


@router.get(
    "/v1/questions/{question_id}",
    response_model=wire.Question,
    dependencies=EDITOR,
    responses=schema.errors(404, 503),
    summary="One question",
)
async def get_question(question_id: PathId, gateway: TheGateway) -> Response:
    return model_response(wire.Question.model_validate(await _question(gateway, question_id)))


@router.post(
    "/v1/questions/{question_id}/answer",
    status_code=201,
    response_model=wire.Document,
    dependencies=EDITOR,
    responses={
        200: {"model": wire.Document, "description": "The same answer was given before"},
        **schema.errors(404, 409, 413, 415, 503),
    },
    summary="Put the answer into the bank, from which it is given at once, and close the question",
)
async def answer_question(question_id: PathId, body: wire.QuestionAnswer, gateway: TheGateway, info: TheInfo) -> Response:
    """What the body leaves out is the question's own; `"product_id": null` makes the answer one for the whole shop."""
    asked = await _question(gateway, question_id)
    about = body.product_id if "product_id" in body.model_fields_set else asked.product_id
    answered = Document(
        DocumentId(""),  # the store gives it
        "qa",
        None if about is None else ProductId(about),
        question=body.question or asked.question,
        answer=body.answer,
        language=body.language or asked.language,
    )
    document, is_new = await gateway.store.answer_question(asked.question_id, answered, actor=info.actor, request_id=info.request_id)
    info.ids = (document.document_id,)
    reply = json_response(wire.Document.model_validate(document).model_dump_json().encode("utf-8"), 201 if is_new else 200)
    reply.headers["Location"] = f"/v1/knowledge/{document.document_id}"
    return reply


@router.post(
    "/v1/questions/{question_id}/dismiss",
    status_code=204,
    dependencies=EDITOR,
    responses=schema.errors(404, 409, 503),
    summary="Close a question without an answer; it stays closed however often it is asked",
)
async def dismiss_question(question_id: PathId, gateway: TheGateway, info: TheInfo) -> Response:
    asked = await _question(gateway, question_id)
    await gateway.store.dismiss_question(asked.question_id, actor=info.actor, request_id=info.request_id)
    return Response(status_code=204)


async def _question(gateway: TheGateway, question_id: str) -> Question:
    """Raises NotFound, also for what no question's id can look like."""
    is_number = question_id.isascii() and question_id.isdigit() and len(question_id) < 19 and str(int(question_id)) == question_id
    found = await gateway.store.question(int(question_id)) if is_number else None
    if found is None:
        raise no_question(question_id)
    return found
