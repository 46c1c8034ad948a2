"""`Settings`: what restarts everything when it is edited, and the `user_config`s as they are at the start."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from deployments.settings.base import Frozen, Seconds
from deployments.settings.ingress import IngressConfig
from deployments.settings.models import ZOO, ComprehensionConfig, DetectorConfig, RankerConfig, RetrieverConfig, WriterConfig
from deployments.settings.triton import TritonSettings

Placement = Literal["fused", "replica"]
PlacementOrTriton = Literal["fused", "replica", "triton"]


class StoreSettings(Frozen):
    url: str | None = None  # None: SQLite at <home>/livecart.db; else any SQLAlchemy URL of PostgreSQL (LIVECART_STORE_URL overrides)
    follow_every_s: Seconds = 0.2  # how often a replica looks at the change log: bounds its staleness
    statement_timeout_s: Seconds = 5.0


class PlacementSettings(Frozen):
    """Where models run: inside the ingress process (a function call) or in replicas of their own (a hop of about 3 ms).

    The detector in replicas scales by itself, is exchanged live, and may die alone. Fused it answers a single caller sooner, at the
    price of a copy in every ingress replica, and of an ingress that dies with it.
    """

    detector: PlacementOrTriton = "replica"  # triton: on the server that `triton` names
    retriever: Placement = "fused"
    ranker: PlacementOrTriton = "fused"
    comprehension: Placement = "fused"


class CoalesceSettings(Frozen):
    """How calls to one deployment share a hop, and with it a batch; see deployments/remote/coalesce.py.

    The wait is bounded: a request leaves with the next call, which is when one of `max_in_flight` comes back, hence after the
    passes over at most `max_queued` requests before it; nobody waits for a batch to fill, and beyond `max_queued` the answer is 429.
    """

    max_items: Annotated[int, Field(ge=1, le=256)] = 16
    max_in_flight: Annotated[int, Field(ge=1, le=64)] = 2
    max_queued: Annotated[int, Field(ge=1, le=10_000)] = 256


class FrontSettings(Frozen):
    """What HAProxy grants a connection, so that callers who are slow, silent or many do not reach the ingress. Read by `livecart up`."""

    headers_s: Seconds = 10.0  # from the beginning of a connection or request to the end of its headers
    idle_s: Seconds = 60.0  # between two requests of a connection
    stalled_s: Seconds = 30.0  # a caller who neither sends of a body nor reads of an answer for so long is gone
    silent_s: Annotated[float, Field(gt=0, le=86_400)] = 3_600.0  # of a room session on which nothing is sent either way, pings included
    max_connections: Annotated[int, Field(ge=10, le=100_000)] = 4_096  # of all callers; beyond, connections wait to be accepted
    max_connections_per_address: Annotated[int, Field(ge=1, le=100_000)] | None = 1_024  # beyond: closed at once; None behind a balancer


class Settings(Frozen):
    home: Path = Field(default_factory=lambda: Path(os.environ.get("LIVECART_HOME", ".livecart")).absolute())  # data of this installation
    audit_keep_days: Annotated[int, Field(ge=1, le=36_500)] = 400  # of the files under <home>/audit; see docs/operations.md
    demo: bool = True  # `livecart up` loads the demo world into an empty store
    embedder: str = str(ZOO / "embedder")  # folder or hub id; with another one all enrolled pictures are embedded again
    store: StoreSettings = StoreSettings()
    placement: PlacementSettings = PlacementSettings()
    triton: TritonSettings = TritonSettings()
    coalesce: CoalesceSettings = CoalesceSettings()
    front: FrontSettings = FrontSettings()
    ingress: IngressConfig = IngressConfig()
    detector: DetectorConfig = DetectorConfig()
    writer: WriterConfig = WriterConfig()
    retriever: RetrieverConfig = RetrieverConfig()
    ranker: RankerConfig = RankerConfig()
    comprehension: ComprehensionConfig = ComprehensionConfig()

    @model_validator(mode="after")
    def _triton_is_told_where(self) -> "Settings":
        needed = {"detector": ("detector", "embedder"), "ranker": ("ranker",)}
        for port, models in needed.items():
            missing = [model for model in models if getattr(self.triton, model) is None]
            if getattr(self.placement, port) == "triton" and missing:
                raise ValueError(f"placement.{port} is triton, so triton.{missing[0]} is needed: {{url: http://HOST:8000}}")
        return self

    @property
    def store_url(self) -> str:
        """Where the store is: the environment's, since it may hold a password, then the file's, then SQLite under `home`."""
        return os.environ.get("LIVECART_STORE_URL") or self.store.url or f"sqlite:///{self.home / 'livecart.db'}"
