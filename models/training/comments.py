"""Our own comments of a live room: templates with alternatives, nouns, typing errors, slang, emoji and mixed languages; seeded."""

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, cast

from models.types import Language

Sentiment = Literal["positive", "neutral", "negative"]
_SENTIMENTS: Mapping[str, Sentiment] = {"praise": "positive", "complaint": "negative"}
_FEELING_EMOJI: Mapping[Sentiment, str] = {"positive": "😍👍🥰❤🎉🔥", "neutral": "😂🤔👀🙏🙋😊", "negative": "😡😤👎💔😠🙄"}
_BEFORE: Mapping[Language, tuple[str, ...]] = {
    "zh": ("主播", "主播，", "姐姐", "请问", "问一下", "宝子", "老师", "那个", "亲，", "求问", "@主播 ", "想问下"),
    "en": ("hey ", "hi, ", "quick question: ", "sorry, ", "um ", "host, ", "please, ", "just wondering, ", "question: "),
}
_AFTER: Mapping[Language, tuple[str, ...]] = {
    "zh": ("？", "?", "??", "呀", "呢", "啊", "～", "。", "！", " 谢谢", "哈", "急急急", "……"),
    "en": ("?", "??", "!", " thanks", " pls", " thx", ".", "...", " :)", " plz"),
}
_SLANG: tuple[tuple[str, str], ...] = (
    ("什么", "啥"), ("怎么", "咋"), ("没有", "木有"), ("这个", "这"), ("喜欢", "稀饭"), ("有没有", "有木有"), ("吗", "嘛"), ("的", "哒"),
    ("you", "u"), ("are", "r"), ("please", "plz"), ("what is", "whats"), ("how much", "hm"), ("thanks", "ty"), ("your", "ur"),
)  # fmt: skip
_CATEGORY_SLOTS = re.compile(r"\{(p2?|n2?)\}")


@dataclass(frozen=True, slots=True)
class Comment:
    text: str
    intent: str
    sentiment: Sentiment
    language: Language
    template: int  # comments of one template belong on one side of a split


def comments(*, per_template: int, seed: int) -> list[Comment]:
    """Up to `per_template` different comments of every template."""
    rng = random.Random(seed)
    made: list[Comment] = []
    for number, (intent, language, template) in enumerate(_templates()):
        sentiment = _SENTIMENTS.get(intent, "neutral")
        texts = {noisy(filled(template, language, rng), language, sentiment, rng) for _ in range(per_template)}
        made += [Comment(text, intent, sentiment, language, number) for text in sorted(texts)]
    return made


def filled(template: str, language: Language, rng: random.Random) -> str:
    """One reading of a template: `{a|b|}` picks an alternative, `{p}` a product, `{n}` a number; alternatives may hold slots.

    >>> filled("how {heavy|heavy} is it", "en", random.Random(0))
    'how heavy is it'
    """
    text = _CATEGORY_SLOTS.sub(lambda slot: _slot(slot[1], language, rng), template)
    while "{" in text:
        text = re.sub(r"\{([^{}]*)\}", lambda choice: rng.choice(choice[1].split("|")), text)
    return text


def noisy(text: str, language: Language, sentiment: Sentiment, rng: random.Random) -> str:
    """The text as a viewer might type it."""
    steps: tuple[tuple[float, Callable[[str], str]], ...] = (
        (0.15, lambda t: _with_slang(t, rng)),
        (0.22, lambda t: rng.choice(_BEFORE[language]) + t),
        (0.15, lambda t: _mistyped(t, rng)),
        (0.45, lambda t: t + rng.choice(_AFTER[language])),
        (0.12, lambda t: t + rng.choice(_FEELING_EMOJI[sentiment]) * rng.randint(1, 3)),
        (0.06, str.upper),
        (0.06, lambda t: t.replace(" ", "") if language == "zh" else t.replace("'", "")),
    )
    for chance, step in steps:
        if rng.random() < chance:
            text = step(text)
    return text.strip()


def topics() -> list[list[str]]:
    """Groups of wordings for one thing that is asked, Chinese and English together."""
    return _data("paraphrases.json")["topics"]


def nouns() -> list[list[str]]:
    """Groups of names for one kind of product, Chinese and English together."""
    return _data("paraphrases.json")["nouns"]


def _templates() -> Iterator[tuple[str, Language, str]]:
    by_intent = cast(Mapping[str, Mapping[Language, list[str]]], _data("comments.json"))
    for intent, by_language in by_intent.items():
        for language, templates in by_language.items():
            for template in templates:
                yield intent, language, template


@cache
def _data(name: str) -> dict[str, list[list[str]]]:
    text = resources.files("models.training").joinpath("data", name).read_text(encoding="utf-8")
    return cast(dict[str, list[list[str]]], json.loads(text))


def _slot(name: str, language: Language, rng: random.Random) -> str:
    if name.startswith("n"):
        return str(rng.choice((1, 2, 3, 5, 6, 8, 10, 12, 20, 36, 38, 42, 50, 88, 99, 100, 110, 120, 165, 170, 199, 299)))
    mixed: Language = language if rng.random() > 0.06 else ("en" if language == "zh" else "zh")
    return rng.choice([word for word in rng.choice(nouns()) if word.isascii() == (mixed == "en")] or ["它" if language == "zh" else "it"])


def _with_slang(text: str, rng: random.Random) -> str:
    fitting = [(plain, slang) for plain, slang in _SLANG if plain in text]
    return text.replace(*rng.choice(fitting), 1) if fitting else text


def _mistyped(text: str, rng: random.Random) -> str:
    places = [i for i in range(len(text) - 1) if text[i].isalpha() and text[i + 1].isalpha()]
    if len(places) < 3:
        return text
    i = rng.choice(places)
    return rng.choice((text[:i] + text[i + 1 :], text[:i] + text[i] + text[i:], text[:i] + text[i + 1] + text[i] + text[i + 2 :]))
