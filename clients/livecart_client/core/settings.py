"""How a client is set up, the same for both kinds."""

import os
from dataclasses import dataclass, replace
from typing import TypeVar

import httpx

from livecart_client.core.calls import Call
from livecart_client.core.retries import RetryPolicy
from livecart_client.errors import InvalidRequest

R = TypeVar("R")
KEY_VARIABLE = "LIVECART_API_KEY"
DEFAULT_URL = "http://localhost:8000"
KEEPALIVE_S = 2.0  # below the servers': no call goes out on a connection that is just being closed
POLICY = RetryPolicy()


@dataclass(frozen=True, slots=True)
class Settings:
    deadline_s: float | None  # of calls that name none
    timeout_s: float  # of calls without a deadline: the longest silence
    policy: RetryPolicy

    def with_deadline(self, call: Call[R]) -> Call[R]:
        return call if call.deadline_s is not None or self.deadline_s is None else replace(call, deadline_s=self.deadline_s)


def headers(api_key: str | None) -> dict[str, str]:
    """With the key that is given, else with that of LIVECART_API_KEY. Raises InvalidRequest for what no header can hold."""
    key = (os.environ.get(KEY_VARIABLE, "") if api_key is None else api_key).strip()
    if not key:
        return {"User-Agent": "livecart-client"}
    if not (key.isascii() and key.isprintable()):
        raise InvalidRequest(f"the key (`api_key` or {KEY_VARIABLE}) holds what is no printable ASCII character", param="api_key")
    return {"User-Agent": "livecart-client", "Authorization": f"Bearer {key}"}


def limits() -> httpx.Limits:
    return httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=KEEPALIVE_S)
