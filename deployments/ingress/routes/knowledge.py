"""What is known beside the products' own specifications."""

from fastapi import Request
from starlette.responses import Response

from deployments.ingress import schema
from deployments.ingress.call import TheGateway, TheInfo, as_dataclass, data_response, model_response
from deployments.ingress.routes.products import Cursor, PageSize
from deployments.ingress.routing import CALLER, EDITOR, PathId, Router
from deployments.ingress.rows import read_object, read_rows
from graphs.errors import InvalidRow, NotFound
from livecart_client import wire
from models.types import Document, DocumentId

router = Router(tag="knowledge")


def _missing(document_id: str) -> NotFound:
    return NotFound(f"no document `{document_id}`; PUT /v1/knowledge/{document_id} makes it")


@router.put(
    "/v1/knowledge/{document_id}",
    response_model=wire.Document,
    dependencies=EDITOR,
    responses=schema.errors(404, 413, 415, 503),
    openapi_extra=schema.json_body(schema.ref("DocumentBody")),
    summary="Make or replace a document; it is answered from at once",
)
async def put_document(document_id: PathId, request: Request, gateway: TheGateway, info: TheInfo) -> Response:
    body = await read_object(request, wire.Document, id_name="document_id", path_id=document_id)
    await gateway.store.put_documents([as_dataclass(Document, body)], actor=info.actor, request_id=info.request_id)
    return model_response(body)


@router.post(
    "/v1/knowledge",
    dependencies=EDITOR,
    responses={200: schema.UPSERTED, **schema.errors(404, 413, 415, 422, 503)},
    openapi_extra=schema.rows_body("documents", "Document"),
    summary="Make or replace up to 1,000 documents, all or none",
)
async def put_documents(request: Request, gateway: TheGateway, info: TheInfo) -> Response:
    rows = await read_rows(request, "documents", wire.Document, max_rows=gateway.limits.max_rows, error=InvalidRow)
    info.ids = tuple(row.document_id for row in rows)
    documents = [as_dataclass(Document, row) for row in rows]
    await gateway.store.put_documents(documents, actor=info.actor, request_id=info.request_id)
    return data_response({"upserted": len(rows)})


@router.get(
    "/v1/knowledge", response_model=wire.Page[wire.Document], dependencies=CALLER, responses=schema.errors(503), summary="All, page by page"
)
async def list_documents(gateway: TheGateway, cursor: Cursor = None, limit: PageSize = 100) -> Response:
    page = await gateway.store.list_documents(cursor, limit)
    return model_response(wire.Page[wire.Document].model_validate(page))


@router.get(
    "/v1/knowledge/{document_id}",
    response_model=wire.Document,
    dependencies=CALLER,
    responses=schema.errors(404, 503),
    summary="One document",
)
async def get_document(document_id: PathId, gateway: TheGateway) -> Response:
    document = await gateway.store.document(DocumentId(document_id))
    if document is None:
        raise _missing(document_id)
    return model_response(wire.Document.model_validate(document))


@router.delete(
    "/v1/knowledge/{document_id}", status_code=204, dependencies=EDITOR, responses=schema.errors(404, 503), summary="Forget a document"
)
async def delete_document(document_id: PathId, gateway: TheGateway, info: TheInfo) -> Response:
    if not await gateway.store.delete_document(DocumentId(document_id), actor=info.actor, request_id=info.request_id):
        raise _missing(document_id)
    return Response(status_code=204)
