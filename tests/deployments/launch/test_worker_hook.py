import ray._common.tls_utils as ray_tls

from deployments.launch.worker_hook import bind_loopback


class RecordingServer:
    """Stands where Serve puts its gRPC server."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def add_insecure_port(self, address: str) -> int:
        self.addresses.append(address)
        return 1


def test_serves_grpc_server_is_bound_to_loopback() -> None:
    original = ray_tls.add_port_to_grpc_server
    server = RecordingServer()
    try:
        bind_loopback()
        ray_tls.add_port_to_grpc_server(server, "[::]:0")
        ray_tls.add_port_to_grpc_server(server, "10.0.0.1:0")
    finally:
        ray_tls.add_port_to_grpc_server = original
    assert server.addresses == ["127.0.0.1:0", "10.0.0.1:0"]
