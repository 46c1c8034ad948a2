"""Which requests the audit trail tells of: those that need a role above caller and are no mere reading."""

from datetime import UTC, datetime

from starlette.types import Scope

from deployments.audit import MOST_IDS, AuditLine, outcome_of
from deployments.ingress.context import RequestInfo
from deployments.ingress.routing import Route

_PERSONS = frozenset({"viewer_id"})  # parameters of paths that name one


def audit_line(scope: Scope, info: RequestInfo, status: int) -> AuditLine | None:
    """The line of a request that has ended; None for one that leaves none, and for strangers, who could fill the disk."""
    route = scope.get("route")
    if info.role is None or not (isinstance(route, Route) and route.is_audited):
        return None
    in_path = [str(value) for name, value in scope.get("path_params", {}).items() if name not in _PERSONS]
    ids = [*in_path, *(one for one in info.ids if one not in in_path)]
    return AuditLine(
        actor=info.actor,
        role=info.role,
        action=f"{scope['method']} {route.path}",
        ids=[one[:128].encode("utf-8", "replace").decode("utf-8") for one in ids[:MOST_IDS]],
        count=len(ids),
        request_id=info.request_id,
        status=status,
        outcome=outcome_of(status),
        at=datetime.now(UTC),
    )
