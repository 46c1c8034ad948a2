"""Questions about invented products, with the answers that their facts give: a value, a sentence, two values, or a refusal."""

import random
import re
from dataclasses import dataclass
from typing import Literal

from models.prompts import REFUSALS
from models.training.corpus.lexicon import Lexicon, Spec
from models.training.corpus.products import Fact, Invented, invent_fact, odd_spec, open_statement, part_spec, value_of
from models.types import Language

QuestionKind = Literal["spec", "pair", "check", "topic", "reply", "refusal"]
_LOOSE = 0.25  # share of questions on statements that only share words with them
_HAN_RUN = re.compile(r"[\u4e00-\u9fff]+")
_WORD = re.compile(r"[A-Za-z]+")
_SMALL_WORDS = frozenset({"what", "does", "with", "this", "that", "have", "will", "your", "from", "them", "when", "many", "much", "they"})
_IT = re.compile(r"\bit\b")
_GREETINGS_ZH = ("", "", "", "", "主播", "你好，", "亲，", "请问", "想问一下", "老板，", "麻烦问下", "姐姐")
_ENDINGS_ZH = ("", "", "？", "？", "?", "呀", "啊", "呢", "哈", "，谢谢")
_GREETINGS_EN = ("", "", "", "", "hi, ", "hello, ", "excuse me, ", "quick question: ", "hey ")


@dataclass(frozen=True, slots=True)
class Asked:
    question: str
    answer: str
    values: tuple[str, ...]  # what a correct answer holds word for word


def ask(kind: QuestionKind, product: Invented, lexicon: Lexicon, rng: random.Random, *, held_out: bool) -> Asked | None:
    """A question of this kind with its answer; None where the product has no facts for it."""
    language = language_of(lexicon)
    if kind == "refusal":
        return Asked(_absent(product, lexicon, rng, held_out=held_out), REFUSALS[language], ())
    if kind == "reply":
        chat = rng.choice(lexicon.replies)
        return Asked(rng.choice(chat.comments), rng.choice(chat.replies), ())
    facts = [fact for fact in product.facts if (fact.name is None) == (kind == "topic")]
    if len(facts) < (2 if kind == "pair" else 1):
        return None
    first, second = rng.sample(facts, 2) if kind == "pair" else (rng.choice(facts),) * 2
    match kind:
        case "topic":
            question = _question(first, product, lexicon, rng)
            return None if question is None else Asked(question, first.value + lexicon.full_stop, (first.value,))
        case "pair":
            question = rng.choice(lexicon.pair_questions).format(first=first.name, second=second.name)
            return Asked(question, _both(first, second, language), (first.value, second.value))
        case "check":
            return _check(first, lexicon, rng)
    question = _question(first, product, lexicon, rng)
    return None if question is None else Asked(question, _statement(first.name, first.value, language), (first.value,))


def compare(first: Invented, second: Invented, fact: Fact, other_value: str, lexicon: Lexicon, rng: random.Random) -> Asked:
    """Ask what two products have of one kind, or what one of them has; `other_value` is the second one's."""
    language = language_of(lexicon)
    own = _statement(f"{first.title}的{fact.name}" if language == "zh" else f"{fact.name} of {first.title}", fact.value, language)
    if rng.random() < 0.5:
        question = rng.choice(lexicon.which_questions).format(product=first.short_title, name=fact.name)
        return Asked(question, own, (fact.value,))
    question = rng.choice(lexicon.compare_questions).format(first=first.short_title, second=second.short_title, name=fact.name)
    rest = f"，{second.title}的是{other_value}。" if language == "zh" else f", of {second.title} it is {other_value}."
    return Asked(question, own[:-1] + rest, (fact.value, other_value))


def spoken(question: str, product: Invented, lexicon: Lexicon, rng: random.Random) -> str:
    """The question as people type it: a filler, the product's noun, a question mark or none."""
    if language_of(lexicon) == "zh":
        subject = rng.choice((f"这个{product.noun}", "这个", "这款", f"{product.noun}")) if rng.random() < 0.2 else ""
        return rng.choice(_GREETINGS_ZH) + subject + question.rstrip("？?") + rng.choice(_ENDINGS_ZH)
    if rng.random() < 0.4:
        question = _IT.sub(rng.choice(("this", f"this {product.noun}", f"the {product.noun}", "this one")), question, count=1)
    question = rng.choice(_GREETINGS_EN) + question.rstrip("?")
    return (question[0].upper() + question[1:] if rng.random() < 0.4 else question) + rng.choice(("", "?", "?"))


def language_of(lexicon: Lexicon) -> Language:
    return "zh" if lexicon.full_stop == "。" else "en"


def _question(fact: Fact, product: Invented, lexicon: Lexicon, rng: random.Random) -> str | None:
    """By name, or without it where no other fact of the product could be meant; None for a sentence that only such a question finds."""
    if fact.name is None and rng.random() < _LOOSE:
        loose = _loosely(fact, lexicon, rng)
        if loose is not None and not any(word in _text(other) for other in product.facts if other is not fact for word in loose.words):
            return loose.question
    by_name = None if fact.name is None else rng.choice(lexicon.name_questions).format(name=fact.name)
    if fact.questions and (by_name is None or rng.random() < 0.6) and not _rivalled(fact.key, product.keys - {fact.key}, lexicon):
        return rng.choice(fact.questions)
    return by_name


@dataclass(frozen=True, slots=True)
class _Loose:
    question: str
    words: tuple[str, ...]  # what it shares with the fact


def _loosely(fact: Fact, lexicon: Lexicon, rng: random.Random) -> _Loose | None:
    """A question that shares some words with the statement or its stored question, and says no more than that."""
    source = fact.stored if fact.stored is not None and rng.random() < 0.6 else fact.value
    if language_of(lexicon) == "zh":
        spans = [span for span in _HAN_RUN.findall(source) if len(span) > 1]
        size = rng.choice((2, 2, 3))
        words = [span[start : start + size] for span in spans for start in range(0, len(span) - 1, size)]
    else:
        words = [word for word in _WORD.findall(source) if len(word) > 3 and word.lower() not in _SMALL_WORDS]
    if len(words) < 2:
        return None
    drawn = rng.sample(words, rng.randint(1, min(3, len(words))))
    chosen = tuple(word for word in words if word in drawn)
    frame = rng.choice(lexicon.loose_questions)
    return _Loose(frame.format(words=("" if language_of(lexicon) == "zh" else " ").join(chosen)), chosen)


def _text(fact: Fact) -> str:
    return " ".join((fact.name or "", fact.value, fact.stored or ""))


def _rivalled(key: str, held: frozenset[str], lexicon: Lexicon) -> bool:
    """Whether a fact is there that a question without the name might mean as well."""
    return any(key in group and group & held for group in lexicon.rivals)


def _statement(name: str | None, value: str, language: Language) -> str:
    return f"{name}是{value}。" if language == "zh" else f"The {name} is {value}."


def _both(first: Fact, second: Fact, language: Language) -> str:
    if language == "zh":
        return f"{first.name}是{first.value}，{second.name}是{second.value}。"
    return f"The {first.name} is {first.value}, and the {second.name} is {second.value}."


def _check(fact: Fact, lexicon: Lexicon, rng: random.Random) -> Asked:
    """Ask whether a value is so, with the right value or another one; the answer says yes or no and gives the right one."""
    language, right = language_of(lexicon), rng.random() < 0.5
    said = fact.value
    while not right and said == fact.value:
        said = value_of(fact.patterns, lexicon, rng)
    question = rng.choice(lexicon.check_questions).format(name=fact.name, value=said)
    told = _statement(fact.name, fact.value, language)
    if language == "zh":
        return Asked(question, ("是的，" if right else "不是，") + told, (fact.value,))
    return Asked(question, ("Yes, the" if right else "No, the") + told[3:], (fact.value,))


def _absent(product: Invented, lexicon: Lexicon, rng: random.Random, *, held_out: bool) -> str:
    """A question on a matter that the product's facts do not hold, be it far from them or near."""
    while True:
        question = _any_question(product, lexicon, rng, held_out=held_out)
        if question is not None and not any(_answers(fact, question) for fact in product.facts):
            return question


def _answers(fact: Fact, question: str) -> bool:
    return question in fact.questions or (fact.name is not None and fact.name in question)


def _any_question(product: Invented, lexicon: Lexicon, rng: random.Random, *, held_out: bool) -> str | None:
    """A question that may or may not be answered; None for one that a fact might answer."""
    draw, keys = rng.random(), product.keys
    meant = keys.union(*(fact.like for fact in product.facts))
    if draw < 0.10:
        return rng.choice(lexicon.off_topic)
    if draw < 0.17:
        fact = open_statement(lexicon, rng)
        return None if fact.key in keys else rng.choice(fact.questions)
    if draw < 0.24:
        loose = _loosely(invent_fact(lexicon, product.family, rng, held_out=held_out), lexicon, rng)
        return None if loose is None or any(word in _text(fact) for fact in product.facts for word in loose.words) else loose.question
    if draw < 0.38:
        topic = rng.choice(lexicon.topics)
        return None if meant & {*topic.like, topic.questions[0]} else rng.choice(topic.questions)
    if draw < 0.55:
        return _named(_near_part(product, lexicon, rng), lexicon, rng)
    if draw < 0.63:
        return _named(odd_spec(lexicon, rng), lexicon, rng)
    if draw < 0.74:
        near = sorted(set().union(*(group for group in lexicon.rivals if group & keys)) - meant)
        return rng.choice(lexicon.name_questions).format(name=rng.choice(near)) if near else None
    spec = rng.choice(lexicon.held_out_specs + lexicon.specs if held_out else lexicon.specs)
    if spec.key in meant:
        return None
    if spec.questions and rng.random() < 0.6:
        return None if _rivalled(spec.key, meant, lexicon) else rng.choice(spec.questions)
    return _named(spec, lexicon, rng)


def _named(spec: Spec, lexicon: Lexicon, rng: random.Random) -> str:
    if rng.random() < 0.2:
        return rng.choice(lexicon.check_questions).format(name=spec.key, value=value_of(spec.values, lexicon, rng))
    return rng.choice(lexicon.name_questions).format(name=spec.key)


def _near_part(product: Invented, lexicon: Lexicon, rng: random.Random) -> Spec:
    """A part's property: where it can be, another one of a part that a fact is about."""
    known = [part for part in product.family.parts if any(part in key for key in product.keys)]
    if not known or rng.random() < 0.4:
        return part_spec(lexicon, product.family, rng)
    kind = rng.choice(lexicon.properties)
    return Spec((lexicon.part_name.format(part=rng.choice(known), property=kind.key),), kind.values)
