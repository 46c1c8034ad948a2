import os
import socket
import sys
from collections.abc import Iterator

import pytest

from deployments.launch.errors import PortTakenError
from deployments.launch.ports import SERVICE_PORTS, Listener, describe, free_ports, listeners, require_free


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_foreign_server_is_named(listening: int) -> None:
    with pytest.raises(PortTakenError, match=rf"port {listening} is taken by process {os.getpid()} \(.+"):
        require_free(listening)


def test_a_free_port_is_accepted() -> None:
    (port,) = free_ports(1)
    require_free(port)


def test_the_listener_of_a_process_is_found(listening: int) -> None:
    assert Listener("127.0.0.1", listening, os.getpid()) in listeners([os.getpid()])


def test_free_ports_are_distinct_and_not_given_to_outgoing_connections() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert set(ports) <= set(SERVICE_PORTS)


@pytest.mark.parametrize(
    ("address", "is_loopback"),
    [
        ("127.0.0.1", True),
        ("127.0.0.53", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),  # noqa: S104  # compared
        ("::", False),
        ("192.0.2.1", False),
    ],
)
def test_loopback_is_recognised_in_both_families(address: str, *, is_loopback: bool) -> None:
    assert Listener(address, 80, None).is_loopback is is_loopback


def test_a_process_is_described_as_far_as_it_is_known() -> None:
    assert sys.executable.rpartition("/")[2] in describe(os.getpid()) or "python" in describe(os.getpid())
    assert describe(None) == "a process of another user"
