"""The same graph in LitServe: one API that calls the nodes; it has no graph of processes."""

from typing import Annotated

import litserve as ls
from fastapi import Body
from litserve import server as server_module

from benchmarks.overhead.nodes import merged, steps

Binary = Annotated[bytes, Body(media_type="application/octet-stream")]


class Nodes(ls.LitAPI):  # type: ignore[misc]  # LitServe has no types
    def __init__(self, kind: str) -> None:
        super().__init__(api_path=f"/{kind}")
        self._kind = kind

    def setup(self, device: str) -> None:
        self._steps = steps(self._kind)

    def decode_request(self, request: Binary) -> bytes:
        return request

    def predict(self, x: bytes) -> dict[str, int]:
        vector = self._steps["a"](x)
        return merged(self._steps["b"](vector), self._steps["c"](vector))

    def encode_response(self, output: dict[str, int]) -> dict[str, int]:
        return output


def serve(port: int) -> None:
    """Serves until it is stopped."""
    server_module._MCP_AVAILABLE = False  # it looks for the package mcp, but would use fastmcp
    server = ls.LitServer([Nodes("noop"), Nodes("work")], accelerator="cpu")
    server.run(host="127.0.0.1", port=port, num_api_servers=1, generate_client_file=False, log_level="warning")
