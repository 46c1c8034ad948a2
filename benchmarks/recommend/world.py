"""A synthetic shop of any size: products in groups of taste, viewers who buy within a few groups, and everything that serves them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from deployments.settings import Settings
from models.artifacts import open_artifact
from models.language.text_embedder import TextEmbedder
from models.recommend.behaviour import Behaviour
from models.recommend.item_factors import Fit, item_to_item, item_vectors
from models.recommend.learned import LearnedSources
from models.recommend.popularity import Popularity
from models.recommend.ranker import Ranker
from models.recommend.retriever import ShopIndex
from models.recommend.sequence import SequenceConfig, SequenceNetwork
from models.recommend.sequence_source import SequenceSource
from models.training.learned import MOST_BY_DEFAULT
from models.types import Event, EventId, Money, Product, ProductId, ViewerId

GROUP = 50  # products of one taste
TASTES = 3  # groups that a viewer buys from
EVENTS = 10  # of a viewer, in training
HISTORY = 20  # events of a viewer who asks
PRODUCTS_AT_ONCE = 20_000
# fmt: off
_LOOKS = ("red", "blue", "soft", "warm", "light", "dark", "silk", "cotton", "steel", "glass", "bamboo", "travel", "mini", "large", "smart")
_THINGS = ("lamp", "kettle", "mug", "shirt", "dress", "serum", "cream", "towel", "pan", "knife", "bag", "shoes", "watch", "pillow", "brush")
# fmt: on


@dataclass(frozen=True, slots=True)
class Costs:
    """Of getting ready, in seconds."""

    index_s: float  # embedding all texts and building the indexes of texts and behaviour
    fit_s: float  # item-to-item weights and item vectors from `items * EVENTS` events


@dataclass(frozen=True, slots=True)
class World:
    products: Mapping[ProductId, Product]
    shop: ShopIndex
    behaviour: Behaviour
    learned: LearnedSources
    ranker: Ranker
    histories: Mapping[ViewerId, Sequence[Event]]  # up to five minutes before the world was made
    costs: Costs


def world(items: int, *, viewers: int, seed: int) -> World:
    """Everything in memory as one ingress replica has it; `viewers` have a history of `HISTORY` events."""
    rng = np.random.default_rng(seed)
    settings, now = Settings(), datetime.now(UTC).replace(microsecond=0)
    products = [_product(number, rng) for number in range(items)]
    started = time.perf_counter()
    behaviour = _behaviour(products, rng, seed, now)
    fitted = time.perf_counter()
    shop = ShopIndex(TextEmbedder.load(settings.retriever.text_embedder), picture_dim=8, factor_dim=behaviour.factor_dim)
    for first in range(0, items, PRODUCTS_AT_ONCE):
        shop.put_products(products[first : first + PRODUCTS_AT_ONCE])
    shop.put_factors(behaviour.item_vectors())
    shop.settle()
    ready = time.perf_counter()
    ranker = Ranker.load(open_artifact(settings.ranker.recommender, kind="recommender", schema=1))
    histories = {viewer_id: _history(viewer_id, products, rng, now) for viewer_id in (ViewerId(f"v{number}") for number in range(viewers))}
    named = {product.product_id: product for product in products}
    return World(named, shop, behaviour, _learned(behaviour, seed), ranker, histories, Costs(ready - fitted, fitted - started))


def _product(number: int, rng: np.random.Generator) -> Product:
    """Products of a group share a thing, which is their category, and differ in looks."""
    group = number // GROUP
    looks = " ".join(_LOOKS[place] for place in rng.integers(0, len(_LOOKS), size=2).tolist())
    title = f"{looks} {_THINGS[group % len(_THINGS)]} {_THINGS[group // len(_THINGS) % len(_THINGS)]} {number % 997}"
    return Product(ProductId(f"p{number}"), title, _THINGS[group % len(_THINGS)], Money(Decimal(10), "CNY"))


def _behaviour(products: Sequence[Product], rng: np.random.Generator, seed: int, now: datetime) -> Behaviour:
    items = len(products)
    bought = _bought(items, items, rng)
    rows = np.repeat(np.arange(items), EVENTS)
    matrix = sparse.csr_array((np.ones(bought.size, np.float32), (rows, bought.ravel())), shape=(items, items))
    fit = Fit()
    popularity = Popularity()
    for product in products:
        popularity.announce(product.product_id, now - timedelta(days=10))
    for number in bought.ravel()[: 2 * items].tolist():
        popularity.observe(_click(f"e{number}", ViewerId("anybody"), products[number], now), now=now)
    ids = [product.product_id for product in products]
    return Behaviour(ids, item_to_item(matrix, fit), item_vectors(matrix, fit, seed), popularity)


def _learned(behaviour: Behaviour, seed: int) -> LearnedSources:
    """A sequence model of the size that would be trained, over the item vectors; what it costs does not depend on its weights."""
    if len(behaviour.ids) > MOST_BY_DEFAULT:
        return LearnedSources()
    torch.manual_seed(seed)
    network = SequenceNetwork(SequenceConfig(items=len(behaviour.ids)))
    vectors = behaviour.item_vectors()
    with torch.no_grad():
        for place, product_id in enumerate(behaviour.ids):
            if product_id in vectors:
                network.vectors.weight[place, : behaviour.factor_dim] = torch.from_numpy(vectors[product_id])
    return LearnedSources([SequenceSource(network, behaviour.ids)])


def _bought(viewers: int, items: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """int64 (viewers, EVENTS): places of products, of `TASTES` groups a viewer, some groups far more popular than others."""
    groups = max(1, items // GROUP)
    tastes = np.minimum((groups * rng.random((viewers, TASTES)) ** 2).astype(np.int64), groups - 1)
    chosen = tastes[np.arange(viewers)[:, None], rng.integers(0, TASTES, size=(viewers, EVENTS))]
    places: NDArray[np.int64] = np.minimum(chosen * GROUP + rng.integers(0, GROUP, size=chosen.shape), items - 1)
    return places


def _history(viewer_id: ViewerId, products: Sequence[Product], rng: np.random.Generator, now: datetime) -> Sequence[Event]:
    numbers = _bought(-(-HISTORY // EVENTS), len(products), rng).ravel()[:HISTORY].tolist()
    return [_click(f"{viewer_id}-{place}", viewer_id, products[number], now) for place, number in enumerate(numbers)]


def _click(event_id: str, viewer_id: ViewerId, product: Product, now: datetime) -> Event:
    return Event(EventId(event_id), viewer_id, "click", now - timedelta(minutes=5), product_id=product.product_id)
