"""Prompts with the answers that the writer should give."""

import random
from dataclasses import dataclass, replace
from typing import Literal

from models.prompts import MAX_SENTENCES, REFUSALS, SEGMENT_KINDS, SegmentKind, answer_prompt, question_line, script_prompt
from models.training.corpus.lexicon import Lexicon, fill, load_lexicon
from models.training.corpus.products import Fact, Invented, invent, part_spec, passages, texts
from models.types import Language, Prompt

Kind = Literal["spec", "pair", "check", "topic", "refusal", "script"]
Message = tuple[Literal["system", "user", "assistant"], str]
_KINDS: tuple[Kind, ...] = ("spec", "pair", "check", "topic", "refusal", "script")
_SHARES = (0.38, 0.06, 0.06, 0.14, 0.20, 0.16)


@dataclass(frozen=True, slots=True)
class Example:
    kind: Kind
    language: Language
    prompt: Prompt
    answer: str
    values: tuple[str, ...]  # what a correct answer holds word for word


@dataclass(frozen=True, slots=True)
class Recipe:
    """What kind of example to make; `max_facts` grows over training, because copying is learnt first where little is said."""

    kind: Kind
    language: Language
    max_facts: int
    held_out: bool


def random_recipe(rng: random.Random, *, max_facts: int = 5, held_out: bool = False) -> Recipe:
    """A recipe with the shares of the corpus."""
    kind = rng.choices(_KINDS, _SHARES)[0]
    return Recipe(kind, rng.choice(("zh", "zh", "en")), max_facts, held_out)


def make(recipe: Recipe, rng: random.Random) -> Example:
    """The example that `rng` leads to."""
    lexicon = load_lexicon(recipe.language)
    product = invent(lexicon, rng, fact_count=rng.randint(1, recipe.max_facts), held_out=recipe.held_out)
    if recipe.kind == "script":
        return _script(recipe, product, lexicon, rng)
    while (asked := _asked(recipe, product, lexicon, rng)) is None:
        product = invent(lexicon, rng, fact_count=max(2, len(product.facts)), held_out=recipe.held_out)
    prompt = _shown(product, _spoken(asked.question, recipe.language, rng), recipe, lexicon, rng)
    return Example(recipe.kind, recipe.language, prompt, asked.answer, asked.values)


def converse(recipe: Recipe, rng: random.Random, *, turns: int) -> tuple[Message, ...]:
    """A conversation of at most `turns` questions about one product, with its answers: more to learn from the same facts."""
    lexicon = load_lexicon(recipe.language)
    if recipe.kind == "script":
        example = make(recipe, rng)
        return (*example.prompt.messages, ("assistant", example.answer))
    product = invent(lexicon, rng, fact_count=rng.randint(1, recipe.max_facts), held_out=recipe.held_out)
    messages: list[Message] = []
    for _ in range(turns):
        kind = recipe.kind if not messages else rng.choices(_KINDS[:-1], _SHARES[:-1])[0]
        asked = _asked(replace(recipe, kind=kind), product, lexicon, rng)
        if asked is None:
            continue
        question = _spoken(asked.question, recipe.language, rng)
        opened = (
            (("user", question_line(question, recipe.language)),) if messages else _shown(product, question, recipe, lexicon, rng).messages
        )
        messages += [*opened, ("assistant", asked.answer)]
    return tuple(messages) or converse(recipe, rng, turns=turns)


def _shown(product: Invented, question: str, recipe: Recipe, lexicon: Lexicon, rng: random.Random) -> Prompt:
    """The prompt; sometimes the title stands in each passage, and sometimes a second title is on the shelf."""
    several = rng.random() < 0.15
    shown = passages(product, lexicon, rng, with_title=rng.random() < (0.8 if several else 0.2))
    titles = [product.title]
    if several:
        titles.insert(rng.randint(0, 1), invent(lexicon, rng, fact_count=0, held_out=recipe.held_out).title)
    return answer_prompt(question, shown, titles, recipe.language)


@dataclass(frozen=True, slots=True)
class _Asked:
    question: str
    answer: str
    values: tuple[str, ...]


def _asked(recipe: Recipe, product: Invented, lexicon: Lexicon, rng: random.Random) -> _Asked | None:
    """A question of the recipe's kind with its answer; None where the product has too few facts for it."""
    if recipe.kind == "refusal":
        return _Asked(_absent(product, lexicon, recipe, rng), REFUSALS[recipe.language], ())
    facts = [fact for fact in product.facts if (fact.name is None) == (recipe.kind == "topic")]
    if len(facts) < (2 if recipe.kind == "pair" else 1):
        return None
    first, second = rng.sample(facts, 2) if recipe.kind == "pair" else (rng.choice(facts),) * 2
    match recipe.kind:
        case "topic":
            return _Asked(rng.choice(first.questions), first.value + lexicon.full_stop, (first.value,))
        case "pair":
            question = rng.choice(lexicon.pair_questions).format(first=first.name, second=second.name)
            return _Asked(question, _both(first, second, recipe.language), (first.value, second.value))
        case "check":
            return _Asked(*_check(first, lexicon, recipe.language, rng), (first.value,))
    return _Asked(_question(first, lexicon, rng), _statement(first, recipe.language), (first.value,))


def _question(fact: Fact, lexicon: Lexicon, rng: random.Random) -> str:
    if fact.questions and rng.random() < 0.5:
        return rng.choice(fact.questions)
    return rng.choice(lexicon.name_questions).format(name=fact.name)


def _statement(fact: Fact, language: Language) -> str:
    return f"{fact.name}是{fact.value}。" if language == "zh" else f"The {fact.name} is {fact.value}."


def _both(first: Fact, second: Fact, language: Language) -> str:
    if language == "zh":
        return f"{first.name}是{first.value}，{second.name}是{second.value}。"
    return f"The {first.name} is {first.value}, and the {second.name} is {second.value}."


def _check(fact: Fact, lexicon: Lexicon, language: Language, rng: random.Random) -> tuple[str, str]:
    """Ask whether a value is so, with the right value or another one; the answer says yes or no and gives the right one."""
    right = rng.random() < 0.5
    said = fact.value
    while not right and said == fact.value:
        specs = [spec for spec in lexicon.specs + lexicon.held_out_specs if spec.name == fact.name]
        specs = specs or [spec for spec in lexicon.properties if (fact.name or "").endswith(spec.name)]
        said = fill(rng.choice(specs).value, lexicon.words, rng)
    if language == "zh":
        return f"{fact.name}是{said}吗", ("是的，" if right else "不是，") + _statement(fact, "zh")
    return f"is the {fact.name} {said}?", ("Yes, the" if right else "No, the") + _statement(fact, "en")[3:]


def _absent(product: Invented, lexicon: Lexicon, recipe: Recipe, rng: random.Random) -> str:
    """A question on a matter that the product's facts do not hold: none of the shop's, any, another statement, part or specification."""
    held = {fact.name for fact in product.facts} | {question for fact in product.facts for question in fact.questions}
    draw = rng.random()
    if draw < 0.15:
        return rng.choice(lexicon.off_topic)
    if draw < 0.3:
        return rng.choice(lexicon.open_questions).format(subject=fill("{subject}", lexicon.words, rng))
    if draw < 0.5:
        topics = [topic for topic in lexicon.topics if topic.questions[0] not in held]
        return rng.choice(rng.choice(topics).questions)
    if draw < 0.7:
        while (spec := part_spec(lexicon, product.family, rng)).name in held:
            pass
    else:
        pool = lexicon.held_out_specs + lexicon.specs if recipe.held_out else lexicon.specs
        spec = rng.choice([spec for spec in pool if spec.name not in held])
    fact = Fact(spec.name, "", () if _rivalled(spec.name, held, lexicon) else spec.questions)
    return _question(fact, lexicon, rng)


def _rivalled(name: str, held: set[str | None], lexicon: Lexicon) -> bool:
    """Whether a fact is there that a question without the name might mean as well."""
    return any(name in group and group & held for group in lexicon.rivals)


def _spoken(question: str, language: Language, rng: random.Random) -> str:
    """The question as people type it: with or without a question mark, a filler, a capital."""
    if language == "zh":
        return rng.choice(("", "", "", "主播", "你好，", "亲，")) + question.rstrip("？?") + rng.choice(("", "？", "?", "呀", "啊"))
    question = question[0].upper() + question[1:] if rng.random() < 0.4 else question
    return rng.choice(("", "", "", "hi, ")) + question.rstrip("?") + rng.choice(("", "?", "?"))


@dataclass(frozen=True, slots=True)
class _Brief:
    """What a host asks of one segment."""

    kind: SegmentKind
    language: Language
    sentences: int
    wishes: dict[str, str]  # of audience, scene and style


def _script(recipe: Recipe, product: Invented, lexicon: Lexicon, rng: random.Random) -> Example:
    brief = _brief(recipe, lexicon, rng)
    shown = passages(product, lexicon, rng, with_title=False)
    prompt = script_prompt(brief.kind, [product.title], texts(shown), recipe.language, **brief.wishes, sentences=brief.sentences)
    sentences, values = _sentences(brief, product, lexicon, rng)
    joined = ("" if recipe.language == "zh" else " ").join(sentences)
    return Example("script", recipe.language, prompt, _styled(joined, brief.wishes.get("style"), lexicon), values)


def _brief(recipe: Recipe, lexicon: Lexicon, rng: random.Random) -> _Brief:
    kind: SegmentKind = rng.choice((*SEGMENT_KINDS, "product", "product"))
    words = {"audience": "person", "scene": "scene", "style": "style"}
    wishes = {name: rng.choice(lexicon.words[word]) for name, word in words.items() if rng.random() < 0.6}
    return _Brief(kind, recipe.language, rng.randint(1, MAX_SENTENCES), wishes)


def _sentences(brief: _Brief, product: Invented, lexicon: Lexicon, rng: random.Random) -> tuple[list[str], tuple[str, ...]]:
    """The sentences in the order of the word list, the facts after the first one, and the values told."""
    filled = {"title": product.title, **brief.wishes}
    missing = {"audience", "scene"} - filled.keys()
    usable = [line for line in lexicon.script[brief.kind] if not any(f"{{{name}}}" in line for name in missing)]
    told = product.facts[: brief.sentences - 1] if brief.kind == "product" else ()
    chosen = sorted(rng.sample(usable[1:], min(len(usable) - 1, brief.sentences - 1 - len(told))), key=usable.index)
    lines = [usable[0].format(**filled), *(_told(fact, lexicon, rng) for fact in told)]
    return lines + [line.format(**filled) for line in chosen], tuple(fact.value for fact in told)


def _told(fact: Fact, lexicon: Lexicon, rng: random.Random) -> str:
    if fact.name is None:
        return rng.choice(lexicon.statement_sentences).format(statement=fact.value)
    return rng.choice(lexicon.fact_sentences).format(name=fact.name, value=fact.value)


def _styled(text: str, style: str | None, lexicon: Lexicon) -> str:
    """The first style of the list is told with exclamation marks."""
    if style != lexicon.words["style"][0]:
        return text
    return text.replace("。", "！") if "。" in text else f"{text[:-1]}!"
