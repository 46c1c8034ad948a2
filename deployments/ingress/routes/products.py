"""The catalogue: products and their pictures."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from deployments.ingress import schema
from deployments.ingress.call import TheGateway, TheInfo, as_dataclass, data_response, model_response
from deployments.ingress.disconnect import until_disconnect, within
from deployments.ingress.frames import checked_picture, files_of, read_form
from deployments.ingress.routing import CALLER, EDITOR, PathId, Router
from deployments.ingress.rows import read_object, read_rows
from graphs.errors import InvalidRow, NotFound
from livecart_client import wire
from models.types import Money, Product, ProductId

router = Router(tag="products")
MAX_IMAGES = 64

Cursor = Annotated[str | None, Query(max_length=1_000, description="`next_cursor` of the page before")]
PageSize = Annotated[int, Query(ge=1, le=500)]


def product_from(body: wire.Product) -> Product:
    return as_dataclass(Product, body, price=Money(body.price.amount, body.price.currency))


def missing(product_id: str, *, param: str | None = None) -> NotFound:
    return NotFound(f"no product `{product_id}`; PUT /v1/products/{product_id} makes it", param=param)


@router.put(
    "/v1/products/{product_id}",
    response_model=wire.Product,
    dependencies=EDITOR,
    responses=schema.errors(413, 415, 503),
    openapi_extra=schema.json_body(schema.ref("ProductBody")),
    summary="Make or replace a product",
)
async def put_product(product_id: PathId, request: Request, gateway: TheGateway, info: TheInfo) -> Response:
    body = await read_object(request, wire.Product, id_name="product_id", path_id=product_id)
    await gateway.store.put_products([product_from(body)], actor=info.actor, request_id=info.request_id)
    return model_response(body)


@router.post(
    "/v1/products",
    dependencies=EDITOR,
    responses={200: schema.UPSERTED, **schema.errors(413, 415, 422, 503)},
    openapi_extra=schema.rows_body("products", "Product"),
    summary="Make or replace up to 1,000 products, all or none",
)
async def put_products(request: Request, gateway: TheGateway, info: TheInfo) -> Response:
    rows = await read_rows(request, "products", wire.Product, max_rows=gateway.limits.max_rows, error=InvalidRow)
    info.ids = tuple(row.product_id for row in rows)
    await gateway.store.put_products([product_from(row) for row in rows], actor=info.actor, request_id=info.request_id)
    return data_response({"upserted": len(rows)})


@router.get(
    "/v1/products", response_model=wire.Page[wire.Product], dependencies=CALLER, responses=schema.errors(503), summary="All, page by page"
)
async def list_products(gateway: TheGateway, cursor: Cursor = None, limit: PageSize = 100) -> Response:
    page = await gateway.store.list_products(cursor, limit)
    return model_response(wire.Page[wire.Product].model_validate(page))


@router.get(
    "/v1/products/{product_id}", response_model=wire.Product, dependencies=CALLER, responses=schema.errors(404, 503), summary="One product"
)
async def get_product(product_id: PathId, gateway: TheGateway) -> Response:
    product = await gateway.store.product(ProductId(product_id))
    if product is None:
        raise missing(product_id)
    return model_response(wire.Product.model_validate(product))


@router.delete(
    "/v1/products/{product_id}",
    status_code=204,
    dependencies=EDITOR,
    responses=schema.errors(404, 503),
    summary="Forget a product, its pictures and the documents about it; it leaves every shelf",
)
async def delete_product(product_id: PathId, gateway: TheGateway, info: TheInfo) -> Response:
    if not await gateway.store.delete_product(ProductId(product_id), actor=info.actor, request_id=info.request_id):
        raise missing(product_id)
    return Response(status_code=204)


@router.post(
    "/v1/products/{product_id}/images",
    status_code=201,
    response_model=wire.Views,
    dependencies=EDITOR,
    responses=schema.errors(404, 409, 413, 415, 429, 503, 504),
    openapi_extra=schema.images_body(),
    summary="Teach what a product looks like; no retraining",
)
async def enrol(product_id: PathId, request: Request, gateway: TheGateway, info: TheInfo) -> Response:
    """Without a deadline it has the longest one: many pictures take their time."""
    pictures = await files_of(await read_form(request, max_files=MAX_IMAGES), "image")
    for picture in pictures:
        checked_picture(picture, param="image")
    longest_s = gateway.limits.max_deadline_s
    budget_s = info.remaining_s(default_s=longest_s, max_s=longest_s)
    work = gateway.enrol(ProductId(product_id), pictures, actor=info.actor, request_id=info.request_id)
    views = await until_disconnect(request.receive, within(budget_s, work))
    return model_response(wire.Views(product_id=product_id, views=views), 201)
