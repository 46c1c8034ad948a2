"""Products -> outline -> every segment written at once, with figures only from the store -> one checked, timed script."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from graphs.compliance import Compliance, Finding, check
from graphs.errors import Internal, NotFound
from graphs.flow import Graph, GraphBuilder
from graphs.grounding import ungrounded
from graphs.outline import Section, fitted, outline, sentences_of, spoken_s
from graphs.ports import Catalog, Writer
from graphs.slots import facts_of, format_price
from graphs.support import garbles, is_broken
from models.prompts import SegmentKind, script_prompt
from models.types import Language, Product, ProductId

SEGMENTS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class ScriptRequest:
    product_ids: tuple[ProductId, ...]
    language: Language = "zh"
    audience: str | None = None
    scene: str | None = None
    style: str | None = None
    duration_s: float = 90.0


@dataclass(frozen=True, slots=True)
class Segment:
    kind: SegmentKind
    product_id: ProductId | None
    text: str
    seconds: float


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
    writer: Writer

    async def products(self, request: ScriptRequest) -> Products:
        found = await self.catalog.products(request.product_ids)
        for product_id in request.product_ids:
            if product_id not in found:
                raise NotFound(f"no product `{product_id}`; PUT /v1/products/{product_id} makes it", param="product_ids")
        return tuple(found[product_id] for product_id in dict.fromkeys(request.product_ids))

    @staticmethod
    def outline(request: ScriptRequest, products: Products) -> tuple[Section, ...]:
        return outline(products, request.duration_s)

    async def write(self, section: Section, request: ScriptRequest) -> Segment:
        facts = _facts(section.product)
        prompt = script_prompt(
            section.kind,
            [section.product.title] if section.product else [],
            facts,
            request.language,
            audience=request.audience,
            scene=request.scene,
            style=request.style,
            sentences=section.sentences,
        )
        text = "".join([delta.text async for delta in self.writer.write(prompt)])
        title = [section.product.title] if section.product else []
        true = [s for s in sentences_of(text) if _may_be_said(s, facts, title, request.language)]
        if not true:
            raise Internal(f"nothing that the writer said for the {section.kind} is supported by the product's facts")
        return _segment(section, "".join(true), request.language)

    @staticmethod
    def assemble(request: ScriptRequest, products: Products, segments: tuple[Segment, ...]) -> ScriptReply:
        findings: list[Finding] = []
        offset = 0
        for segment in segments:
            findings += [replace(f, start=f.start + offset, end=f.end + offset) for f in check(segment.text, request.language).findings]
            offset += len(segment.text) + 1  # offsets count in the segments' texts joined by line breaks
        return ScriptReply(
            segments=segments,
            summary=_summary(products, request.language),
            keywords=tuple(dict.fromkeys(word for p in products for word in (p.title, p.brand, p.category, *p.tags) if word)),
            compliance=Compliance(passed=not findings, findings=tuple(findings)),
        )


def _may_be_said(sentence: str, facts: Sequence[str], title: Sequence[str], language: Language) -> bool:
    """Figures from the facts only, whole words, the product's own name, nothing that the law forbids."""
    whole = not is_broken(sentence) and not garbles(sentence, title)
    return whole and not ungrounded(sentence, facts) and check(sentence, language).passed


def _facts(product: Product | None) -> list[str]:
    return [fact.text for fact in facts_of(product)] if product else []


def _segment(section: Section, text: str, language: Language) -> Segment:
    """Fit the text into its time, filling up with the product's own facts."""
    fitting = fitted(text, plain_sentences(section, language), section.seconds, language)
    product_id = section.product.product_id if section.product and section.kind == "product" else None
    return Segment(section.kind, product_id, fitting, round(spoken_s(fitting, language), 1))


def plain_sentences(section: Section, language: Language) -> list[str]:
    """What can be said of a section without a model: fixed phrases and the product's own values."""
    product = section.product
    if product is None:
        return []
    price = format_price(product.price, language)
    zh = language == "zh"
    phrases: dict[SegmentKind, list[str]] = {
        "opening": [f"大家好，欢迎来到直播间，今天为大家介绍{product.title}。"]
        if zh
        else [f"Hello and welcome! Today we look at {product.title}."],
        "product": [f"这款是{product.title}，价格{price}。" if zh else f"This is {product.title}, at {price}."],
        "interaction": ["有什么想了解的，打在公屏上，我来回答。"] if zh else ["Tell me in the chat what you would like to know."],
        "promotion": [f"{product.title}的价格是{price}，需要的朋友可以下单了。"]
        if zh
        else [f"{product.title} is {price}; you can order now."],
        "closing": ["感谢大家的观看，我们下次再见。"] if zh else ["Thank you for watching, see you next time."],
    }
    if section.kind not in ("product", "promotion"):
        return phrases[section.kind]
    specifications = [f"它的{n}是{v}。" if zh else f"Its {n} is {v}." for n, v in product.attributes.items()]
    return [*phrases[section.kind], *([product.description] if product.description else []), *specifications]


def from_facts(section: Section, request: ScriptRequest) -> Segment:
    """Fallback of one segment: the facts themselves, in fixed phrases."""
    return _segment(section, "", request.language)


def _summary(products: Products, language: Language) -> str:
    parts = [f"{p.title} {format_price(p.price, language)}" for p in products]
    return "；".join(parts) if language == "zh" else "; ".join(parts)


def script_graph(nodes: ScriptNodes) -> Graph[ScriptRequest, ScriptReply]:
    g = GraphBuilder("script", ScriptRequest)
    products = g.add(nodes.products, g.request, timeout_s=2.0)
    sections = g.apply(nodes.outline, g.request, products)
    segments = g.map(nodes.write, sections, g.request, timeout_s=30.0, concurrency=SEGMENTS_AT_ONCE, fallback=from_facts)
    return g.build(g.apply(nodes.assemble, g.request, products, segments))
