"""Enrolled pictures follow the embedder: when another one is configured, they are embedded again from the stored pictures."""

import asyncio
import logging

from deployments.store import Store
from deployments.store.values import View
from graphs.errors import LivecartError, NotFound
from graphs.ports import PictureEmbedder
from models.types import ProductId

ACTOR = "enrolment"
RETRY_S = 2.0
_PAGE = 100

_log = logging.getLogger("livecart.enrolment")


async def refresh_views(store: Store, embedder: PictureEmbedder, tag: str) -> int:
    """Embed again whatever another embedder than `tag` has embedded; returns how many products that were.

    Several processes may do it at once: each product is replaced as a whole, by the same vectors. Raises LivecartError.
    """
    renewed = 0
    cursor: str | None = None
    while True:
        page = await store.list_embeddings(cursor, _PAGE)
        for product_id, views in page.items:
            if any(view.model != tag for view in views):
                await _renew(store, embedder, product_id)
                renewed += 1
        cursor = page.next_cursor
        if cursor is None:
            return renewed


async def _renew(store: Store, embedder: PictureEmbedder, product_id: ProductId) -> None:
    pictures = [view.picture for view in await store.views(product_id) if view.picture is not None]
    embedded = await embedder.embed(pictures)
    views = [View(picture, each.vectors, each.model) for picture, each in zip(pictures, embedded, strict=True)]
    try:
        await store.replace_views(product_id, views, actor=ACTOR)
    except NotFound:
        _log.info("product %s was deleted meanwhile", product_id)


async def keep_views_current(store: Store, embedder: PictureEmbedder, tag: str) -> None:
    """`refresh_views` until it succeeds once: at the start of an ingress the detector may not be up yet."""
    while True:
        try:
            renewed = await refresh_views(store, embedder, tag)
        except LivecartError as error:
            _log.info("enrolled pictures are checked again in %.0f s: %s", RETRY_S, error)
            await asyncio.sleep(RETRY_S)
        else:
            if renewed:
                _log.warning("the embedder has changed: the pictures of %d products were embedded again", renewed)
            return
