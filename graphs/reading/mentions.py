"""Which products a longer text names, and which one each of its sentences is about."""

from collections.abc import Sequence
from dataclasses import replace

from graphs.reading.slots import mentioned
from models.types import Product


def named_products(sentences: Sequence[str], choice: Sequence[Product]) -> tuple[Product, ...]:
    """The products that the sentences name by brand or by a good piece of the title; where none is, by a tag (mug, 口红)."""
    untagged = [replace(product, tags=()) for product in choice]
    named = {product_id for sentence in sentences for product_id in mentioned(sentence, untagged)}
    named = named or {product_id for sentence in sentences for product_id in mentioned(sentence, choice)}
    return tuple(product for product in choice if product.product_id in named)


def subjects(sentences: Sequence[str], products: Sequence[Product]) -> list[tuple[Product, ...]]:
    """What each sentence is about: the products it names, else those of the sentence before; before any is named, all of them."""
    current: tuple[Product, ...] = tuple(products)
    found: list[tuple[Product, ...]] = []
    for sentence in sentences:
        named = named_products([sentence], products)
        current = named or current
        found.append(current)
    return found
