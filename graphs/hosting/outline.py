"""How a host's script is laid out in time: which segments there are, how long each is, and what each may tell."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from graphs.hosting.pacing import spoken_s
from graphs.hosting.sayings import Saying, sayings_of
from models.prompts import MAX_SENTENCES, SegmentKind
from models.types import Language, Product, ProductId

T = TypeVar("T")

SENTENCE_S = 5.0
PART_S = 36.0  # a product that has more to tell is told in parts of about this
MIN_PRODUCT_S = 7.0  # below this a product's time is worth more than what stands around it
PRODUCTS_PER_INTERACTION = 3
# Share of the whole, and the least and most seconds, of what stands around the products; the last is given up first.
_AROUND: tuple[tuple[SegmentKind, float, float, float], ...] = (
    ("opening", 0.12, 5.0, 15.0),
    ("promotion", 0.12, 5.0, 20.0),
    ("closing", 0.1, 5.0, 12.0),
    ("interaction", 0.1, 5.0, 12.0),
)
_SHORT_S = 25.0  # below this only the products are told
_MEDIUM_S = 40.0  # below this they and an opening


@dataclass(frozen=True, slots=True)
class Section:
    """A segment to be written."""

    kind: SegmentKind
    seconds: float
    product: Product  # that it is about, or that is on the table meanwhile
    known: tuple[Saying, ...] = ()  # all that can be said of the product
    sayings: tuple[Saying, ...] = ()  # what it may tell of the product; nobody else does
    asked: tuple[str, ...] = ()  # what viewers asked about it, with the stored answers, as sentences
    tells_price: bool = False
    place: int = 0  # of the product among all
    products: int = 1  # of the script
    part: int = 0  # of the product's segments
    is_last_part: bool = True

    @property
    def sentences(self) -> int:
        """How many to ask for; one more where the platform's own lead takes the place of the writer's first."""
        is_led = self.products > 1 if self.kind == "opening" else self.kind == "product" and (self.place > 0 or self.part > 0)
        return max(1, min(MAX_SENTENCES, round(self.seconds / SENTENCE_S) + is_led))


AskedOfProducts = Mapping[ProductId, Sequence[str]]


def outline(products: Sequence[Product], asked: AskedOfProducts, duration_s: float, language: Language) -> tuple[Section, ...]:
    """Opening, the products one after the other with an interaction now and then, promotion, closing; what time is too short for, not.

    The sections' seconds add up to `duration_s`. Every price is told once: that of a single product in the promotion, when there is one.
    Nothing is promoted that is sold out.
    """
    in_stock = [product for product in products if product.stock is None or product.stock > 0]
    around = _around(duration_s, len(products), can_promote=bool(in_stock))
    each_s = (duration_s - sum(seconds * count for seconds, count in around.values())) / len(products)
    tells_price_late = len(products) == 1 and "promotion" in around
    known = {p.product_id: sayings_of(p, language) for p in products}
    told = [
        _told(Section("product", each_s, p, sayings=known[p.product_id], asked=tuple(asked.get(p.product_id, ())), place=place), language)
        for place, p in enumerate(products)
    ]
    sections: list[Section] = []
    if "opening" in around:
        sections.append(Section("opening", around["opening"][0], products[0]))
    sections += _interrupted(told, *around.get("interaction", (0.0, 0)))
    if "promotion" in around:
        sections.append(Section("promotion", around["promotion"][0], in_stock[-1]))
    if "closing" in around:
        sections.append(Section("closing", around["closing"][0], products[-1]))
    prices = "promotion" if tells_price_late else "product"
    return tuple(
        replace(s, known=known[s.product.product_id], products=len(products), tells_price=s.kind == prices and s.is_last_part)
        for s in sections
    )


def _around(duration_s: float, products: int, *, can_promote: bool) -> dict[SegmentKind, tuple[float, int]]:
    """Seconds and number of each kind of segment around the products."""
    if duration_s < _SHORT_S:
        return {}
    kinds = _AROUND[:1] if duration_s < _MEDIUM_S else _AROUND
    chosen: dict[SegmentKind, tuple[float, int]] = {}
    left_s = duration_s - MIN_PRODUCT_S * products
    for kind, share, least_s, most_s in kinds:
        seconds = min(most_s, max(least_s, share * duration_s))
        wanted = max(1, products // PRODUCTS_PER_INTERACTION) if kind == "interaction" else int(kind != "promotion" or can_promote)
        count = min(wanted, int(max(0.0, left_s) // seconds))
        if count:
            chosen[kind] = (seconds, count)
            left_s -= seconds * count
    return chosen


def _told(whole: Section, language: Language) -> list[Section]:
    """The parts of one product, what there is to tell dealt out among them."""
    content_s = sum(spoken_s(told, language) for told in (*whole.asked, *(saying.fact for saying in whole.sayings)))
    parts = max(1, round(min(whole.seconds, content_s) / PART_S))
    sayings, asked = _dealt(whole.sayings, parts), _dealt(whole.asked, parts)
    return [
        replace(whole, seconds=whole.seconds / parts, sayings=sayings[part], asked=asked[part], part=part, is_last_part=part == parts - 1)
        for part in range(parts)
    ]


def _dealt(items: tuple[T, ...], parts: int) -> list[tuple[T, ...]]:
    return [items[part * len(items) // parts : (part + 1) * len(items) // parts] for part in range(parts)]


def _interrupted(told: Sequence[Sequence[Section]], seconds: float, count: int) -> Iterator[Section]:
    """All parts of all products, with `count` interactions spread behind them."""
    parts = [section for product in told for section in product]
    stops = {max(1, (number + 1) * len(parts) // (count + 1)) for number in range(count)}
    for number, section in enumerate(parts, start=1):
        yield section
        if number in stops:
            yield Section("interaction", seconds, section.product)
