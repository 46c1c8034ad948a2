"""Questions on invented products of families that no training saw: what a shop is asked, answerable and nearly so."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from models.training.corpus.lexicon import Lexicon, load_lexicon
from models.training.corpus.products import Fact, Invented, invent
from models.types import Language

Row = dict[str, object]  # a line of `livecart evaluate answers --data`
_ASKED: Mapping[Language, Mapping[str, tuple[str, ...]]] = {
    "zh": {
        "price": ("多少钱", "这个怎么卖", "什么价格呀", "现在卖多少", "几块钱", "报个价", "售价是多少", "{title}多少钱", "要多少米"),
        "price_near": ("原价多少", "明天会降价吗", "运费多少钱", "买两件多少钱", "有没有优惠券", "别家卖多少钱", "去年卖多少"),
        "stock": ("还有货吗", "库存多少", "还剩多少件", "有现货吗", "卖完了没", "还能拍到吗", "{title}还有吗"),
        "stock_near": ("什么时候补货", "红色还有货吗", "线下店有货吗", "下次什么时候上新"),
    },
    "en": {
        "price": (
            "how much is it",
            "what's the price?",
            "what does it cost",
            "how much for the {title}",
            "price please",
            "how much are these",
        ),
        "price_near": ("how much is shipping", "any discount codes?", "what was the price last year", "is it cheaper elsewhere"),
        "stock": ("is it in stock?", "how many are left", "any left?", "is it sold out", "do you still have the {title}"),
        "stock_near": ("when will you restock", "is the red one in stock", "do your stores have it", "when is the next drop"),
    },
}
_FORMS: Mapping[Language, tuple[str, ...]] = {
    "zh": ("{name}: {value}", "{name}：{value}", "{title}的{name}是{value}。", "{name}是{value}"),
    "en": ("{name}: {value}", "{title}, {name}: {value}.", "The {name} is {value}."),
}
_SAME = frozenset({"cord length", "cable length"})  # a training and a held-out specification that mean the same
_OF_THE_STORE = frozenset({"价格", "price", "库存", "stock", "链接", "优惠", "discount"})  # keys of what a product's own values say
_ON_SHIPPING = frozenset({"运费多少钱", "how much is shipping"})
_SHIPPING_COSTS = frozenset({"运费", "shipping cost"})  # keys of what answers them
_SHARES = {
    "price": 12,
    "price_near": 4,
    "stock": 8,
    "stock_near": 3,
    "spec": 22,
    "fact": 18,
    "policy": 14,
    "free": 5,
    "absent": 12,
    "off_topic": 2,
}


def held_out_questions(*, count: int, seed: int) -> list[Row]:
    """`count` rows, two thirds of them Chinese; `kind` tells what is asked: `..._near`, `absent` and `off_topic` have no answer."""
    rng = random.Random(f"held-out questions {seed}")
    rows: list[Row] = []
    while len(rows) < count:
        made = _row(rng)
        if made is not None:
            rows.append(made)
    return rows


@dataclass(frozen=True, slots=True)
class _Shop:
    """One invented product with its words, price and stock."""

    language: Language
    lexicon: Lexicon
    product: Invented
    price: str
    stock: int
    rng: random.Random

    @property
    def specs(self) -> list[Fact]:
        return [fact for fact in self.product.facts if fact.name is not None and fact.key not in _OF_THE_STORE]

    @property
    def statements(self) -> list[Fact]:
        return [fact for fact in self.product.facts if fact.name is None and fact.key not in _OF_THE_STORE]

    def named(self, *, answer: str | None, question: str, accept: list[str], kind: str) -> Row:
        return {"question": question, "answer": answer, "accept": accept, "language": self.language, "kind": kind}

    def as_product(self) -> Row:
        """As PUT /v1/products takes it."""
        return {
            "title": self.product.title,
            "category": "other",
            "price": {"amount": self.price, "currency": "CNY" if self.language == "zh" else "USD"},
            "stock": self.stock,
            "attributes": {fact.name: fact.value for fact in self.specs},
        }

    def as_facts(self) -> list[object]:
        """The same as documents: named values in one of their forms, statements as sentences or stored questions."""
        form = self.rng.choice(_FORMS[self.language])
        lines: list[object] = [form.format(title=self.product.title, name=fact.name, value=fact.value) for fact in self.specs]
        return lines + [self._statement(fact) for fact in self.statements]

    def _statement(self, fact: Fact) -> object:
        sentence = fact.value + self.lexicon.full_stop
        if fact.stored is not None:
            return {"question": fact.stored, "answer": sentence}
        return sentence


def _row(rng: random.Random) -> Row | None:
    language: Language = rng.choice(("zh", "zh", "en"))
    lexicon = load_lexicon(language)
    product = invent(lexicon, rng, fact_count=rng.randint(3, 7), held_out=True)
    price = f"{rng.randint(9, 1999)}.{rng.choice(('00', '00', '90', '50', '99'))}"
    shop = _Shop(language, lexicon, product, price, rng.choice((0, rng.randint(1, 30), rng.randint(31, 2000))), rng)
    kind = rng.choices(list(_SHARES), list(_SHARES.values()))[0]
    return _MAKERS.get(kind, _asked_near)(shop, kind)


def _asked(shop: _Shop, kind: str) -> str:
    return shop.rng.choice(_ASKED[shop.language][kind]).format(title=shop.product.title)


def _asked_price(shop: _Shop, kind: str) -> Row:
    plain = shop.price.removesuffix(".00")
    return {**shop.named(question=_asked(shop, kind), answer=plain, accept=[plain], kind=kind), "product": shop.as_product()}


def _asked_stock(shop: _Shop, kind: str) -> Row:
    right = [str(shop.stock)] if shop.stock else ["售罄", "没货", "sold out", "out of stock"]
    return {**shop.named(question=_asked(shop, kind), answer=right[0], accept=right, kind=kind), "product": shop.as_product()}


def _asked_near(shop: _Shop, kind: str) -> Row | None:
    """A question that sounds like one of price or stock, or is on nothing of the shop: no answer is known."""
    question = shop.rng.choice(shop.lexicon.off_topic) if kind == "off_topic" else _asked(shop, kind)
    if question in _ON_SHIPPING and shop.product.keys & _SHIPPING_COSTS:
        return None
    shown: Row = {"product": shop.as_product()}
    return {**shop.named(question=question, answer=None, accept=[], kind=kind), **shown}


def _asked_spec(shop: _Shop, kind: str) -> Row | None:
    """A specification of a product (`spec`), or of facts alone (`fact`), by its name or in other words; now and then with yes or no."""
    if not shop.specs:
        return None
    fact = shop.rng.choice(shop.specs)
    question = _question(
        fact, shop, by_name=any(group & shop.product.keys > {fact.key} for group in shop.lexicon.rivals if fact.key in group)
    )
    shown: Row = {"product": shop.as_product()} if kind == "spec" else {"facts": shop.as_facts()}
    return {**shop.named(question=question, answer=fact.value, accept=[fact.value], kind=kind), **shown}


def _asked_statement(shop: _Shop, kind: str) -> Row | None:
    """A policy of the shop asked in other words than it is stored under, or a sentence on any matter."""
    free = kind == "free"
    stored = {topic.questions[0] for topic in shop.lexicon.topics}
    told = {spec.key for spec in shop.lexicon.specs}
    chosen = [fact for fact in shop.statements if (fact.key not in stored | told if free else fact.key in stored)]
    if not chosen:
        return None
    fact = shop.rng.choice(chosen)
    question = shop.rng.choice(fact.questions[:-1] or fact.questions)
    return {**shop.named(question=question, answer=fact.value, accept=[fact.value], kind=kind), "facts": shop.as_facts()}


def _asked_absent(shop: _Shop, kind: str) -> Row | None:
    """A specification or a policy that other products have and this one does not state."""
    held = shop.product.keys.union(*(fact.like for fact in shop.product.facts))
    rivals = frozenset[str]().union(*(group for group in (*shop.lexicon.rivals, _SAME) if group & held))
    is_told_by_stock = False
    if shop.rng.random() < 0.6:
        specs = shop.lexicon.specs + shop.lexicon.held_out_specs
        spec = shop.rng.choice([spec for spec in specs if spec.key not in held | rivals | _OF_THE_STORE])
        question = _question(Fact(spec.key, spec.key, "", spec.questions), shop, by_name=False)
    else:
        topic = shop.rng.choice([topic for topic in shop.lexicon.topics if not held & {topic.questions[0], *topic.like}])
        question = shop.rng.choice(topic.questions)
        is_told_by_stock = not {"库存", "stock"}.isdisjoint(topic.like)
    shown: Row = {"product": shop.as_product()} if shop.rng.random() < 0.5 and shop.specs else {"facts": shop.as_facts()}
    if is_told_by_stock and "product" in shown:
        return None
    return {**shop.named(question=question, answer=None, accept=[], kind=kind), **shown}


def _question(fact: Fact, shop: _Shop, *, by_name: bool) -> str:
    if fact.questions and not by_name and shop.rng.random() < 0.6:
        return shop.rng.choice(fact.questions)
    return shop.rng.choice(shop.lexicon.name_questions).format(name=fact.name)


_MAKERS: Mapping[str, Callable[[_Shop, str], Row | None]] = {
    "price": _asked_price,
    "stock": _asked_stock,
    "spec": _asked_spec,
    "fact": _asked_spec,
    "policy": _asked_statement,
    "free": _asked_statement,
    "absent": _asked_absent,
}
