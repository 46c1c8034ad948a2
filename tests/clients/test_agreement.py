"""The two clients have the same face, and know what the server knows."""

import inspect
import pickle
from typing import get_type_hints

import pytest
from fastapi import FastAPI

from deployments.ingress.errors import PUBLIC_ERRORS
from livecart_client import errors, wire
from livecart_client.asynchronous import client as asynchronous_client
from livecart_client.asynchronous import session as asynchronous_session
from livecart_client.asynchronous import state as asynchronous_state
from livecart_client.core import options, routes
from livecart_client.core.routes import Route
from livecart_client.sync import client as sync_client
from livecart_client.sync import session as sync_session
from livecart_client.sync import state as sync_state

NAMED = [route for route in vars(routes).values() if isinstance(route, Route)]
GROUPS = ("Products", "Knowledge", "Rooms", "Viewers", "Questions", "Experiments", "Graphs")
PAIRS = [(sync_client.Client, asynchronous_client.AsyncClient), (sync_session.Session, asynchronous_session.AsyncSession)] + [
    (getattr(sync_state, name), getattr(asynchronous_state, name)) for name in GROUPS
]
FIELDS = [
    (options.RecognizeOptions, wire.RecognizeOptions),
    (options.MomentOptions, wire.MomentOptions),
    (options.AnswerOptions, wire.AnswerRequest),
    (options.ScriptOptions, wire.ScriptRequest),
    (options.LanguageOptions, wire.CopyRequest),
    (options.LanguageOptions, wire.AnalyzeRequest),
    (options.RecommendOptions, wire.RecommendRequest),
    (options.RoomsOptions, wire.RoomsRequest),
    (options.QuestionAnswerOptions, wire.QuestionAnswer),
]
PAGES = [
    (options.PageOptions, "/v1/products"),
    (options.PageOptions, "/v1/knowledge"),
    (options.RoomPageOptions, "/v1/rooms"),
    (options.QuestionPageOptions, "/v1/questions"),
]
OWN = {"deadline_s", "request_id", "trace"}


def methods(kind: type) -> dict[str, list[str]]:
    found = inspect.getmembers(kind, inspect.isfunction)
    return {name: [str(each) for each in inspect.signature(method).parameters.values()] for name, method in found if name[0] != "_"}


@pytest.mark.parametrize(("waiting", "asynchronous"), PAIRS, ids=lambda kind: kind.__name__)
def test_both_clients_have_the_same_methods(waiting: type, asynchronous: type) -> None:
    assert methods(waiting) == methods(asynchronous)


@pytest.mark.parametrize("route", NAMED, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_that_is_called_exists(shared_app: FastAPI, route: Route) -> None:
    assert route.method.lower() in shared_app.openapi()["paths"][route.path]


def test_what_changes_nothing_twice_may_be_repeated() -> None:
    for route in NAMED:
        if route.method != "POST" and not route.path.endswith("z"):
            assert route.may_repeat, route
    generations = {route.path for route in NAMED if not route.may_repeat and route.method == "POST"}
    assert generations == {"/v1/moment", "/v1/answer", "/v1/script", "/v1/copy", "/v1/products/{product_id}/images"}


@pytest.mark.parametrize(("kind", "model"), FIELDS, ids=lambda kind: kind.__name__)
def test_options_are_the_fields_of_their_request(kind: type, model: type[wire.Request]) -> None:
    required = {name for name, field in model.model_fields.items() if field.is_required()}
    assert set(get_type_hints(kind)) - OWN == set(model.model_fields) - required - {"stream"}


@pytest.mark.parametrize(("kind", "path"), PAGES)
def test_options_of_lists_are_their_query(shared_app: FastAPI, kind: type, path: str) -> None:
    parameters = shared_app.openapi()["paths"][path]["get"]["parameters"]
    assert set(get_type_hints(kind)) - OWN == {each["name"] for each in parameters if each["in"] == "query"}


def test_every_code_of_the_server_has_its_error() -> None:
    known = {kind.known_as for kind in errors.kinds()}
    assert {error.code for error in PUBLIC_ERRORS} | {"unreachable", "unexpected_reply"} == known
    for error in PUBLIC_ERRORS:
        assert errors.kind_of(error.code, error.http_status).known_as == error.code


def test_the_tree_is_drawn_as_it_is() -> None:
    for kind in errors.kinds():
        assert f" {kind.__name__} " in (errors.__doc__ or "").replace("\n", " "), kind


def test_a_code_of_a_newer_server_is_kept() -> None:
    kind = errors.kind_of("too_loud", 429)
    assert kind is errors.Overloaded
    assert kind("a", code="too_loud").code == "too_loud"
    assert errors.kind_of("odd", 418) is errors.LivecartError


def test_an_error_survives_another_process() -> None:
    error = errors.Overloaded("full", param="a", details=({"index": 1},), request_id="r", retry_after_s=2.0, status=429)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    assert (type(again), vars(again), str(again)) == (type(error), vars(error), str(error))


# asked by other clients (OpenAI's, Open Inference Protocol's, Prometheus) or, the session, by no HTTP request
ELSEWHERE = ("/v2", "/v1/chat/", "/v1/completions", "/v1/embeddings", "/v1/models", "/metrics")


def test_every_route_has_its_method(shared_app: FastAPI) -> None:
    known = {(route.method.lower(), route.path) for route in NAMED}
    for path, methods_of_path in shared_app.openapi()["paths"].items():
        if not path.startswith(ELSEWHERE):
            assert {(method, path) for method in methods_of_path} <= known, path
