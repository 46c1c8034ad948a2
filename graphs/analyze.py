"""A script somebody wrote -> what it mentions and claims, whether the claims hold, what the law minds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from graphs.checking.claims import AssertionKind, assertions_in, clauses_of, misstated, tells_money, unsupported_assertions
from graphs.checking.support import unsupported
from graphs.compliance import Compliance, check
from graphs.flow import Graph, GraphBuilder
from graphs.hosting.pacing import sentences_of
from graphs.hosting.sayings import Saying, evidence_of, sayings_of
from graphs.ports import Catalog, Knowledge, Segmenter
from graphs.reading.keywords import keywords, summary
from graphs.reading.mentions import named_products, subjects
from graphs.reading.slots import detect_language, facts_of, format_price
from models.types import Language, Passage, Product, ProductId

PIECE_CHARACTERS = 500  # of the text that are searched with at once
MAX_PIECES = 16
PASSAGES = 30  # found for each piece

ClaimKind = AssertionKind | Literal["finding"]


@dataclass(frozen=True, slots=True)
class AnalyzeRequest:
    text: str
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    text: str  # a clause
    grounded: bool
    kinds: tuple[ClaimKind, ...]  # what makes it a claim; `finding`: a wording that the compliance check minds


@dataclass(frozen=True, slots=True)
class AnalyzeReply:
    keywords: tuple[str, ...]
    product_ids: tuple[ProductId, ...]
    summary: str
    claims: tuple[Claim, ...]
    compliance: Compliance


Passages = tuple[Passage, ...]
Products = tuple[Product, ...]
Words = tuple[tuple[str, ...], ...]  # sentence by sentence


@dataclass(frozen=True, slots=True)
class AnalyzeNodes:
    catalog: Catalog
    knowledge: Knowledge
    segmenter: Segmenter

    @staticmethod
    def pieces(request: AnalyzeRequest) -> tuple[str, ...]:
        """The text in pieces that are short enough to search with."""
        pieces = [""]
        for sentence in sentences_of(request.text):
            if pieces[-1] and len(pieces[-1]) + len(sentence) > PIECE_CHARACTERS:
                pieces.append("")
            pieces[-1] += sentence[:PIECE_CHARACTERS]
        return tuple(pieces[:MAX_PIECES])

    async def passages(self, piece: str) -> Passages:
        return await self.knowledge.passages(piece, products=None, k=PASSAGES)

    async def mentions(self, request: AnalyzeRequest, found: tuple[Passages, ...]) -> Products:
        """The products that the text names by title or brand."""
        products = await self.catalog.products({p.product_id for passages in found for p in passages if p.product_id})
        return named_products(sentences_of(request.text), tuple(products.values()))

    async def words(self, request: AnalyzeRequest) -> Words:
        return tuple([await self.segmenter.words(sentence) for sentence in sentences_of(request.text)])

    @staticmethod
    def judge(request: AnalyzeRequest, found: tuple[Passages, ...], products: Products, words: Words) -> AnalyzeReply:
        language = request.language or detect_language(request.text)
        compliance = check(request.text, language)
        catalogue = [w for p in products for w in (p.title, p.brand, p.category, *p.tags, *p.attributes, *p.attributes.values()) if w]
        about = keywords(request.text, catalogue, words)
        known = {passage.source_id: passage for passages in found for passage in passages}
        return AnalyzeReply(
            keywords=about,
            product_ids=tuple(p.product_id for p in products),
            summary=summary(sentences_of(request.text), about),
            claims=tuple(_claims(request.text, products, tuple(known.values()), compliance)),
            compliance=compliance,
        )


def without_words(_request: AnalyzeRequest) -> Words:
    """Fallback of the segmentation: the catalogue's words alone are keywords."""
    return ()


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store and the documents say of what a sentence is about."""

    stated: tuple[str, ...]  # by the store
    documents: tuple[str, ...]
    sayings: tuple[Saying, ...]  # in both languages

    @classmethod
    def of(cls, products: Products, passages: Passages) -> "_Known":
        sayings = tuple(saying for product in products for language in LANGUAGES for saying in sayings_of(product, language))
        ids = {product.product_id for product in products}
        texts = (f"{p.question or ''} {p.answer or p.text}" for p in passages if p.product_id is None or p.product_id in ids)
        stated = (
            text
            for product in products
            for text in (
                product.title,
                *(format_price(product.price, language) for language in LANGUAGES),
                *(fact.text for fact in facts_of(product)),
                *evidence_of(product, ()),
            )
        )
        return cls((*stated, *(saying.fact for saying in sayings)), tuple(texts), sayings)

    def evidence(self, clause: str) -> tuple[str, ...]:
        """What may support a clause; an amount of money in a document only what the document is about (满99元包邮 is no price)."""
        if not tells_money(clause):
            return (*self.stated, *self.documents)
        return (*self.stated, *(document for document in self.documents if not unsupported(clause, (document,))))


LANGUAGES: tuple[Language, ...] = ("zh", "en")


def _claims(text: str, products: Products, passages: Passages, compliance: Compliance) -> Iterator[Claim]:
    """Clauses that state something; grounded when what is known of their subject states all of it, and the law minds none of it."""
    sentences = sentences_of(text)
    known: dict[tuple[ProductId, ...], _Known] = {}
    start = 0
    for sentence, about in zip(sentences, subjects(sentences, products), strict=True):
        ids = tuple(product.product_id for product in about)
        if ids not in known:
            known[ids] = _Known.of(about, passages)
        for clause in clauses_of(sentence):
            end = start + len(clause)
            minded = any(f.start < end and f.end > start for f in compliance.findings)
            start = end
            claim = _claim(clause, known[ids], minded=minded)
            if claim is not None:
                yield claim


def _claim(clause: str, known: _Known, *, minded: bool) -> Claim | None:
    """What a clause claims; None when it claims nothing."""
    kinds: list[ClaimKind] = [statement.kind for statement in assertions_in(clause)]
    wrong = misstated(clause, known.sayings)
    if wrong or any(saying.is_told_by(clause) for saying in known.sayings):
        kinds.append("property")
    if minded:
        kinds.append("finding")
    if not kinds:
        return None
    grounded = not minded and not wrong and not unsupported_assertions(clause, known.evidence(clause))
    return Claim(clause.strip().rstrip("，,；;"), grounded, tuple(dict.fromkeys(kinds)))


def analyze_graph(nodes: AnalyzeNodes) -> Graph[AnalyzeRequest, AnalyzeReply]:
    g = GraphBuilder("analyze", AnalyzeRequest)
    found = g.map(nodes.passages, g.apply(nodes.pieces, g.request), timeout_s=3.0, concurrency=4)
    products = g.add(nodes.mentions, g.request, found, timeout_s=2.0)
    words = g.add(nodes.words, g.request, timeout_s=2.0, fallback=without_words)
    return g.build(g.apply(nodes.judge, g.request, found, products, words))
