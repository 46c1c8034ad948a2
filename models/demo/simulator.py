"""A seeded shop full of invented viewers: whom they are is planted, what they do follows from it, and both can be compared."""

import heapq
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from hashlib import blake2b
from statistics import NormalDist

from models.types import Event, EventId, EventType, Product, ProductId, Room, RoomId, ViewerId

ARCHETYPES = 8  # groups of viewers who like the same categories: what collaborative filtering can find
DISPLAY_S = 600.0  # how long a host holds up one product
BROADCAST_H = 12.0  # how long each room is live each day
SESSIONS_PER_DAY = 0.9  # of a viewer, on average
CNY_PER_USD = 7.0
_STANDARD = NormalDist()


@lru_cache(maxsize=1 << 18)
def _uniform(*parts: object) -> float:
    """A number in (0, 1) that depends on nothing but `parts`."""
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return (int.from_bytes(digest) + 0.5) / 2**64


def _normal(*parts: object) -> float:
    return _STANDARD.inv_cdf(_uniform(*parts))


@dataclass(frozen=True, slots=True)
class Preferences:
    """The planted truth about one viewer."""

    viewer_id: ViewerId
    seed: int

    @property
    def archetype(self) -> int:
        return int(_uniform(self.seed, self.viewer_id, "archetype") * ARCHETYPES)

    def likes_category(self, category: str) -> float:
        """Mostly the archetype's taste, partly the viewer's own."""
        shared = _normal(self.seed, "archetype", self.archetype, category)
        return 2.0 * shared + 0.8 * _normal(self.seed, self.viewer_id, category)

    def affinity(self, product: Product) -> float:
        """Log-odds-like liking of a product, about -6..6: category, tags, price level and language of the offer."""
        tags = [_normal(self.seed, "archetype", self.archetype, "tag", tag) for tag in product.tags[:4]]
        at_home = product.price.currency == ("CNY" if _uniform(self.seed, self.viewer_id, "currency") < 0.55 else "USD")
        rate = CNY_PER_USD if product.price.currency == "USD" else 1.0
        level = 4.8 + 0.6 * _normal(self.seed, self.viewer_id, "price")  # log CNY
        off = math.log(max(float(product.price.amount) * rate, 0.01)) - level
        taste = self.likes_category(product.category) + 0.6 * sum(tags) / max(1, len(tags))
        return taste - 0.25 * off * off + (0.7 if at_home else -2.0)


def preferences(viewer_id: ViewerId, seed: int) -> Preferences:
    """What `simulate(..., seed=seed)` planted in a viewer."""
    return Preferences(viewer_id, seed)


def complement(product_id: ProductId, products: Sequence[Product], seed: int) -> ProductId:
    """The product that goes with this one in the world of `seed`: whoever clicks on one is drawn to the other."""
    others = [product.product_id for product in products if product.product_id != product_id]
    return min(others, key=lambda other: _uniform(seed, "complement", product_id, other), default=product_id)


def simulate(
    products: Sequence[Product], rooms: Sequence[Room], *, viewers: int, days: float, seed: int, until: datetime
) -> Iterator[Event]:
    """Events of `viewers` viewers in the `days` before `until` (with zone), in order of time, the same for the same arguments.

    A viewer's events do not depend on how many other viewers there are. Hosts' `display` events carry the viewer `host-ROOM`.
    """
    if until.tzinfo is None:
        raise ValueError("`until` needs a zone, e.g. datetime.now(UTC)")
    world = _World(tuple(products), tuple(rooms), seed, until - timedelta(days=days), until)
    streams = [_displays(world, room) for room in rooms]
    streams += [_Viewer(world, ViewerId(f"viewer-{number:05d}")).events() for number in range(viewers)]
    return heapq.merge(*streams, key=lambda event: (event.at, event.event_id))


@dataclass(frozen=True)
class _World:
    products: tuple[Product, ...]
    rooms: tuple[Room, ...]
    seed: int
    start: datetime
    until: datetime

    @cached_property
    def by_id(self) -> Mapping[ProductId, Product]:
        return {product.product_id: product for product in self.products}

    @cached_property
    def complements(self) -> Mapping[ProductId, ProductId]:
        return {product_id: complement(product_id, self.products, self.seed) for product_id in self.by_id}

    @cached_property
    def shelves(self) -> Mapping[RoomId, tuple[ProductId, ...]]:
        return {room.room_id: tuple(p for p in room.shelf if p in self.by_id) for room in self.rooms}

    def on_air(self, room: Room, at: datetime) -> bool:
        """Every room broadcasts once a day, at its own hour."""
        opens_h = 24.0 * _uniform(self.seed, room.room_id, "opens")
        hour = at.hour + at.minute / 60.0
        return (hour - opens_h) % 24.0 < BROADCAST_H

    def showing(self, room_id: RoomId, at: datetime) -> ProductId | None:
        shelf = self.shelves[room_id]
        return shelf[int(at.timestamp() // DISPLAY_S) % len(shelf)] if shelf else None

    def event_id(self, viewer_id: ViewerId, number: int) -> EventId:
        text = f"{self.seed}|{self.start.isoformat()}|{self.until.isoformat()}|{viewer_id}|{number}"
        return EventId("sim-" + blake2b(text.encode(), digest_size=10).hexdigest())


def _displays(world: _World, room: Room) -> Iterator[Event]:
    host = ViewerId(f"host-{room.room_id}")
    at, number = world.start, 0
    while at < world.until:
        showing = world.showing(room.room_id, at)
        if showing is not None and world.on_air(room, at):
            yield Event(world.event_id(host, number), host, "display", at, room.room_id, showing, DISPLAY_S)
            number += 1
        at += timedelta(seconds=DISPLAY_S)


@dataclass
class _Viewer:
    """One viewer walking through the window of time; all chance comes from `rng`, all liking from `truth`."""

    world: _World
    viewer_id: ViewerId
    rng: random.Random = field(init=False)
    truth: Preferences = field(init=False)
    liking: dict[ProductId, float] = field(init=False)
    rooms_seen: dict[RoomId, int] = field(default_factory=dict)
    drawn_to: ProductId | None = None
    at: datetime = field(init=False)
    room: Room | None = None
    log: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{self.world.seed}|{self.viewer_id}|{self.world.until.isoformat()}")
        self.truth = preferences(self.viewer_id, self.world.seed)
        self.liking = {product.product_id: self.truth.affinity(product) for product in self.world.products}

    def events(self) -> Iterator[Event]:
        pause_s = 86_400.0 / (SESSIONS_PER_DAY * (0.5 + _uniform(self.world.seed, self.viewer_id, "habit")))
        self.at = self.world.start + timedelta(seconds=self.rng.expovariate(1.0) * pause_s)
        while self.at < self.world.until:
            self._session()
            self.at += timedelta(seconds=1800.0 + self.rng.expovariate(1.0) * pause_s)
        yield from (event for event in self.log if event.at < self.world.until)

    def _session(self) -> None:
        self.room = self._choose_room()
        began = self.at
        if self.room is not None:
            self._note("enter")
            self.rooms_seen[self.room.room_id] = self.rooms_seen.get(self.room.room_id, 0) + 1
        for _ in range(2 + int(self.rng.expovariate(0.2))):
            self._look()
        if self.room is not None:
            self._note("watch", value=round((self.at - began).total_seconds(), 1))
            self._note("leave")
        self.room = None

    def _choose_room(self) -> Room | None:
        live = [room for room in self.world.rooms if self.world.on_air(room, self.at) and self.world.shelves[room.room_id]]
        if not live or self.rng.random() < 0.15:
            return None
        return self.rng.choices(live, weights=[math.exp(self._drawn_to_room(room)) for room in live])[0]

    def _drawn_to_room(self, room: Room) -> float:
        shelf = self.world.shelves[room.room_id]
        taste = sum(max(0.0, self.liking[product_id]) for product_id in shelf) / len(shelf)
        return 3.0 * taste + 0.7 * math.log1p(self.rooms_seen.get(room.room_id, 0))

    def _look(self) -> None:
        self._wait(4, 40)
        seen = self._offered()
        self._note("impression", seen)
        pull = self.liking[seen] + (2.0 if seen == self.drawn_to else 0.0)
        if not self._decides(1.3 * pull - 2.5):
            return
        self._wait(2, 15)
        self._note("click", seen)
        self.drawn_to = self.world.complements[seen]
        if self._decides(pull - 4.0):
            self._note("like", seen)
        if self._decides(pull - 2.5):
            self._buy(seen, pull)

    def _buy(self, product_id: ProductId, pull: float) -> None:
        self._wait(5, 60)
        self._note("cart", product_id)
        if self._decides(pull - 2.5):
            self._wait(10, 90)
            self._note("purchase", product_id, value=float(self.world.by_id[product_id].price.amount))
            self.liking[product_id] -= 2.0

    def _offered(self) -> ProductId:
        """What the viewer sees next: what goes with the last click, what the host holds up, the shelf, or what they searched for."""
        draw = self.rng.random()
        if self.drawn_to is not None and draw < 0.2:
            return self.drawn_to
        if self.room is not None and draw < 0.4:
            showing = self.world.showing(self.room.room_id, self.at)
            if showing is not None:
                return showing
        if self.room is not None and draw < 0.55:
            return self.rng.choice(self.world.shelves[self.room.room_id])
        return self.rng.choices(tuple(self.liking), weights=[math.exp(liking) for liking in self.liking.values()])[0]

    def _decides(self, log_odds: float) -> bool:
        return self.rng.random() < 1.0 / (1.0 + math.exp(-log_odds))

    def _wait(self, least_s: float, most_s: float) -> None:
        self.at += timedelta(seconds=self.rng.uniform(least_s, most_s))

    def _note(self, kind: EventType, product_id: ProductId | None = None, *, value: float | None = None) -> None:
        room_id = self.room.room_id if self.room is not None else None
        event_id = self.world.event_id(self.viewer_id, len(self.log))
        self.log.append(Event(event_id, self.viewer_id, kind, self.at, room_id, product_id, value))
