"""Client side of livecart: `Client`, `AsyncClient`, their errors, and the wire models that the server and the tests share.

Names are loaded on first use: the server needs the wire models only, and shall not wait for an HTTP client.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from livecart_client import errors, wire
    from livecart_client.asynchronous.client import AsyncClient
    from livecart_client.asynchronous.sending import AsyncTokens
    from livecart_client.asynchronous.session import AsyncSession
    from livecart_client.core.retries import RetryPolicy
    from livecart_client.errors import LivecartError
    from livecart_client.pictures import Picture
    from livecart_client.sync.client import Client
    from livecart_client.sync.sending import Tokens
    from livecart_client.sync.session import Session

__all__ = [
    "AsyncClient",
    "AsyncSession",
    "AsyncTokens",
    "Client",
    "LivecartError",
    "Picture",
    "RetryPolicy",
    "Session",
    "Tokens",
    "errors",
    "wire",
]
_PLACES = {
    "AsyncClient": "asynchronous.client",
    "AsyncSession": "asynchronous.session",
    "AsyncTokens": "asynchronous.sending",
    "Client": "sync.client",
    "LivecartError": "errors",
    "Picture": "pictures",
    "RetryPolicy": "core.retries",
    "Session": "sync.session",
    "Tokens": "sync.sending",
}


def __getattr__(name: str) -> object:
    if name in ("errors", "wire"):
        return import_module(f"livecart_client.{name}")
    if name not in _PLACES:
        raise AttributeError(f"module `livecart_client` has no `{name}`; it has {', '.join(__all__)}")
    return getattr(import_module(f"livecart_client.{_PLACES[name]}"), name)
