"""What the edge knows about the request being served, for handlers and for log lines."""

import time
from dataclasses import dataclass, field

from starlette.types import Scope

from graphs.errors import DeadlineExceeded

_SCOPE_KEY = "livecart.request"


@dataclass(slots=True)
class RequestInfo:
    request_id: str
    deadline_ms: int | None = None  # X-Deadline-Ms as sent: the caller's whole budget
    actor: str = "anonymous"  # name of the key that the caller showed
    role: str | None = None  # of that key; None until it is known
    ids: tuple[str, ...] = ()  # of what the body of the request changes, for the audit trail
    started_at_s: float = field(default_factory=time.perf_counter)

    @property
    def spent_s(self) -> float:
        return time.perf_counter() - self.started_at_s

    def remaining_s(self, *, default_s: float, max_s: float) -> float:
        """What is left of the budget, the time for receiving the body counted in. Raises DeadlineExceeded when nothing is."""
        budget_s = default_s if self.deadline_ms is None else self.deadline_ms / 1_000
        left_s = min(budget_s, max_s) - self.spent_s
        if left_s <= 0:
            raise DeadlineExceeded("the deadline passed while the request was being received")
        return left_s


def attach(scope: Scope, info: RequestInfo) -> None:
    scope[_SCOPE_KEY] = info


def info_of(scope: Scope) -> RequestInfo:
    """The info that the edge attached; a fresh one where the app runs without the edge."""
    info = scope.get(_SCOPE_KEY)
    if not isinstance(info, RequestInfo):
        info = RequestInfo(request_id="unknown")
        attach(scope, info)
    return info
