"""Yes or no, where the store says so in plain words: a tag, the title, the description, or the value of what is asked for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from graphs.checking.claims import Assertion, assertions_in
from graphs.reading.asking import asked_concepts, concept_of, normalised, spread
from graphs.reading.characters import CJK, HAN, X_NOT_X
from graphs.reading.neutral import without_neutral
from graphs.reading.question import read_question
from graphs.reading.slots import SlotAnswer, names_of, quoted_value
from graphs.reading.statements import sentences
from graphs.reading.words import units
from models.types import Language, Passage, Product

_ASKS_WHETHER = re.compile(
    r"[吗嘛么]\W*$|是不是|是否|" + X_NOT_X + r"|^\W*(?:so |and |but |hi |hello )?(?:is|are|does|do|can|will)\b|\bright\W*$"
)
_ASKS_ELSE = re.compile(
    r"什么|多少|多[久长大重高]|怎么|哪|几|还是|[不没](?=.{0,6}[吗嘛])(?<!是不)|\bor\b|\bhow\b|\bwhat\b|\bwhich\b|\bwhy\b|n't\b|\bnot\b|\d"
)
_YES = frozenset({"yes", "有", "是", "可以", "支持", "能", "true", "included"})
_NO = frozenset({"no", "none", "无", "否", "没有", "不支持", "不可以", "不能", "false"})
_NO_REAL_ONE = re.compile(
    r"(?:\b(?:cet(?:yl|earyl)|stearyl|benzyl|behenyl|pu|faux|vegan|imitation|fake|artificial|look|like|partly|partially|semi)[\s-]*|人造|仿|假|半|非|类|似)$"
)
_ASKS_FOR_CONTENT = re.compile(r"\b(?:contains?|include|added|inside|there)\b")
_IS_IT_IN = re.compile(r"\b(?:contains?|ha(?:ve|s)|there|free)\b|[含无]|有(?!机)")
_FREE_OF = re.compile(r"\bfree(?: of)?\b|\b(?:without|no)\b|[无零]添加?")
_ONLY_THEN = re.compile(r"\b(?:only|if|when|unless|except|but|with a|optional)\b|仅|只有|除|如果|若|需|另购|选配|但")
_DENIALS = (("含", "不含，"), ("支持", "不支持，"), ("可以", "不可以，"), ("有", "没有，"), ("能", "不能，"))  # by the verb that asks
_OPENS: dict[bool, dict[Language, str]] = {True: {"zh": "是的，", "en": "Yes: "}, False: {"zh": "不是的，", "en": "No: "}}


@dataclass(frozen=True, slots=True)
class _Proof:
    """What the store says of the property asked about."""

    is_so: bool
    text: str  # a clause that quotes it
    evidence: Passage


def whether_answer(question: str, product: Product, language: Language) -> SlotAnswer | None:
    """Yes or no with the words of the store that say it; None unless all that it says of the property, in plain words, agrees.

    A question about a part, with a figure or a choice gets none, nor does one whose property the store gives another value for.
    """
    asked = normalised(question)
    text = _without_whether(asked).replace(normalised(product.title), " ")
    is_of_store = any(each.concept.key in ("price", "stock") for each in asked_concepts(text))
    if is_of_store or not _ASKS_WHETHER.search(asked) or _ASKS_ELSE.search(text):
        return None
    claims = [claim for claim in assertions_in(text) if claim.kind == "property"]
    if len(claims) != 1 or not _asks_only(text, claims[0], product):
        return None
    proofs = list(_proofs(claims[0], text, product, language))
    if not proofs or len({proof.is_so for proof in proofs}) > 1:
        return None
    best = proofs[0]
    is_so = best.is_so != claims[0].denied  # is it alcohol free: yes where it holds none
    return SlotAnswer(_opening(text, claims[0], language, is_so=is_so) + best.text, "verdict", best.evidence)


def _opening(text: str, claim: Assertion, language: Language, *, is_so: bool) -> str:
    """Yes or no; a Chinese no takes up the verb of the question: 含酒精吗, 不含."""
    verbs = text.replace("所有", "").replace(claim.words, claim.words if claim.words.startswith("含") else " ")
    denial = next((said for verb, said in _DENIALS if verb in verbs), None)
    return denial if denial is not None and language == "zh" and not is_so else _OPENS[is_so][language]


def _without_whether(text: str) -> str:
    """A text with the Chinese form X不X, which asks whether, as X."""
    return re.sub("是不是|" + X_NOT_X, r"\1", text)


def _asks_only(text: str, claim: Assertion, product: Product) -> bool:
    """Whether nothing is asked beside the property: names of the product and words that point at nothing may stand there."""
    known = read_question("", names_of(product))
    rest = _ASKS_FOR_CONTENT.sub(" ", text.replace(claim.words, " "))
    left = units(without_neutral(spread(_FREE_OF.sub(" ", rest) if claim.denied else rest)))
    return all(unit in known.titles or set(unit) <= known.title_characters or unit == "的" for unit in left)


def _proofs(claim: Assertion, text: str, product: Product, language: Language) -> Iterator[_Proof]:
    """All that says whether the product has the property, what is stated of it by name first."""
    words = _same_words(claim)
    asked = {each.concept.key for each in asked_concepts(text)} | ({"ingredients"} if _IS_IT_IN.search(text) else set())
    for name, value in product.attributes.items():
        concept = concept_of(name)
        is_so = _said_by_value(value, words, name, is_of_it=concept is not None and concept.key in asked)
        if is_so is not None:
            quoted = quoted_value(product, name, value, language)
            yield _Proof(is_so, quoted.text, quoted.evidence)
    for said in sentences(product.description or ""):
        is_so = _said_in(said, words, product)
        if is_so is not None:
            yield _Proof(is_so, said, _passage(product, "description", said))
    for said in _marks(product, words, asked):
        stated = {not each.denied for each in assertions_in(said) if each.words in words}
        if len(stated) == 1 and not _NO_REAL_ONE.search(_before(said, words)):
            mark = f"{product.title}标注了“{said}”。" if language == "zh" else f"{product.title} is listed as “{said}”."
            yield _Proof(
                stated.pop(),
                mark if said != product.title else f"{said}{'。' if language == 'zh' else '.'}",
                _passage(product, "tags", said),
            )


def _marks(product: Product, words: frozenset[str], asked: set[str]) -> Iterator[str]:
    """Tags and the title; where an attribute is on the property, it decides, and a title that says more is no proof."""
    names = [normalised(name) for name in product.attributes]
    if any(word in name for word in words for name in names):
        return
    yield from product.tags
    if not any((concept := concept_of(name)) is not None and concept.key in asked for name in names):
        yield product.title


def _said_by_value(value: str, words: frozenset[str], name: str, *, is_of_it: bool) -> bool | None:
    """By a yes or no under the property's name, or by the value of what is asked for; None where either says something else."""
    plain = normalised(value)
    if any(word in normalised(name) for word in words):
        is_absence = any(each.words in words and each.denied for each in assertions_in(normalised(name)))  # alcohol free: yes
        return (plain in _YES) != is_absence if plain in _YES | _NO else _stated(plain, words)
    return _stated(plain, words) if is_of_it else None


def _stated(plain: str, words: frozenset[str]) -> bool | None:
    found = {not claim.denied for claim in assertions_in(plain) if claim.kind == "property" and claim.words in words}
    is_doubtful = _ONLY_THEN.search(plain) or _NO_REAL_ONE.search(_before(plain, words))
    return found.pop() if len(found) == 1 and not is_doubtful else None


def _said_in(sentence: str, words: frozenset[str], product: Product) -> bool | None:
    """What a sentence says of the product itself: the property stands before a name of it, or behind `is`, or as 它…的."""
    plain = normalised(sentence)
    is_so = _stated(plain, words)
    if is_so is None:
        return None
    names = units(spread(" ".join(names_of(product))))
    word = next(word for word in words if word in plain)
    before, _, behind = plain.partition(word)
    if CJK.search(word):
        near = re.match(f"[{HAN}]{{0,6}}", behind)
        is_own = not near or not near[0] or near[0][0] in "的，、又" or bool(units(near[0]) & names)
    else:
        near = re.match(r"[\s,-]*((?:[a-z-]+\s*,?\s*(?:and )?){0,3})", behind)
        is_own = bool(units(spread(near[1] if near else "")) & names) or bool(
            re.search(r"\b(?:is|are|fully|completely)\s+$", before) and re.match(r"\W*(?:$|[.,;!]|and\b)", behind)
        )
    return is_so if is_own else None


def _same_words(claim: Assertion) -> frozenset[str]:
    """Wordings that say the same for sure: the word itself, and its translation where it is the usual word of its row."""
    usual = [next((word for word in claim.same if word.isascii() == latin), None) for latin in (True, False)]
    return frozenset({claim.words, *(word for word in usual if word)}) if claim.words in usual else frozenset({claim.words})


def _before(text: str, words: frozenset[str]) -> str:
    plain = normalised(text)
    return next((plain.partition(word)[0] for word in words if word in plain), "")


def _passage(product: Product, place: str, text: str) -> Passage:
    return Passage(f"{product.product_id}#{place}", "spec", text, 1.0, product_id=product.product_id)
