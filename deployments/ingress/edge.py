"""The outermost layer of the app, plain ASGI: request id, deadline header, log line, audit, metrics, and no exception beyond it."""

import logging
import re
import secrets
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.audit import Trail, unheard
from deployments.ingress.auditing import audit_line
from deployments.ingress.context import RequestInfo, attach
from deployments.ingress.disconnect import CallerLeft
from deployments.ingress.errors import error_response
from deployments.telemetry import Telemetry, request_id_var
from graphs.errors import Internal, InvalidRequest, LivecartError

access_log = logging.getLogger("livecart.access")
log = logging.getLogger("livecart.ingress")

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_DEADLINE = re.compile(r"[1-9][0-9]{0,8}")
CALLER_LEFT_STATUS = 499


class Edge:
    def __init__(self, app: ASGIApp, *, telemetry: Callable[[], Telemetry], trail: Callable[[], Trail] = lambda: unheard) -> None:
        self._app = app
        self._telemetry = telemetry
        self._trail = trail

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        info = RequestInfo(request_id=_request_id(headers))
        attach(scope, info)
        token = request_id_var.set(info.request_id)
        try:
            if scope["type"] == "websocket":
                await self._app(scope, receive, send)
            else:
                await self._serve(scope, receive, _Outgoing(send, info.request_id), info)
        finally:
            request_id_var.reset(token)

    async def _serve(self, scope: Scope, receive: Receive, outgoing: "_Outgoing", info: RequestInfo) -> None:
        try:
            info.deadline_ms = _deadline_ms(Headers(scope=scope))
            await self._app(scope, receive, outgoing)
        except CallerLeft:
            await outgoing.answer(Response(status_code=CALLER_LEFT_STATUS), scope, receive)
        except LivecartError as error:
            await outgoing.answer(error_response(scope["path"], error), scope, receive)
        except Exception:
            log.exception("unexpected failure of %s %s", scope["method"], _route_of(scope))
            if outgoing.status is not None:
                raise  # half an answer is on its way: the server has to break the connection off
            failure = Internal(f"something went wrong here; the log has it under request id {info.request_id}")
            await outgoing.answer(error_response(scope["path"], failure), scope, receive)
        finally:
            self._record(scope, outgoing.status or CALLER_LEFT_STATUS, info)

    def _record(self, scope: Scope, status: int, info: RequestInfo) -> None:
        route, took_s = _route_of(scope), info.spent_s
        self._telemetry().request(scope["method"], route, status, took_s)
        line = audit_line(scope, info, status)
        if line is not None:
            self._trail()(line)
        if access_log.isEnabledFor(logging.INFO):
            took_ms = round(took_s * 1_000, 2)
            fields = {"method": scope["method"], "route": route, "status": status, "took_ms": took_ms, "actor": info.actor}
            access_log.info("%s %s %d %.2f ms", scope["method"], route, status, took_ms, extra={"fields": fields})


class _Outgoing:
    """`send` that adds the request id and remembers the status."""

    __slots__ = ("_request_id", "_send", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode("ascii")
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self._request_id)]
        await self._send(message)

    async def answer(self, response: Response, scope: Scope, receive: Receive) -> None:
        """Send a whole response, unless one was begun."""
        if self.status is None:
            await response(scope, receive, self)


def _request_id(headers: Headers) -> str:
    sent = headers.get("x-request-id")
    return sent if sent is not None and _SANE_REQUEST_ID.fullmatch(sent) else secrets.token_hex(16)


def _deadline_ms(headers: Headers) -> int | None:
    sent = headers.get("x-deadline-ms")
    if sent is None:
        return None
    if not _DEADLINE.fullmatch(sent):
        raise InvalidRequest("X-Deadline-Ms must be a whole number of milliseconds from 1 to 999999999", param="X-Deadline-Ms")
    return int(sent)


def _route_of(scope: Scope) -> str:
    """The route's template: a label with few values, unlike the path."""
    return getattr(scope.get("route"), "path", None) or "unmatched"
