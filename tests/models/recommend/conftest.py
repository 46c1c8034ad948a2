"""A small shop with a log in which mugs go with tea, and the shipped recommender."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.artifacts import open_artifact
from models.interactions.event_log import EventLog, Histories
from models.recommend.behaviour import Behaviour
from models.recommend.item_factors import Fit
from models.recommend.ranker import Ranker
from models.training.recommender import fit_behaviour
from models.types import Event, EventId, EventType, ProductId, RoomId, ViewerId

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
ZOO = Path(__file__).parents[3] / "models" / "zoo" / "recommender"


def event(
    product: str | None,
    kind: EventType = "click",
    *,
    viewer: str = "v",
    ago_s: float = 0.0,
    room: str | None = None,
    value: float | None = None,
) -> Event:
    at = NOW - timedelta(seconds=ago_s)
    product_id = ProductId(product) if product is not None else None
    return Event(
        EventId(f"{viewer}-{kind}-{product}-{room}-{ago_s}"), ViewerId(viewer), kind, at, RoomId(room) if room else None, product_id, value
    )


@pytest.fixture(scope="session")
def behaviour() -> Behaviour:
    """Thirty viewers bought mug and tea, thirty ball and rope; the mug is the most popular of all."""
    log = [
        event(product, "purchase", viewer=f"v{number}", ago_s=3600.0 + number)
        for number in range(60)
        for product in (("mug", "tea") if number % 2 else ("ball", "rope"))
    ]
    log += [event("mug", viewer=f"w{number}", ago_s=600.0) for number in range(20)]
    return fit_behaviour(Histories(EventLog.of(log)), (), NOW, Fit(ridge=5.0, factor_dim=4), seed=0)


@pytest.fixture(scope="session")
def zoo() -> Path:
    return open_artifact(ZOO, kind="recommender", schema=1)


@pytest.fixture(scope="session")
def ranker(zoo: Path) -> Ranker:
    return Ranker.load(zoo)
