"""Runs in every Ray worker before user code: keeps the gRPC servers of Serve's replicas on loopback.

Ray 2.60 binds them to `[::]:0` whatever the node's address is, and they unpickle what they receive.
"""

from collections.abc import Callable

import ray._common.tls_utils as ray_tls

ALL_INTERFACES = "[::]:"


def on_loopback(address: str) -> str:
    """The same port on 127.0.0.1.

    >>> on_loopback("[::]:0"), on_loopback("127.0.0.1:80")
    ('127.0.0.1:0', '127.0.0.1:80')
    """
    return f"127.0.0.1:{address.removeprefix(ALL_INTERFACES)}" if address.startswith(ALL_INTERFACES) else address


def bind_loopback() -> None:
    """Replaces Ray's helper before `ray.serve._private.replica` imports it by name. Called once a process by Ray."""
    add_port: Callable[[object, str], int] = ray_tls.add_port_to_grpc_server

    def add_loopback_port(server: object, address: str) -> int:
        return add_port(server, on_loopback(address))

    ray_tls.add_port_to_grpc_server = add_loopback_port
