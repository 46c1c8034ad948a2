"""The app: routes, error handlers and the plain ASGI layers around them, over a gateway that is given."""

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from deployments.audit import unheard
from deployments.ingress.auth import Auth
from deployments.ingress.body import BodyLimit
from deployments.ingress.edge import Edge
from deployments.ingress.errors import install_error_handlers
from deployments.ingress.oip.served import ServedModels
from deployments.ingress.openapi import complete
from deployments.ingress.ports import Gateway
from deployments.ingress.routes import (
    events,
    experiments,
    graphs,
    health,
    knowledge,
    openai,
    products,
    questions,
    rooms,
    served,
    session,
    v2,
    v2_models,
)
from deployments.ingress.session.registry import Sessions
from deployments.telemetry import Telemetry

MIB = 1024 * 1024
ROUTERS = (
    graphs.router,
    served.router,
    openai.router,
    v2.router,
    v2_models.router,
    products.router,
    knowledge.router,
    questions.router,
    rooms.router,
    session.router,
    events.router,
    experiments.router,
    health.router,
)


def create_app(
    gateway: Gateway,
    *,
    auth: Auth | None = None,
    telemetry: Telemetry | None = None,
    placements: Mapping[str, str] | None = None,
    sessions: Sessions | None = None,
    more_routers: Sequence[APIRouter] = (),
) -> FastAPI:
    """The whole HTTP front as one ASGI app; nothing happens at its start, so it may be built in any process.

    Args:
        auth: who may do what; None lets everybody do everything.
        telemetry: give the one that the gateway's graphs report to, so that `/metrics` and `/v1/graphs` show them.
        placements: for `/v1/graphs`, the deployments of nodes that leave the ingress process: `graph.node` -> deployment.
        sessions: give one to end the room sessions with the process.
        more_routers: further protocols, made with `routing.Router` to share its rules.
    """
    app = _bare_app()
    app.state.gateway = gateway
    app.state.auth = auth or Auth()
    app.state.telemetry = telemetry or Telemetry()
    app.state.placements = dict(placements or {})
    app.state.sessions = Sessions() if sessions is None else sessions
    app.state.trail = unheard
    app.state.models = ServedModels()
    install_error_handlers(app)
    for router in (*ROUTERS, *more_routers):
        app.include_router(router)
    complete(app)
    return app


def _bare_app() -> FastAPI:
    """Without routes and state; its middleware reads the state of the moment."""
    app: FastAPI = FastAPI(
        title="livecart",
        version=installed_version(),
        summary="The AI of live shopping rooms",
        description='Errors are one object everywhere: `{"error": {"code", "message", "type", "param", "details"}}`. Times carry a zone.',
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        middleware=[
            Middleware(Edge, telemetry=lambda: app.state.telemetry, trail=lambda: app.state.trail),
            Middleware(
                BodyLimit,
                max_bytes=lambda: int(app.state.gateway.limits.max_body_mib * MIB),
                max_s=lambda: app.state.gateway.limits.max_deadline_s,
                default_s=lambda: app.state.gateway.limits.body_s,
            ),
        ],
    )
    return app


def installed_version() -> str:
    try:
        return version("livecart")
    except PackageNotFoundError:
        return "0+source"
