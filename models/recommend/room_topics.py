"""What a live room is about now: a vector of its title and tags, of what stands on its shelf, and of what is said in it."""

import threading
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np

from models.types import Event, ProductId, Room, RoomId, Vectors

COMMENTS = 20  # of a room, the latest, that count
MAX_ROOMS = 10_000  # whose comments are remembered: those commented last
_LONGEST_COMMENT = 200  # characters that are read
_TITLE, _SHELF, _SAID = 1.0, 1.0, 0.5  # weights of the three


class Texts(Protocol):
    """What topics ask of the shop index."""

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """float32 (len(texts), dim), L2-normalised."""
        ...

    def text_vectors(self, products: Sequence[ProductId]) -> Vectors:
        """float32 (len(products), dim), L2-normalised; zero for an unknown product."""
        ...


@dataclass(slots=True)
class _Said:
    """The latest comments of a room, and their mean vector as long as none is added."""

    texts: deque[str] = field(default_factory=lambda: deque(maxlen=COMMENTS))
    mean: Vectors | None = None


class RoomTopics:
    """Follows rooms as they change: a title, a shelf or a comment counts from the next question on. Thread-safe."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._lock = threading.Lock()
        self._said: OrderedDict[RoomId, _Said] = OrderedDict()
        self._of_title = lru_cache(maxsize=MAX_ROOMS)(lambda text: self._texts.embed_texts([text])[0])

    def observe(self, event: Event) -> None:
        """Hear a comment; O(1)."""
        if event.type != "comment" or event.room_id is None or not event.text:
            return
        with self._lock:
            said = self._said.setdefault(event.room_id, _Said())
            self._said.move_to_end(event.room_id)
            said.texts.append(event.text[:_LONGEST_COMMENT])
            said.mean = None
            if len(self._said) > MAX_ROOMS:
                self._said.popitem(last=False)

    def vectors(self, rooms: Sequence[Room]) -> Vectors:
        """float32 (len(rooms), dim), L2-normalised; zero for a room of which nothing is known."""
        titles = np.stack([self._of_title(" ".join((room.title, *room.tags))) for room in rooms])
        return _unit(_TITLE * titles + _SHELF * self._shelves(rooms) + _SAID * self._comments(titles, rooms))

    def near(self, rooms: Sequence[Room], interest: Mapping[ProductId, float]) -> Vectors:
        """float32 (len(rooms),), 0..1: cosine of each room with the texts of the products of interest, weighted."""
        wanted = np.fromiter(interest.values(), dtype=np.float32) @ self._texts.text_vectors(tuple(interest))
        return np.asarray(np.clip(self.vectors(rooms) @ _unit(wanted[None])[0], 0.0, 1.0), dtype=np.float32)

    def _shelves(self, rooms: Sequence[Room]) -> Vectors:
        return _unit(np.stack([self._texts.text_vectors(room.shelf or (ProductId(""),)).sum(axis=0) for room in rooms]))

    def _comments(self, titles: Vectors, rooms: Sequence[Room]) -> Vectors:
        said = [self._of_comments(room.room_id) for room in rooms]
        return np.stack([row if row is not None else np.zeros_like(title) for row, title in zip(said, titles, strict=True)])

    def _of_comments(self, room_id: RoomId) -> Vectors | None:
        with self._lock:
            said = self._said.get(room_id)
            if said is None or said.mean is not None:
                return said.mean if said is not None else None
            texts = tuple(said.texts)
        mean: Vectors = _unit(self._texts.embed_texts(texts).sum(axis=0)[None])[0]
        with self._lock:
            said.mean = mean if tuple(said.texts) == texts else None  # else more was said meanwhile
        return mean


def _unit(rows: Vectors) -> Vectors:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9), dtype=np.float32)
