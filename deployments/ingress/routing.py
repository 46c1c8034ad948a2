"""What every route shares: the role it needs, checked before a byte of the body is read, and strict JSON."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Security
from fastapi.params import Depends as DependsParam
from fastapi.params import Security as SecurityParam
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import AfterValidator
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from deployments.ingress.auth import ROLES, Auth, Identity, Role, require_role
from deployments.ingress.context import info_of
from deployments.ingress.disconnect import within
from deployments.ingress.ports import Gateway
from graphs.errors import InvalidRequest, PayloadTooLarge, UnsupportedMedia
from livecart_client import wire

MAX_SMALL_JSON_BYTES = 1024 * 1024  # of requests without rows or pictures: several times the longest legal one
MAX_JSON_COMMAS = 2_000_000  # parsing holds the event loop for as long as there are values, some 50 ns each
SCHEME = "key"
BEARER = HTTPBearer(auto_error=False, scheme_name=SCHEME)
CALLER = [Security(BEARER, scopes=["caller"])]
EDITOR = [Security(BEARER, scopes=["editor"])]
OPERATOR = [Security(BEARER, scopes=["operator"])]

READING = frozenset({"GET", "HEAD", "OPTIONS"})

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def _no_replacement_character(value: str) -> str:
    if "\ufffd" in value:
        raise ValueError("must be percent-encoded UTF-8")
    return value


PathId = Annotated[wire.Identifier, AfterValidator(_no_replacement_character), Path(examples=["P-1001"])]


class StrictRequest(Request):
    async def json(self) -> Any:  # noqa: ANN401 - the signature of the class above
        """The body as JSON by the letter: no NaN, no lone surrogates, no invalid UTF-8, no number beyond a double, depth up to 1,024."""
        return orjson.loads(await self.body())


class Route(APIRoute):
    """A route that asks for its role first, then for the right content type, and only then for the body.

    The role is declared as FastAPI's users do (`dependencies=CALLER`) and ends in the OpenAPI document. Run as a dependency it would come
    after the reading of the body, and cost each request some 30 microseconds.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        dependencies: Sequence[DependsParam] | None = None,
        openapi_extra: dict[str, Any] | None = None,
        **options: Any,  # noqa: ANN401 - handed on to FastAPI as they are
    ) -> None:
        roles = [role for dependency in dependencies or () if isinstance(dependency, SecurityParam) for role in dependency.scopes or ()]
        others = [dependency for dependency in dependencies or () if not isinstance(dependency, SecurityParam)]
        extra = {**(openapi_extra or {}), **({"security": [{SCHEME: roles}]} if roles else {})}
        super().__init__(path, endpoint, dependencies=others, openapi_extra=extra, **options)
        # the audit trail tells of each request for what only an editor or operator may change
        self.is_audited = required_role(self) not in (None, "caller") and not self.methods <= READING

    def get_route_handler(self) -> Handler:
        role = required_role(self)
        serve = super().get_route_handler()
        takes_json = self.body_field is not None

        async def handle(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            if role is not None:
                authorise(strict, role)
            if takes_json:
                require_json(strict)
                if len(await strict.body()) > MAX_SMALL_JSON_BYTES:
                    raise PayloadTooLarge(f"a request of this kind fits into {MAX_SMALL_JSON_BYTES} bytes")
            return await _in_time(strict, serve)

        return handle


async def _in_time(request: Request, serve: Handler) -> Response:
    """Serve within the caller's deadline, where there is one; graphs share it out among their nodes besides.

    Raises DeadlineExceeded; whether a change that was on its way to the store is made is then open.
    """
    info = info_of(request.scope)
    if info.deadline_ms is None:
        return await serve(request)
    gateway: Gateway = request.app.state.gateway
    max_s = gateway.limits.max_deadline_s
    return await within(info.remaining_s(default_s=max_s, max_s=max_s), serve(request))


class Router(APIRouter):
    """FastAPI's router with our kind of route."""

    def __init__(self, *, tag: str) -> None:
        super().__init__(route_class=Route, tags=[tag])


def required_role(route: APIRoute) -> Role | None:
    """The highest role that a route asks for; None for a route that is open to all."""
    named = {role for requirement in (route.openapi_extra or {}).get("security", []) for role in requirement.get(SCHEME, [])}
    return next((role for role in reversed(ROLES) if role in named), None)


def authorise(asking: HTTPConnection, role: Role) -> Identity:
    """Who is asking. Raises Unauthenticated, Forbidden, and Overloaded for a key that has asked as often as it may."""
    auth: Auth = asking.app.state.auth
    gateway: Gateway = asking.app.state.gateway
    identity = auth.identify(asking.headers)
    info = info_of(asking.scope)
    info.actor, info.role = identity.name, identity.role
    require_role(identity, role)
    gateway.count_request(identity.name)
    return identity


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def require_json(request: Request) -> None:
    kind = media_type(request)
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise UnsupportedMedia(f"this route takes Content-Type: application/json, not `{kind[:100]}`", param="Content-Type")


async def json_object(request: Request) -> dict[str, object]:
    """The body of a route that validates it by itself. Raises UnsupportedMedia or InvalidRequest when it is no JSON object."""
    require_json(request)
    body = await request.body()
    if body.count(b",") > MAX_JSON_COMMAS:
        raise PayloadTooLarge(f"the body has more than {MAX_JSON_COMMAS} values")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"the body is not valid JSON: {error.msg}") from None
    if not isinstance(value, dict):
        raise InvalidRequest("the body must be a JSON object")
    return value
