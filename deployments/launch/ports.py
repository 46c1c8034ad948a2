"""Who listens where on this machine."""

import random
from collections.abc import Collection
from dataclasses import dataclass

import psutil

from deployments.launch.errors import PortTakenError

SERVICE_PORTS = range(20_000, 30_000)


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening TCP socket. `pid` is None when another user owns it."""

    address: str
    port: int
    pid: int | None

    @property
    def is_loopback(self) -> bool:
        return self.address.removeprefix("::ffff:").startswith("127.") or self.address == "::1"


def listeners(pids: Collection[int] | None = None) -> list[Listener]:
    """All listening TCP sockets, or those of some processes."""
    return [
        Listener(one.laddr.ip, one.laddr.port, one.pid)
        for one in psutil.net_connections(kind="tcp")
        if one.status == psutil.CONN_LISTEN and one.laddr and (pids is None or one.pid in pids)
    ]


def describe(pid: int | None) -> str:
    """`process 12 (python -m http.server)`, as far as this user may know."""
    if pid is None:
        return "a process of another user"
    try:
        command = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return f"process {pid}"
    return f"process {pid} ({command[:120].strip()})"


def require_free(port: int) -> None:
    """Raises `PortTakenError` naming the process, on whatever address it listens."""
    taken = [listener for listener in listeners() if listener.port == port]
    if taken:
        raise PortTakenError(
            f"port {port} is taken by {describe(taken[0].pid)}. Stop it, or set another http_options.port in the configuration."
        )


def free_ports(count: int) -> list[int]:
    """Distinct ports that nobody listens on now, from below the range that the kernel gives to outgoing connections."""
    taken = {listener.port for listener in listeners()}
    return random.SystemRandom().sample([port for port in SERVICE_PORTS if port not in taken], count)
