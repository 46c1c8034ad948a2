"""A script somebody wrote -> what it mentions and claims, whether the claims hold, what the law minds."""

from dataclasses import dataclass

from graphs.compliance import Compliance, check
from graphs.flow import Graph, GraphBuilder
from graphs.grounding import ungrounded
from graphs.pacing import sentences_of
from graphs.ports import Catalog, Knowledge
from graphs.slots import detect_language, facts_of, mentioned
from models.types import Language, Product, ProductId

QUERY_CHARACTERS = 500  # of the text, for finding the products it may be about
MAX_PRODUCTS = 50
SUMMARY_SENTENCES = 2
MAX_KEYWORDS = 20


@dataclass(frozen=True, slots=True)
class AnalyzeRequest:
    text: str
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    text: str
    grounded: bool


@dataclass(frozen=True, slots=True)
class AnalyzeReply:
    keywords: tuple[str, ...]
    product_ids: tuple[ProductId, ...]
    summary: str
    claims: tuple[Claim, ...]
    compliance: Compliance


Products = tuple[Product, ...]


@dataclass(frozen=True, slots=True)
class AnalyzeNodes:
    catalog: Catalog
    knowledge: Knowledge

    async def mentions(self, request: AnalyzeRequest) -> Products:
        """The products that the text names by title or brand."""
        found = await self.knowledge.passages(request.text[:QUERY_CHARACTERS], products=None, k=MAX_PRODUCTS)
        products = tuple((await self.catalog.products({p.product_id for p in found if p.product_id})).values())
        named = mentioned(request.text, products)
        return tuple(p for p in products if p.product_id in named)

    @staticmethod
    def judge(request: AnalyzeRequest, products: Products) -> AnalyzeReply:
        language = request.language or detect_language(request.text)
        compliance = check(request.text, language)
        keywords = _keywords(request.text, products)
        return AnalyzeReply(
            keywords=keywords,
            product_ids=tuple(p.product_id for p in products),
            summary=_summary(request.text, keywords),
            claims=_claims(request.text, products, compliance),
            compliance=compliance,
        )


def _keywords(text: str, products: Products) -> tuple[str, ...]:
    """Words of the catalogue that stand in the text, longest first."""
    lowered = text.lower()
    words = {w for p in products for w in (p.title, p.brand, p.category, *p.tags, *p.attributes, *p.attributes.values()) if w}
    return tuple(sorted((w for w in words if w.lower() in lowered), key=lambda w: (-len(w), w)))[:MAX_KEYWORDS]


def _summary(text: str, keywords: tuple[str, ...]) -> str:
    """The sentences that hold most keywords, in their own order."""
    sentences = sentences_of(text)
    best = sorted(range(len(sentences)), key=lambda i: (-sum(k.lower() in sentences[i].lower() for k in keywords), i))[:SUMMARY_SENTENCES]
    return "".join(sentences[i] for i in sorted(best)).strip()


def _claims(text: str, products: Products, compliance: Compliance) -> tuple[Claim, ...]:
    """Sentences with a figure, a product's property or a finding; grounded when the store holds all of it."""
    facts = [fact.text for p in products for fact in facts_of(p)]
    properties = {w.lower() for p in products for w in p.attributes.values()}
    claims: list[Claim] = []
    start = 0
    for sentence in sentences_of(text):
        end = start + len(sentence)
        found = any(f.start < end and f.end > start for f in compliance.findings)
        stated = any(c.isdigit() for c in sentence) or any(w in sentence.lower() for w in properties)
        if stated or found:
            claims.append(Claim(sentence.strip(), grounded=not found and not ungrounded(sentence, facts)))
        start = end
    return tuple(claims)


def analyze_graph(nodes: AnalyzeNodes) -> Graph[AnalyzeRequest, AnalyzeReply]:
    g = GraphBuilder("analyze", AnalyzeRequest)
    products = g.add(nodes.mentions, g.request, timeout_s=2.0)
    return g.build(g.apply(nodes.judge, g.request, products))
