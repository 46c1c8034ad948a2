"""Walks through a log in order of time and asks the sources what they would have proposed; nothing of the future reaches a feature."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from models.interactions.event_log import DISPLAY, NONE, Histories, microseconds
from models.recommend.features import ItemVectors, Rows, distinct, features
from models.recommend.history import FORESEEN
from models.recommend.sources import Sources
from models.recommend.surroundings import Surroundings
from models.training.recommender_data import DEPTH, SESSION_GAP, Examples
from models.types import HISTORY_EVENTS, Event, ProductId, RankRequest

NAMED = 0.3  # share of the requests whose caller names what is on screen: the product that the viewer touched last


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it would have been made just before an event."""

    event: Event
    named: tuple[ProductId, ...]  # what the caller says is on screen
    request: RankRequest
    following: Iterator[Event]  # the viewer's own, from that event on
    viewer: int  # number in the histories


@dataclass(frozen=True, slots=True)
class Replay:
    sources: Sources
    vectors: ItemVectors
    surroundings: Surroundings
    histories: Histories

    def examples(self, start: datetime, end: datetime, *, requests: int, seed: int) -> Examples:
        """About `requests` requests sampled in [start, end), half of them at the start of a session."""
        rng = np.random.default_rng(seed)
        places = self._sampled(start, end, requests, rng)
        asked = track(self.asked(places, start, rng), description="replay", total=len(places), console=Console(stderr=True))
        parts = [self._example(one, group) for group, one in enumerate(asked)]
        return Examples(
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.group for part in parts]),
            np.concatenate([part.viewer for part in parts]),
        )

    def asked(self, places: NDArray[np.int64], start: datetime, rng: np.random.Generator) -> Iterator[Asked]:
        """The requests just before the events at these places of the log, ascending; the sources know what was before `start`.

        Popularity observes every event from then on before it is asked, so that a request sees counts of its own time.
        """
        stream = self._observed(start)
        pending = next(stream, None)
        rows = self.histories.rows
        for place in places.tolist():
            event = self.histories.log[place]
            while pending is not None and pending.at < event.at:
                self.sources.behaviour.observe(pending)
                pending = next(stream, None)
            viewer = int(rows[int(self.histories.log.columns.viewer[place])])
            yield self._at(event, place, viewer, is_named=rng.random() < NAMED)

    def _observed(self, start: datetime) -> Iterator[Event]:
        """What popularity learns from: all that names a product, of these viewers and of hosts."""
        rows = self.histories.rows
        for first, block in self.histories.log.blocks(start):
            counted = (block.product != NONE) & ((rows[block.viewer] != NONE) | (block.type == DISPLAY))
            yield from self.histories.log.at_places(first + np.flatnonzero(counted))

    def _sampled(self, start: datetime, end: datetime, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Places of events before which a request could have been made, in order of time; raises ValueError when there are none."""
        at_us = self.histories.log.columns.at_us[self.histories.order]
        within = (at_us >= microseconds(start)) & (at_us < microseconds(end))
        begins = session_starts(at_us, self.histories)
        chosen = [*_some(within & begins, count // 2, rng), *_some(within & ~begins, count - count // 2, rng)]
        if not chosen:
            raise ValueError(f"no events between {start:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M} to learn from; a longer log is needed")
        return np.sort(self.histories.order[chosen].astype(np.int64))

    def _at(self, event: Event, place: int, viewer: int, *, is_named: bool) -> Asked:
        events = self.histories[event.viewer_id]
        index = int(np.searchsorted(events.places, place))
        history = events[max(0, index - HISTORY_EVENTS) : index]
        last = next((event.product_id for event in reversed(history) if event.product_id is not None), None)
        named = (last,) if is_named and last is not None else ()
        shown = () if named else self.surroundings.shown(event.room_id, event.at)
        shelf = self.surroundings.shelf(event.room_id)
        request = self.sources.request(event.viewer_id, history, named, shelf, event.at, shown=shown)
        return Asked(event, named, request, map(events.__getitem__, range(index, len(events))), viewer)

    def _example(self, asked: Asked, group: int) -> Examples:
        products = distinct(asked.request.candidates)
        labels = _labels(products, asked.following, asked.event.at)
        rows = features(asked.request, self.vectors)
        return Examples(rows, labels, np.full(len(products), group), np.full(len(products), asked.viewer))


def session_starts(at_us: NDArray[np.int64], histories: Histories) -> NDArray[np.bool_]:
    """bool (events,), viewer by viewer: whether a session begins with an event, after a pause of 30 minutes."""
    begins = np.ones(len(at_us), dtype=np.bool_)
    begins[1:] = np.diff(at_us) >= SESSION_GAP / timedelta(microseconds=1)
    firsts = np.cumsum(histories.counts)[:-1]
    begins[firsts[firsts < len(at_us)]] = True
    return begins


def _some(marked: NDArray[np.bool_], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    places = np.flatnonzero(marked)
    return np.asarray(places[rng.choice(len(places), size=min(count, len(places)), replace=False)])


def _labels(products: Sequence[ProductId], following: Iterator[Event], at: datetime) -> Rows:
    depth = dict[ProductId, int]()
    for event in following:
        if event.at - at > FORESEEN:
            break
        if event.product_id is not None and event.type in DEPTH:
            depth[event.product_id] = max(DEPTH[event.type], depth.get(event.product_id, 0))
    reached = np.array([depth.get(product_id, 0) for product_id in products])
    return (reached[:, None] >= np.array([1, 2, 3])).astype(np.float32)
