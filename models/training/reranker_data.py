"""What the re-ranker learns from: questions with the evidence that answers them, and evidence that does not."""

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

from models.language.rerank_features import ids_of, parts
from models.language.segment import grams
from models.recommend.passages import TextEmbedder
from models.training.corpus.lexicon import Lexicon, load_lexicon
from models.training.corpus.products import Fact, Invented, invent
from models.types import Language, ModelInputError, Passage, ProductId

NEGATIVES = 6
FEW = 3  # below so many passages of the same product, similar ones of other products stand in
_DRAWN = 30  # passages of other products from which the most similar are taken


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and what answers it."""

    question: str
    evidence: Passage
    product: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A question and passages, the first of which answers it; `fold` tells which association tables may not have seen it."""

    question: str
    passages: tuple[Passage, ...]
    fold: int


def read_pairs(path: Path) -> list[Pair]:
    """JSONL `{"question", "evidence", "product", "answer"}`, the answer optional. Raises ModelInputError naming the line."""
    pairs = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            texts = [row[name] for name in ("question", "evidence", "product")]
        except (ValueError, KeyError, TypeError) as error:
            raise ModelInputError(f"{path}:{number} is no object with question, evidence and product: {error}") from error
        if not all(isinstance(text, str) and text.strip() for text in texts):
            raise ModelInputError(f"{path}:{number} has a question, evidence or product that is no text")
        pairs.append(Pair(texts[0], _document(texts[1]), texts[2], str(row.get("answer", ""))))
    return pairs


def choices_of(pairs: Sequence[Pair], rng: random.Random, fold_of: dict[str, int]) -> list[Choice]:
    """For each pair other evidence of its product, and where there is little, similar evidence of other products.

    An attribute is chosen among attributes of other names, as a catalogue would hold them.
    """
    of_product: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        of_product[pair.product].append(pair)
    pools: dict[bool, list[Pair]] = {is_named: [p for p in pairs if _is_attribute(p.evidence) == is_named] for is_named in (False, True)}
    return [
        Choice(pair.question, (pair.evidence, *_others(pair, of_product[pair.product], pools, rng)), fold_of[pair.product])
        for pair in pairs
    ]


def _others(pair: Pair, of_product: Sequence[Pair], pools: dict[bool, list[Pair]], rng: random.Random) -> list[Passage]:
    right = {other.evidence.text for other in of_product if other.question == pair.question}
    is_attribute = _is_attribute(pair.evidence)
    own = {o.evidence.text: o.evidence for o in of_product if o.evidence.text not in right and _is_attribute(o.evidence) == is_attribute}
    chosen = rng.sample(list(own.values()), min(NEGATIVES, len(own)))
    if not is_attribute and len(chosen) >= FEW:
        return chosen
    drawn = [rng.choice(pools[is_attribute]).evidence for _ in range(_DRAWN)]
    other = {p.text: p for p in drawn if p.text not in right and (not is_attribute or parts(p)[1] != parts(pair.evidence)[1])}
    return [*chosen, *_most_similar(pair.question, list(other.values()))[: NEGATIVES + FEW - len(chosen) if is_attribute else FEW + 1]]


def _most_similar(question: str, passages: Sequence[Passage]) -> list[Passage]:
    wanted = set(ids_of(grams(question)).tolist())
    return sorted(passages, key=lambda passage: -len(wanted & set(ids_of(grams(passage.text)).tolist())))


def _is_attribute(passage: Passage) -> bool:
    return bool(parts(passage)[1]) and "{" in passage.text


def _document(text: str) -> Passage:
    return Passage("", "document", text, 0.0)


def scored(embedder: TextEmbedder, question: str, passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """The passages with the cosine that retrieval would find."""
    vectors = embedder.embed([question, *(passage.question or passage.text for passage in passages)])
    return tuple(replace(passage, score=float(cosine)) for passage, cosine in zip(passages, vectors[1:] @ vectors[0], strict=True))


# --- generated ---------------------------------------------------------------------------------------------------------------


def generated(language: Language, count: int, rng: random.Random, *, held_out: bool = False) -> list[Choice]:
    """Questions about invented products, the way viewers ask; some among the facts of two products, of which the question names one."""
    lexicon = load_lexicon(language)
    return list(_generate(lexicon, count, rng, held_out=held_out))


def _generate(lexicon: Lexicon, count: int, rng: random.Random, *, held_out: bool) -> Iterator[Choice]:
    while count:
        product = invent(lexicon, rng, fact_count=rng.randint(4, 12), held_out=held_out)
        beside = invent(lexicon, rng, fact_count=rng.randint(3, 8), held_out=held_out) if rng.random() < 0.3 else None
        fact = rng.choice(product.facts)
        question = _question(fact, lexicon, rng)
        if question is None:
            continue
        named = f"{product.title}{'' if product.title[-1:] > 'z' else ' '}{question}" if beside or rng.random() < 0.2 else question
        others = [_passage(product, other, lexicon, rng) for other in product.facts if other is not fact]
        others += [_passage(beside, other, lexicon, rng) for other in beside.facts] if beside else []
        yield Choice(named, (_passage(product, fact, lexicon, rng, asked=question), *others), crc32(fact.key.encode()) % 2)
        count -= 1


def _question(fact: Fact, lexicon: Lexicon, rng: random.Random) -> str | None:
    if fact.name is None or (fact.questions and rng.random() < 0.6):
        return rng.choice(fact.questions) if fact.questions else None
    return rng.choice(lexicon.name_questions).format(name=fact.name)


def _passage(product: Invented, fact: Fact, lexicon: Lexicon, rng: random.Random, *, asked: str = "") -> Passage:
    """As the catalogue or the bank holds it; a stored question is another wording than the one that is asked, where there is another."""
    about = ProductId(product.title)
    if fact.name is not None:
        return Passage(f"{about}#{fact.name}", "spec", f"{product.title}: {fact.name}: {fact.value}", 0.0, about)
    sentence = fact.value + lexicon.full_stop
    if fact.stored is not None:
        stored = rng.choice([question for question in fact.questions if question != asked] or fact.questions)
        return Passage("", "qa", sentence, 0.0, about, stored, sentence)
    return Passage("", "document", sentence, 0.0, about)
