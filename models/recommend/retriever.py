"""The shop as it can be searched: by picture, by text and by behaviour, kept up to date product by product."""

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np

from models.index import IndexOptions, VectorIndex
from models.language.rerank import Reranker
from models.recommend.history import weighted_products
from models.recommend.neighbourhoods import Neighbourhoods
from models.recommend.passages import PassageIndex, TextEmbedder
from models.types import Candidate, Document, DocumentId, Event, Match, Passage, Product, ProductId, Vectors

SEEDS = 4  # products of latest interest that lead to similar ones: more change no answer, and cost a search each
_LEAST_NEIGHBOURS = 16
_SAME_TEXT = 1e-5  # between vectors of one text, which depend a little on the texts embedded along with it


class ShopIndex:
    """Indexes over product pictures, product and knowledge text, and item factors.

    Thread-safe. Texts are embedded before the lock is taken; a change is then visible as a whole: a product put again loses the
    attributes it no longer has in the same step. Prices and stock are not indexed: they come from the store.
    """

    def __init__(  # what the indexes are made of
        self,
        text: TextEmbedder,
        *,
        picture_dim: int,
        factor_dim: int,
        options: IndexOptions | None = None,
        reranker: Reranker | None = None,
        rerank_depth: int = 20,
    ) -> None:
        self._text = text
        self._options = options
        self._pictures = VectorIndex(picture_dim, options)
        self._products = VectorIndex(text.dim, options)
        self._factors = VectorIndex(factor_dim, options)
        self._evidence = PassageIndex(text, reranker, rerank_depth=rerank_depth, options=options)
        self._lock = threading.RLock()  # one change after the other
        self._digests: dict[ProductId, int] = {}  # of the products' texts as they are indexed
        self._near = Neighbourhoods()  # of the catalogue as it is: a change of a vector starts it anew

    # --- updates ---------------------------------------------------------------------------------------------------------

    def put_product(self, product: Product) -> None:
        """Index a product's texts, replacing what was known of it; its pictures and documents stay."""
        self.put_products((product,))

    def put_products(self, products: Iterable[Product]) -> None:
        """As `put_product`, with one pass of the text embedder and in one step for all.

        What a change of price, stock or attributes leaves as it was stays in place, with the neighbourhoods looked up so far.
        """
        by_id = {product.product_id: product for product in products}
        digests = {product_id: _digest(product_text(product)) for product_id, product in by_id.items()}
        changed_texts = [product_id for product_id, digest in digests.items() if self._digests.get(product_id) != digest]
        vectors = self._text.embed([product_text(by_id[product_id]) for product_id in changed_texts]) if changed_texts else ()
        specs = self._evidence.prepare(passage for product in by_id.values() for passage in _specifications(product))
        with self._lock:
            stale = {source for product_id in by_id for source in self._specs_of(product_id)} - specs.passages.keys()
            changed: dict[str, Vectors] = {
                key: vector for key, vector in zip(changed_texts, vectors, strict=True) if self._moves(key, vector)
            }
            self._products.apply(changed)
            self._digests.update(digests)
            self._evidence.apply(specs, stale)
            if changed:
                self._near = Neighbourhoods()

    def _moves(self, product_id: ProductId, vector: Vectors) -> bool:
        stored = self._products.vectors(product_id)
        return stored is None or not np.abs(stored[0] - vector).max() <= _SAME_TEXT

    def remove_product(self, product_id: ProductId) -> None:
        """Forget a product with its pictures and specifications; documents about it are removed by their own ids."""
        with self._lock:
            self._digests.pop(product_id, None)
            self._products.remove(product_id)
            self._pictures.remove(product_id)
            self._evidence.remove(self._specs_of(product_id))
            self._near = Neighbourhoods()

    def put_documents(self, documents: Iterable[Document]) -> None:
        """Index pieces of knowledge, replacing those with the same ids, in one step."""
        fresh = self._evidence.prepare(map(cited, documents))
        with self._lock:
            self._evidence.apply(fresh)

    def remove_document(self, document_id: DocumentId) -> None:
        with self._lock:
            self._evidence.remove((document_id,))

    def _specs_of(self, product_id: ProductId) -> set[str]:
        return {passage.source_id for passage in self._evidence.about(product_id) if passage.kind == "spec"}

    def put_views(self, product_id: ProductId, views: Vectors) -> None:
        """Make `views` float32 (v, picture_dim), L2-normalised, all pictures of a product. Raises ValueError for another width."""
        self._pictures.upsert(product_id, views)

    def put_factors(self, factors: Mapping[ProductId, Vectors], *, dim: int | None = None) -> None:
        """Replace all item factors by these, each float32 (dim,), L2-normalised; None: as wide as those before."""
        fresh = VectorIndex(dim or self._factors.dim, self._options)
        fresh.apply({str(product_id): vector for product_id, vector in factors.items()})
        fresh.settle()
        self._factors = fresh
        self._near = Neighbourhoods()

    def save(self, folder: Path) -> None:
        """The products' texts as they are indexed, into an existing folder; the caller writes the manifest."""
        self._products.save(folder / "products")
        keys = self._products.keys()
        digests = np.array([self._digests[ProductId(key)] for key in keys], dtype=np.uint64)
        np.save(folder / "digests.npy", digests)

    def restore(self, folder: Path) -> None:
        """Begin with what `save` wrote, made by the same text embedder: products with the same text are not embedded again.

        Raises ValueError for another width, and whatever reading raises; nothing has changed then.
        """
        products = VectorIndex.load(folder / "products", self._options)
        if products.dim != self._products.dim:
            raise ValueError(f"{folder} holds vectors of {products.dim} dimensions, the text embedder makes {self._products.dim}")
        saved = np.load(folder / "digests.npy", allow_pickle=False).tolist()
        digests = {ProductId(key): digest for key, digest in zip(products.keys(), saved, strict=True)}
        with self._lock:
            self._products, self._digests = products, digests

    def keep_products(self, products: Collection[ProductId]) -> None:
        """Forget all others."""
        for key in set(self._products.keys()).difference(products):
            self.remove_product(ProductId(key))

    @property
    def neighbourhoods_kept(self) -> int:
        """How many were looked up since the catalogue changed, as far as they are remembered."""
        return len(self._near)

    def knows(self, product_id: ProductId) -> bool:
        """Whether the product is in the catalogue now."""
        return self._products.vectors(product_id) is not None

    # --- search ----------------------------------------------------------------------------------------------------------

    def match(self, embeddings: Vectors, *, among: frozenset[ProductId] | None, top_k: int) -> list[tuple[Match, ...]]:
        """The nearest enrolled products of each embedding float32 (n, picture_dim), best first; only those in `among` when given."""
        found = self._pictures.search(embeddings, top_k, among=among)
        return [tuple(Match(ProductId(key), score) for key, score in best) for best in found]

    def passages(self, query: str, *, products: frozenset[ProductId] | None, k: int) -> tuple[Passage, ...]:
        """The best evidence, best first; with `products` only about them, and shop-wide documents. See `Passage` for its two numbers."""
        return self._evidence.search(query, products=products, k=k)

    def similar(self, product_ids: Sequence[ProductId], k: int, exclude: Collection[ProductId] = ()) -> tuple[Candidate, ...]:
        """Products of the catalogue nearest to any of the given ones, a product never to itself; see `similarity` for the score."""
        return self._similar(dict.fromkeys(product_ids, 1.0), k, exclude)

    def candidates(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        """Products similar to the context and to what the viewer looked at lately (oldest first), recent interest counting more."""
        return self._similar(weighted_products(history, context, limit=SEEDS), k, {*exclude, *context})

    def _similar(self, seeds: Mapping[ProductId, float], k: int, exclude: Collection[ProductId]) -> tuple[Candidate, ...]:
        known = [seed for seed in seeds if self._products.vectors(seed) is not None or self._factors.vectors(seed) is not None]
        near = self._neighbours(known, _enough(k, len(known)) + len(exclude) + 1) - set(exclude)
        found = sorted(product_id for product_id in near if self._products.vectors(product_id) is not None)
        if not known or not found:
            return ()
        weights = np.array([seeds[seed] for seed in known], dtype=np.float32)[:, None]
        same = np.array([[seed == product_id for product_id in found] for seed in known])
        scores = np.where(same, -np.inf, self.similarity(known, found) * weights)
        best, seed_of = scores.max(axis=0), scores.argmax(axis=0)
        order = [place for place in np.argsort(-best, kind="stable")[:k] if best[place] > 0]
        return tuple(Candidate(found[place], "similar_to", float(best[place]), known[seed_of[place]]) for place in order)

    def _neighbours(self, seeds: Sequence[ProductId], k: int) -> set[ProductId]:
        """The `k` nearest of each seed in either index, at least; kept until the catalogue changes."""
        count = max(_LEAST_NEIGHBOURS, 1 << (k - 1).bit_length())
        kept = self._near  # what is found now belongs to the catalogue of now
        near = {seed: products for seed in seeds if (products := kept.get(seed, count)) is not None}
        found = self._nearest([seed for seed in seeds if seed not in near], count)
        for seed, fresh in found.items():
            kept.keep(seed, count, fresh)
        return set[ProductId]().union(*near.values(), *found.values())

    def _nearest(self, seeds: Sequence[ProductId], count: int) -> dict[ProductId, set[ProductId]]:
        found = {seed: set[ProductId]() for seed in seeds}
        for index in (self._products, self._factors):
            stored = {seed: vectors for seed in seeds if (vectors := index.vectors(seed)) is not None}
            if stored:
                for seed, best in zip(stored, index.search(np.concatenate(list(stored.values())), count), strict=True):
                    found[seed].update(ProductId(key) for key, _ in best)
        return found

    def similarity(self, left: Sequence[ProductId], right: Sequence[ProductId]) -> Vectors:
        """float32 (len(left), len(right)), -1..1: mean of the cosines of the texts and of the factors, unknown ones counting 0."""
        parts = [index.first_vectors(left) @ index.first_vectors(right).T for index in (self._products, self._factors)]
        return np.asarray(sum(parts) / len(parts), dtype=np.float32)

    def nearest_texts(self, queries: Vectors, k: int) -> list[tuple[ProductId, float]]:
        """The `k` products whose texts are nearest to a query float32 (1, dim), best first, with the cosine."""
        return [(ProductId(key), score) for key, score in self._products.search(queries, k)[0]]

    def text_vectors(self, products: Sequence[ProductId]) -> Vectors:
        """float32 (len(products), dim), L2-normalised; zero for an unknown product."""
        return self._products.first_vectors(products)

    def settle(self) -> None:
        """Wait until no index is being rebuilt."""
        for index in (self._products, self._factors, self._pictures):
            index.settle()

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """float32 (len(texts), dim), L2-normalised: what the text embedder makes of them."""
        return self._text.embed(texts)


def _enough(k: int, seeds: int) -> int:
    """Neighbours to ask of each of several seeds, so that about `k` are found among all: two indexes are asked."""
    return min(k, max(_LEAST_NEIGHBOURS, -(-k // max(1, seeds))))


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())


def product_text(product: Product) -> str:
    """What a product is found by: title, brand, category, tags and description."""
    parts = (product.title, product.brand, product.category, " ".join(product.tags), product.description)
    return " ".join(part for part in parts if part)


def _specifications(product: Product) -> list[Passage]:
    """One sentence per attribute, `title: attribute: value`, and the brand and description likewise."""
    facts = dict(product.attributes)
    if product.brand:
        facts.setdefault("brand", product.brand)
    if product.description:
        facts.setdefault("description", product.description)
    return [
        Passage(f"{product.product_id}#{name}", "spec", f"{product.title}: {name}: {value}", 0.0, product.product_id)
        for name, value in facts.items()
    ]


def cited(document: Document) -> Passage:
    """A document as it is found and shown."""
    if document.kind == "qa":
        text = document.answer or document.text or document.question or ""
    else:
        text = document.text or document.answer or document.question or ""
    return Passage(document.document_id, document.kind, text, 0.0, document.product_id, document.question, document.answer)
