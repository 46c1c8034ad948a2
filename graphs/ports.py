"""What the graphs ask of the outside, one small Protocol per question.

Each port has two adapters in `deployments/`: `local` over an in-process model and `remote` over a Ray handle, and a public fake in
`graphs/fakes.py`. One contract suite runs on all of them. Every call may raise `Unavailable`, `Overloaded` or `DeadlineExceeded`;
the deadline is the one of the running node (`graphs.flow.remaining_s`).
"""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Protocol

from models.types import (
    Candidate,
    Event,
    FrameDetections,
    Label,
    Match,
    Passage,
    PictureEmbedding,
    Product,
    ProductId,
    Prompt,
    Ranked,
    RankedRoom,
    RankRequest,
    Room,
    RoomId,
    TextDelta,
    Vectors,
    ViewerId,
)


class Detector(Protocol):
    async def detect(self, frame: bytes, min_score: float | None = None) -> FrameDetections:
        """Find products in an encoded picture that score `min_score` or more; None: the detector's own limit.

        Raises InvalidRequest, PayloadTooLarge or UnsupportedMedia for a bad picture.
        """
        ...


class PictureEmbedder(Protocol):
    async def embed(self, pictures: Sequence[bytes]) -> list[PictureEmbedding]:
        """Embed pictures for enrolment. Raises InvalidRequest, PayloadTooLarge or UnsupportedMedia for the first bad one."""
        ...


class PictureIndex(Protocol):
    async def match(self, embeddings: Vectors, *, among: frozenset[ProductId] | None, top_k: int) -> list[tuple[Match, ...]]:
        """The nearest enrolled products of each embedding float32 (n, dim); only those in `among` when it is given."""
        ...


class Knowledge(Protocol):
    async def passages(self, query: str, *, products: frozenset[ProductId] | None, k: int) -> tuple[Passage, ...]:
        """The best evidence for a question, best first; limited to `products` and shop-wide documents when given."""
        ...


class Candidates(Protocol):
    """Products that one source proposes to a viewer with this history (oldest first) and this context (what is on screen)."""

    async def by_behaviour(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        """Bought together with what the viewer touched, popular, fresh."""
        ...

    async def by_content(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        """Like what is on screen or was touched."""
        ...

    async def by_taste(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        """What models of whole histories foresee, `k` of each; none where the artifact's report keeps them from serving."""
        ...


class Ranker(Protocol):
    async def rank(self, request: RankRequest) -> tuple[Ranked, ...]:
        """Every distinct candidate once, best first."""
        ...


class RoomRanker(Protocol):
    async def rank_rooms(self, history: Sequence[Event], live: Sequence[Room], *, k: int) -> tuple[RankedRoom, ...]:
        """At most `k` of the rooms given, best first."""
        ...


class Segmenter(Protocol):
    async def words(self, text: str) -> tuple[str, ...]:
        """The words of a text in their order, in lower case, punctuation left out; Chinese is cut into words, English is not stemmed."""
        ...


class Comprehension(Protocol):
    async def intent(self, text: str) -> Label: ...

    async def sentiment(self, text: str) -> Label: ...


class Writer(Protocol):
    def write(self, prompt: Prompt) -> AsyncGenerator[TextDelta, None]:
        """Generate text. Closing the generator aborts the request in the engine."""
        ...


class Catalog(Protocol):
    """Products and rooms as the store holds them, at most one second old."""

    async def products(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        """The products that exist; unknown ids are left out."""
        ...

    async def room(self, room_id: RoomId) -> Room | None: ...

    async def live_rooms(self) -> tuple[Room, ...]: ...


class Viewers(Protocol):
    async def history(self, viewer_id: ViewerId, *, limit: int) -> tuple[Event, ...]:
        """The viewer's latest events, oldest first; `display` events are a room's, so they are left out and `limit` does not count them."""
        ...

    async def visits(self, viewer_id: ViewerId, *, limit: int) -> tuple[Event, ...]:
        """The viewer's latest `enter` and `watch` events, oldest first: rooms watched longer ago than `history` reaches."""
        ...

    async def displays(self, host: ViewerId, *, limit: int) -> tuple[Event, ...]:
        """The latest `display` events of a room's host, oldest first."""
        ...
