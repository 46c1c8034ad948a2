"""Products -> outline -> every segment drafted at once, with prices and figures only from the store -> one checked, timed script."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from graphs.checking.claims import tells_money
from graphs.checking.verdicts import OnWriter, unheard
from graphs.compliance import Compliance, Finding, check
from graphs.errors import Internal, NotFound
from graphs.flow import GraphBuilder, StreamGraph
from graphs.guarding import wish
from graphs.hosting.drafting import Brief, draft, taken
from graphs.hosting.judging import Bounds
from graphs.hosting.outline import Section, outline
from graphs.hosting.remarks import asked_and_answered
from graphs.hosting.sayings import evidence_of, has_mark, unmarked
from graphs.hosting.segments import Ledger, Segment, composed
from graphs.ports import Catalog, Knowledge, Writer
from graphs.reading.slots import detect_language, format_price
from models.prompts import PRICE_FACTS, in_other_words, script_prompt, stand_in
from models.types import Language, Product, ProductId, Prompt

SEGMENTS_AT_ONCE = 8
PASSAGES = 12  # looked through for stored questions about one product
FACTS_BESIDE = 3  # that the writer is shown for a segment that tells none


@dataclass(frozen=True, slots=True)
class ScriptRequest:
    product_ids: tuple[ProductId, ...]
    language: Language | None = None  # None: that of most products' titles, of the first where they are even
    audience: str | None = None
    scene: str | None = None
    style: str | None = None
    duration_s: float = 90.0


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for, in a language that is settled."""

    language: Language
    duration_s: float
    audience: str | None
    scene: str | None
    style: str | None


@dataclass(frozen=True, slots=True)
class ScriptReply:
    segments: tuple[Segment, ...]
    summary: str
    keywords: tuple[str, ...]
    compliance: Compliance
    ai_generated: bool = True


Products = tuple[Product, ...]


@dataclass(frozen=True, slots=True)
class ScriptNodes:
    catalog: Catalog
    knowledge: Knowledge
    writer: Writer
    on_writer: OnWriter = unheard

    async def products(self, request: ScriptRequest) -> Products:
        found = await self.catalog.products(request.product_ids)
        for product_id in request.product_ids:
            if product_id not in found:
                raise NotFound(f"no product `{product_id}`; PUT /v1/products/{product_id} makes it", param="product_ids")
        return tuple(found[product_id] for product_id in dict.fromkeys(request.product_ids))

    @staticmethod
    def order(request: ScriptRequest, products: Products) -> Order:
        language = request.language or _language_of(products)
        return Order(language, request.duration_s, request.audience, request.scene, request.style)

    async def asked(self, product: Product, order: Order) -> tuple[str, ...]:
        """What viewers asked about a product, with the stored answers, as a host may pass it on."""
        found = await self.knowledge.passages(product.title, products=frozenset((product.product_id,)), k=PASSAGES)
        stored = [p for p in found if p.product_id == product.product_id and p.question and p.answer]
        told = (asked_and_answered(p.question or "", p.answer or "", order.language) for p in stored)
        return tuple(said for said in told if _may_pass_on(said, order.language))

    @staticmethod
    def outline(order: Order, products: Products, asked: tuple[tuple[str, ...], ...]) -> tuple[Section, ...]:
        by_product = {product.product_id: said for product, said in zip(products, asked, strict=True)}
        return outline(products, by_product, order.duration_s, order.language)

    @staticmethod
    def ledger(_order: Order) -> Ledger:
        """What one script has said; a new one for every order."""
        return Ledger()

    async def write(self, section: Section, order: Order, ledger: Ledger) -> Segment:
        """The segment with the writer's sentences. Raises when none of them can be said: facts in fixed phrases answer for it."""

        def enough(kept: Sequence[str]) -> bool:
            return 2 * len(kept) >= section.sentences and composed(section, kept, order.language, ledger).drafted > 0

        briefs, bounds = _briefs(section, order), _bounds(section, order)
        sentences = await draft(self.writer, briefs, bounds, enough=enough, on_writer=self.on_writer)
        made = composed(section, sentences, order.language, ledger)
        taken(self.on_writer, sentences, made.drafted)
        if not made.drafted:
            raise Internal(f"nothing that the writer said for the {section.kind} was new")
        ledger.enter(made.small_talk)
        return made.segment

    @staticmethod
    def assemble(order: Order, products: Products, segments: tuple[Segment, ...]) -> ScriptReply:
        findings: list[Finding] = []
        offset = 0
        for segment in segments:
            findings += [replace(f, start=f.start + offset, end=f.end + offset) for f in check(segment.text, order.language).findings]
            offset += len(segment.text) + 1  # offsets count in the segments' texts joined by line breaks
        return ScriptReply(
            segments=segments,
            summary=_summary(products, order.language),
            keywords=tuple(dict.fromkeys(word for p in products for word in (p.title, p.brand, p.category, *p.tags) if word)),
            compliance=Compliance(passed=not findings, findings=tuple(findings)),
        )


def from_facts(section: Section, order: Order, ledger: Ledger) -> Segment:
    """Fallback of one segment: the facts themselves, in fixed phrases."""
    made = composed(section, (), order.language, ledger)
    ledger.enter(made.small_talk)
    return made.segment


def nothing_asked(_product: Product, _order: Order) -> tuple[str, ...]:
    """Fallback of what viewers asked: the script does without it."""
    return ()


def _may_pass_on(said: str, language: Language) -> bool:
    """A stored answer in the script's language that tells no price, which may have changed, and nothing that the law forbids."""
    return detect_language(said) == language and not has_mark(said) and not tells_money(said) and check(said, language).passed


def _briefs(section: Section, order: Order) -> tuple[Brief, Brief]:
    """The segment under the product's title, then under a name that a small writer can copy."""
    title = unmarked(section.product.title)
    wishes = (wish for wish in (order.audience, order.scene, order.style) if wish)
    name = stand_in(order.language, (title, *evidence_of(section.product, section.known), *wishes))
    first = _prompt(section, order, title)
    return Brief(first), Brief(_prompt(section, order, name) if name else in_other_words(first), name)


def _prompt(section: Section, order: Order, name: str) -> Prompt:
    told = section.sayings or section.known[:FACTS_BESIDE]
    price = [PRICE_FACTS[order.language]] if section.tells_price else []
    return script_prompt(
        section.kind,
        [name],
        [*price, *(saying.fact for saying in told)],
        order.language,
        audience=(wished := wish(order.audience)) and unmarked(wished),
        scene=(wished := wish(order.scene)) and unmarked(wished),
        style=(wished := wish(order.style)) and unmarked(wished),
        sentences=section.sentences,
    )


def _bounds(section: Section, order: Order) -> Bounds:
    return Bounds(
        order.language,
        titles=(section.product.title,),
        evidence=evidence_of(section.product, section.known),
        sayings=section.known,
        price=format_price(section.product.price, order.language) if section.tells_price else None,
        wishes=tuple(wished for wished in map(wish, (order.audience, order.scene)) if wished),
    )


def _language_of(products: Products) -> Language:
    """The language of most titles; of the first where they are even."""
    counted = Counter(detect_language(product.title) for product in products)  # in order of their first title
    return counted.most_common(1)[0][0]


def _summary(products: Products, language: Language) -> str:
    parts = [f"{p.title} {format_price(p.price, language)}" for p in products]
    return "；".join(parts) if language == "zh" else "; ".join(parts)


def script_graph(nodes: ScriptNodes) -> StreamGraph[ScriptRequest, Segment, ScriptReply]:
    g = GraphBuilder("script", ScriptRequest)
    products = g.add(nodes.products, g.request, timeout_s=2.0)
    order = g.apply(nodes.order, g.request, products)
    asked = g.map(nodes.asked, products, order, timeout_s=1.0, concurrency=SEGMENTS_AT_ONCE, fallback=nothing_asked)
    sections = g.apply(nodes.outline, order, products, asked)
    ledger = g.apply(nodes.ledger, order)
    segments = g.map(nodes.write, sections, order, ledger, timeout_s=30.0, concurrency=SEGMENTS_AT_ONCE, fallback=from_facts)
    return g.build_stream(g.apply(nodes.assemble, order, products, segments), items=segments)
