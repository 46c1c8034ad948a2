"""What the routes ask of the object behind them; `deployments.gateway.Gateway` is the real one, `fakes.FakeGateway` a small one."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from deployments.experiments.service import Experiments
from deployments.ports import Ports
from deployments.room_rates import RoomRates
from deployments.settings import Limits
from deployments.store import Store
from graphs.flow import Graph, Run
from models.language.openai_types import Kind, ModelCard, Usage
from models.types import ProductId, Vectors


class Gateway(Protocol):
    @property
    def store(self) -> Store: ...

    @property
    def limits(self) -> Limits: ...

    @property
    def experiments(self) -> Experiments: ...

    @property
    def room_rates(self) -> RoomRates: ...

    @property
    def graphs(self) -> Mapping[str, Graph[Any, Any]]: ...

    def count_request(self, key: str) -> None:
        """Raises Overloaded when the key has made as many requests as it may."""
        ...

    async def run(self, graph: str, request: object, *, budget_s: float) -> Run[Any]:
        """Admit and run a graph. Raises LivecartError."""
        ...

    def stream(self, graph: str, request: object, *, budget_s: float) -> AsyncGenerator[Any, None]:
        """As `run`: items with a `text` as they come and, last, the finished Run."""
        ...

    @property
    def ports(self) -> Ports: ...

    def generate(self, kind: Kind, body: bytes, *, stream: bool, budget_s: float, key: str) -> AsyncGenerator[bytes | Usage, None]:
        """Admit and run a call in OpenAI's protocol; see `deployments.ports.OpenAI`. Raises LivecartError, also in the middle."""
        ...

    async def embed_texts(self, texts: Sequence[str], *, budget_s: float, key: str, tokens: int) -> Vectors:
        """Admit and embed; float32 (len(texts), dim). Raises LivecartError."""
        ...

    def place(self, budget_s: float) -> AbstractAsyncContextManager[float]:
        """Admit a call of a single model: hold a place while it runs; yields the seconds left. Raises Overloaded or DeadlineExceeded."""
        ...

    async def model_cards(self, *, budget_s: float) -> Sequence[ModelCard]:
        """The writer, its adapters and, last, the text embedder. Raises LivecartError."""
        ...

    async def enrol(self, product_id: ProductId, pictures: Sequence[bytes], *, actor: str, request_id: str) -> int:
        """Learn what a product looks like; returns how many views it has then. Raises LivecartError."""
        ...

    async def not_ready(self) -> list[str]:
        """Names of deployments that cannot answer."""
        ...

    async def metrics_text(self) -> str:
        """Prometheus text of the model replicas."""
        ...
