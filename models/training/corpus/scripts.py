"""Script segments and copy out of a product's facts, as JSON sentences, with the mark where the price goes."""

import json
import random
from dataclasses import dataclass, replace

from models.prompts import COPY_CHANNELS, MAX_SENTENCES, PRICE_FACTS, PRICE_MARK, SEGMENT_KINDS, SegmentKind, copy_prompt, script_prompt
from models.training.corpus.lexicon import Lexicon
from models.training.corpus.products import Fact, Invented, passages, texts
from models.training.corpus.questions import language_of
from models.types import Prompt

_PRICE_NAMES = frozenset({"价格", "price"})
_TITLE_BYTES = 60  # of the values that a title adds


@dataclass(frozen=True, slots=True)
class Written:
    prompt: Prompt
    answer: str  # JSON
    values: tuple[str, ...]  # of the facts that are told


@dataclass(frozen=True, slots=True)
class _Brief:
    """What a host asks of one segment."""

    kind: SegmentKind
    sentences: int
    wishes: dict[str, str]  # of audience, scene and style


def script(product: Invented, lexicon: Lexicon, rng: random.Random) -> Written:
    """One segment of a host's script about the product."""
    product, priced = _without_price(product, rng)
    brief = _brief(lexicon, rng)
    lines = _shown(product, lexicon, rng, priced=priced)
    prompt = script_prompt(brief.kind, [product.title], lines, language_of(lexicon), **brief.wishes, sentences=brief.sentences)
    told = _seen(product, prompt)[: brief.sentences - 1] if brief.kind == "product" else []
    sentences = _sentences(brief, product, told, lexicon, rng, priced=priced and PRICE_MARK in prompt.messages[1][1])
    styled = [_styled(sentence, brief.wishes.get("style"), lexicon) for sentence in sentences]
    return Written(prompt, _as_json(styled), tuple(fact.value for fact in told if fact.value in "".join(styled)))


def copy(product: Invented, lexicon: Lexicon, rng: random.Random) -> Written:
    """A product's title, description or ad."""
    product, priced = _without_price(product, rng)
    channel = rng.choice(COPY_CHANNELS)
    prompt = copy_prompt(channel, product.title, _shown(product, lexicon, rng, priced=priced), language_of(lexicon))
    seen = _seen(product, prompt)
    if channel == "title":
        values = _short_values(seen)
        glue = " " if language_of(lexicon) == "zh" else ", "
        return Written(prompt, _as_json([glue.join((product.title, *values))]), values)
    price = [rng.choice(lexicon.price_sentences)] if priced and PRICE_MARK in prompt.messages[1][1] else []
    if channel == "ad":
        lines = [rng.choice(lexicon.ads).format(title=product.title), *(price or [rng.choice(lexicon.fillers)])]
        return Written(prompt, _as_json(lines), ())
    told = seen[:3]
    opening = rng.choice(lexicon.description_openings).format(title=product.title)
    lines = [opening, *(_told(fact, lexicon, rng) for fact in told)]
    if len(lines) < 2:
        lines.append(rng.choice(lexicon.fillers))
    return Written(prompt, _as_json(lines), tuple(fact.value for fact in told))


def _without_price(product: Invented, rng: random.Random) -> tuple[Invented, bool]:
    """The product without a price among its facts, and whether the mark is to stand there instead."""
    facts = tuple(fact for fact in product.facts if fact.key not in _PRICE_NAMES)
    return replace(product, facts=facts), rng.random() < 0.6


def _shown(product: Invented, lexicon: Lexicon, rng: random.Random, *, priced: bool) -> list[str]:
    lines = texts(passages(product, lexicon, rng, with_title=rng.random() < 0.3))
    if priced:
        lines.insert(rng.choice((0, 0, len(lines))), PRICE_FACTS[language_of(lexicon)])
    return lines


def _seen(product: Invented, prompt: Prompt) -> list[Fact]:
    """The facts that stand in the prompt, in its order."""
    text = prompt.messages[1][1]
    return sorted((fact for fact in product.facts if fact.value in text), key=lambda fact: text.index(fact.value))


def _short_values(facts: list[Fact]) -> tuple[str, ...]:
    """The first values that a title has room for, two at most."""
    room, values = _TITLE_BYTES, list[str]()
    for fact in facts:
        size = len(fact.value.encode())
        if fact.name is not None and size <= min(room, _TITLE_BYTES // 2) and len(values) < 2:
            values.append(fact.value)
            room -= size
    return tuple(values)


def _brief(lexicon: Lexicon, rng: random.Random) -> _Brief:
    kind: SegmentKind = rng.choice((*SEGMENT_KINDS, "product", "product", "promotion"))
    words = {"audience": "person", "scene": "scene", "style": "style"}
    wishes = {name: rng.choice(lexicon.words[word]) for name, word in words.items() if rng.random() < 0.5}
    return _Brief(kind, rng.randint(1, MAX_SENTENCES), wishes)


def _sentences(brief: _Brief, product: Invented, told: list[Fact], lexicon: Lexicon, rng: random.Random, *, priced: bool) -> list[str]:
    """An opening sentence, the facts, the price where it belongs, and general ones in the order of the word list."""
    filled = {"title": product.title, **brief.wishes}
    missing = {"audience", "scene"} - filled.keys()
    usable = [line for line in lexicon.script[brief.kind] if not any(f"{{{name}}}" in line for name in missing)]
    titled = [line for line in usable if "{title}" in line]
    lines = [rng.choice(titled).format(**filled), *(_told(fact, lexicon, rng) for fact in told)]
    if priced and len(lines) < brief.sentences and brief.kind in ("product", "promotion"):
        lines.append(rng.choice(lexicon.price_sentences))
    others = [line for line in usable if line not in titled]
    chosen = sorted(rng.sample(others, min(len(others), max(0, brief.sentences - len(lines)))), key=others.index)
    return [*lines, *(line.format(**filled) for line in chosen)]


def _told(fact: Fact, lexicon: Lexicon, rng: random.Random) -> str:
    if fact.name is None:
        return rng.choice(lexicon.statement_sentences).format(statement=fact.value)
    return rng.choice(lexicon.fact_sentences).format(name=fact.name, value=fact.value)


def _styled(text: str, style: str | None, lexicon: Lexicon) -> str:
    """The first style of the list is told with exclamation marks."""
    return text[:-1] + ("！" if text.endswith("。") else "!") if style == lexicon.words["style"][0] else text


def _as_json(sentences: list[str]) -> str:
    return json.dumps({"sentences": sentences}, ensure_ascii=False, separators=(",", ":"))
