"""Calls of what backends keep up to date, and of what the server knows about viewers, questions and experiments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from livecart_client import wire
from livecart_client.core import routes
from livecart_client.core.calls import Call, Content, Upserted, as_json, as_text, call, fields_of, model_of, nothing, validated
from livecart_client.core.options import CallOptions, PageOptions, QuestionAnswerOptions, QuestionPageOptions
from livecart_client.core.routes import Route
from livecart_client.errors import InvalidRequest

K = TypeVar("K", bound=wire.Request)


@dataclass(frozen=True, slots=True)
class Kept(Generic[K]):
    """A kind of object that is made, replaced, listed and forgotten under an id of the caller's."""

    model: type[K]
    pages: type[wire.Page[K]]
    id_name: str
    put: Route
    get: Route
    delete: Route
    page: Route


PRODUCTS = Kept(
    wire.Product,
    wire.Page[wire.Product],
    "product_id",
    routes.PUT_PRODUCT,
    routes.PRODUCT,
    routes.DELETE_PRODUCT,
    routes.PRODUCTS,
)
DOCUMENTS = Kept(
    wire.Document,
    wire.Page[wire.Document],
    "document_id",
    routes.PUT_DOCUMENT,
    routes.DOCUMENT,
    routes.DELETE_DOCUMENT,
    routes.DOCUMENTS,
)
ROOMS = Kept(wire.Room, wire.Page[wire.Room], "room_id", routes.PUT_ROOM, routes.ROOM, routes.DELETE_ROOM, routes.ROOMS)


def put(kept: Kept[K], value: K, options: CallOptions) -> Call[K]:
    ids = {kept.id_name: str(getattr(value, kept.id_name))}
    return call(kept.put, model_of(kept.model), options, Content(json=as_json(value)), ids)


def get(kept: Kept[K], value_id: str, options: CallOptions) -> Call[K]:
    return call(kept.get, model_of(kept.model), options, Content(), {kept.id_name: value_id})


def delete(kept: Kept[K], value_id: str, options: CallOptions) -> Call[None]:
    return call(kept.delete, nothing, options, Content(), {kept.id_name: value_id})


def page(kept: Kept[K], options: PageOptions) -> Call[wire.Page[K]]:
    return call(kept.page, model_of(kept.pages), options, Content(as_text(fields_of(options))))


def put_products(products: Iterable[wire.Product], options: CallOptions) -> Call[Upserted]:
    return call(routes.PUT_PRODUCTS, model_of(Upserted), options, Content(json=_rows("products", products)))


def put_documents(documents: Iterable[wire.Document], options: CallOptions) -> Call[Upserted]:
    return call(routes.PUT_DOCUMENTS, model_of(Upserted), options, Content(json=_rows("documents", documents)))


def enrol(product_id: str, pictures: Sequence[bytes], options: CallOptions) -> Call[wire.Views]:
    if not pictures:
        raise InvalidRequest("at least one picture is needed; nothing was sent", param="image")
    files = tuple(("image", picture) for picture in pictures)
    return call(routes.ENROL, model_of(wire.Views), options, Content(files=files), {"product_id": product_id})


def send_events(events: Iterable[wire.Event], options: CallOptions) -> Call[wire.Accepted]:
    return call(routes.EVENTS, model_of(wire.Accepted), options, Content(json=_rows("events", events)))


def viewer(viewer_id: str, options: CallOptions) -> Call[wire.Viewer]:
    return call(routes.VIEWER, model_of(wire.Viewer), options, Content(), {"viewer_id": viewer_id})


def erase_viewer(viewer_id: str, options: CallOptions) -> Call[None]:
    return call(routes.ERASE_VIEWER, nothing, options, Content(), {"viewer_id": viewer_id})


def questions(options: QuestionPageOptions) -> Call[wire.Page[wire.Question]]:
    return call(routes.QUESTIONS, model_of(wire.Page[wire.Question]), options, Content(as_text(fields_of(options))))


def question(question_id: str, options: CallOptions) -> Call[wire.Question]:
    return call(routes.QUESTION, model_of(wire.Question), options, Content(), {"question_id": question_id})


def answer_question(question_id: str, answer: str, options: QuestionAnswerOptions) -> Call[wire.Document]:
    body = validated(wire.QuestionAnswer, {"answer": answer, **fields_of(options)})
    content = Content(json=as_json(body))
    return call(routes.ANSWER_QUESTION, model_of(wire.Document), options, content, {"question_id": question_id})


def dismiss_question(question_id: str, options: CallOptions) -> Call[None]:
    return call(routes.DISMISS_QUESTION, nothing, options, Content(), {"question_id": question_id})


def experiments(options: CallOptions) -> Call[wire.Page[wire.Experiment]]:
    return call(routes.EXPERIMENTS, model_of(wire.Page[wire.Experiment]), options, Content())


def experiment(name: str, options: CallOptions) -> Call[wire.Experiment]:
    return call(routes.EXPERIMENT, model_of(wire.Experiment), options, Content(), {"name": name})


def _rows(name: str, rows: Iterable[wire.Request]) -> bytes:
    return b'{"%s":[%s]}' % (name.encode("ascii"), b",".join(as_json(row) for row in rows))
