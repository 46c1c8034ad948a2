"""The OpenAPI document is true of the real stack: schemathesis, bounded and seeded. What it changes is put back."""

from collections.abc import Iterator

import pytest

from livecart_client import Client, wire
from tests.fuzzing import fuzz
from tests.integration.conftest import Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1_200)]
# generations of any length, and what would take a model away from the other tests
LEFT_OUT = "^/v1/(chat/)?completions$|/unload$"


@pytest.fixture
def put_back(server: Server) -> Iterator[None]:
    """Products, documents and rooms are as they were."""
    with Client(server.url) as client:
        products = {product.product_id: product for product in client.products.each(limit=500)}
        documents = {document.document_id: document for document in client.knowledge.each(limit=500)}
        rooms = {room.room_id: room for room in client.rooms.each(limit=500)}
        yield
        for room in list(client.rooms.each(limit=500)):
            if room.room_id not in rooms:
                client.rooms.delete(room.room_id)
        for document in list(client.knowledge.each(limit=500)):
            if document.document_id not in documents:
                client.knowledge.delete(document.document_id)
        found = {product.product_id: product for product in client.products.each(limit=500)}
        for product_id in found.keys() - products.keys():
            client.products.delete(product_id)
        _put_changed(client, [product for product in products.values() if found.get(product.product_id) != product])
        for document in documents.values():
            if client.knowledge.get(document.document_id) != document:
                client.knowledge.put(document)
        for room in rooms.values():
            client.rooms.put(room)


def _put_changed(client: Client, products: list[wire.Product]) -> None:
    if products:
        client.products.put_many(products)


@pytest.mark.usefixtures("put_back")
def test_the_document_is_true_of_the_real_stack(server: Server) -> None:
    bounds = ("--phases", "examples,fuzzing", "--max-examples", "5", "--seed", "3")
    fuzz(server.url, *bounds, "--exclude-method", "DELETE", "--exclude-path-regex", LEFT_OUT)
    with Client(server.url) as client:
        assert client.readyz().status == "ready"
