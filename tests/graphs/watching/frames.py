"""Frames as recognised, what a watch makes of them, and how that is read."""

from collections.abc import Iterable, Sequence

from graphs.recognize import FrameSize, ProductMatch, RecognizeReply, SeenProduct
from graphs.watching.watcher import Displayed, Update, Watch
from models.types import Box, ProductId

A, B, C = ProductId("A"), ProductId("B"), ProductId("C")
HELD: Box = (100.0, 100.0, 300.0, 300.0)
ASIDE: Box = (400.0, 100.0, 600.0, 300.0)


def thing(product: ProductId | None, box: Box = HELD, similarity: float = 0.8) -> SeenProduct:
    matches = () if product is None else (ProductMatch(product, f"title of {product}", similarity),)
    return SeenProduct(box, 0.9, "product", matches)


def frame(*things: SeenProduct) -> RecognizeReply:
    return RecognizeReply(FrameSize(640, 480), things)


def held(products: Iterable[ProductId | None]) -> list[RecognizeReply]:
    """Frames with one thing in the hand; None: an empty hand."""
    return [frame(thing(product)) if product else frame() for product in products]


def watched(frames: Sequence[RecognizeReply], *, every_s: float = 0.5, watch: Watch | None = None) -> list[Update]:
    watch = watch or Watch()
    updates = [watch.see(seen, number * every_s) for number, seen in enumerate(frames)]
    return [*updates, watch.close(len(frames) * every_s)]


def shown(update: Update) -> list[ProductId]:
    return [seen.matches[0].product_id for seen in update.products if seen.matches]


def reports(updates: Sequence[Update]) -> list[list[ProductId]]:
    """What would be told: the products of each update that says that something has changed."""
    return [shown(update) for update in updates if update.changed]


def displays(updates: Sequence[Update]) -> list[Displayed]:
    return sorted((display for update in updates for display in update.shown), key=lambda display: display.order)


def held_still(products: Iterable[ProductId | None]) -> list[RecognizeReply]:
    """Frames with one thing in the same place; None: it is not recognised."""
    return [frame(thing(product)) for product in products]
