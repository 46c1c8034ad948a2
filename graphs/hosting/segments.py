"""From drafted sentences to a segment: led in, nothing told twice, the price where it belongs, filled up to its time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from graphs.checking.support import content_of
from graphs.hosting.outline import Section
from graphs.hosting.pacing import filled, joined, spoken_s
from graphs.hosting.remarks import first_words, in_a_word, phrases_of, sold_out, told_price
from graphs.hosting.sayings import Saying, comparable, sentences_about, without_connective
from graphs.reading.characters import HAN
from graphs.reading.slots import format_price
from models.prompts import SegmentKind
from models.types import Language, ProductId

_LEADS_OVER = re.compile(r"接下来|下一|最后|再来|next\b|now for|last", re.IGNORECASE)
_WORD_OR_CHARACTER = re.compile(rf"[a-z0-9']+|[{HAN}]")
_SAME_CHARACTERS = 6
_SAME_WORDS = 3
_OPENINGS = re.compile(  # of sentences that greet or introduce, as the platform's own lead does
    r"大家好|欢迎|朋友们.{0,3}好|我们来看|现在我手里"
    r"|(?:hello|welcome|good (?:morning|afternoon|evening)|hi|let us look|what i am holding)\b",
    re.IGNORECASE,
)
NAME_BEGUN = 3  # characters of a Chinese title that name the product
ROOM = 1.3  # a price is told where name and price take at most this much of the time


@dataclass(frozen=True, slots=True)
class Segment:
    kind: SegmentKind
    product_id: ProductId | None
    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """Small talk that one script has said so far; segments are written at the same time and must not say the same."""

    _said: list[str] = field(default_factory=list)

    def holds(self, sentence: str) -> bool:
        return any(alike(sentence, said) for said in self._said)

    def enter(self, sentences: Sequence[str]) -> None:
        self._said.extend(sentences)


def alike(first: str, second: str) -> bool:
    """Whether two sentences are the same but for a few words: they share a run of six Chinese characters, or of three words that
    are not all function words, or all.

    >>> alike("谢谢大家的陪伴", "感谢大家的陪伴"), alike("See you next time.", "Now see you next time!"), alike("Hi.", "Hi you.")
    (True, True, False)
    >>> alike("If you want it, tap the cart.", "Type yes if you want a look.")
    False
    """
    runs = _runs(first) & _runs(second)
    return bool(runs) or _letters(first) == _letters(second)


def _runs(sentence: str) -> set[str]:
    words = _WORD_OR_CHARACTER.findall(sentence.lower())
    size, glue = (_SAME_CHARACTERS, "") if any(not word.isascii() for word in words) else (_SAME_WORDS, " ")
    runs = (glue.join(words[start : start + size]) for start in range(len(words) - size + 1))
    return {run for run in runs if content_of(run)}


@dataclass(frozen=True, slots=True)
class Composed:
    segment: Segment
    drafted: int  # sentences of the writer that are in it
    small_talk: tuple[str, ...]  # to enter into the ledger when the segment is taken


def composed(section: Section, drafted: Sequence[str], language: Language, ledger: Ledger) -> Composed:
    """The segment out of the sentences that the writer drafted (none: out of fixed phrases and the product's values)."""
    own = _told_once(section, drafted, ledger)
    lead = _lead(section, own, language)
    if lead is not None:
        own = [s for s in own if not _OPENINGS.match(s) and not _LEADS_OVER.match(s) and not _only_introduces(s, section, language)]
    fixed = _fixed(section, own, lead, language)
    price = format_price(section.product.price, language)
    own = [s for s in own if s not in (*fixed.before, *fixed.behind) and not (section.tells_price and price in s)]
    if fixed.seconds(language) > section.seconds and section.kind == "product":
        fixed = _in_a_word(section, language)
    body = _filled(section, own, section.seconds - fixed.seconds(language), language, ledger)
    talk = tuple(_small_talk(s, section) for s in body if not any(saying.is_told_by(s) for saying in section.sayings))
    body = [without_connective(sentence) if place == 0 else sentence for place, sentence in enumerate(body)]
    sentences = [*fixed.before, *body, *fixed.behind] or [*own, *phrases_of(section.kind, language)][:1]
    text = joined(sentences, language)
    product_id = section.product.product_id if section.kind == "product" else None
    segment = Segment(section.kind, product_id, text, round(spoken_s(text, language), 1))
    known = {without_connective(sentence) for sentence in drafted}
    return Composed(segment, sum(without_connective(s) in known for s in sentences), talk)


@dataclass(frozen=True, slots=True)
class _Fixed:
    """Sentences that a segment has whatever its time."""

    before: tuple[str, ...]
    behind: tuple[str, ...] = ()

    def seconds(self, language: Language) -> float:
        return sum(spoken_s(sentence, language) for sentence in (*self.before, *self.behind))


def _fixed(section: Section, own: Sequence[str], lead: str | None, language: Language) -> _Fixed:
    """What leads in, the price (a promotion begins with it, a product ends with it), and that nothing is left to buy."""
    before = [lead] if lead else []
    priced = [s for s in own if section.tells_price and format_price(section.product.price, language) in s][:1]
    if section.tells_price and not priced:
        priced = [told_price(section.product, language)]
    if section.kind == "promotion":
        return _Fixed((*before, *priced))
    is_gone = section.kind == "product" and section.tells_price and section.product.stock is not None and section.product.stock <= 0
    return _Fixed(tuple(before), (*priced, *([sold_out(language)] if is_gone else [])))


def _in_a_word(section: Section, language: Language) -> _Fixed:
    with_price = in_a_word(section.product, language, with_price=True)
    fits = section.tells_price and spoken_s(with_price, language) <= section.seconds * ROOM
    return _Fixed((with_price if fits else in_a_word(section.product, language, with_price=False),))


def _told_once(section: Section, drafted: Sequence[str], ledger: Ledger) -> list[str]:
    """The drafted sentences without those that tell only what others told, or what another segment tells or says."""
    untitled = [saying for saying in section.known if not saying.is_told_by(section.product.title)]
    mine = {saying.name for saying in section.sayings}
    described = [saying for saying in section.known if saying.name == "description"]
    told: set[str] = set()
    talk: list[str] = []
    kept: list[str] = []
    for sentence in drafted:
        tells = {saying.name for saying in untitled if saying.is_told_by(sentence)}
        small_talk = _small_talk(sentence, section)
        if tells and (tells <= told or not tells <= mine):
            continue
        if any(_is_piece_of(sentence, saying, section) for saying in described):
            continue
        if not tells and (ledger.holds(small_talk) or any(alike(small_talk, said) for said in talk)):
            continue
        told |= tells
        talk.append(small_talk)
        kept.append(sentence)
    return kept


def _is_piece_of(sentence: str, described: Saying, section: Section) -> bool:
    """Whether a sentence tells a piece of the description, which is told whole or not at all."""
    piece = _letters(without_connective(sentence)) in _letters(described.value)
    return not described.is_told_by(sentence) and (piece or alike(_small_talk(sentence, section), _small_talk(described.value, section)))


def _small_talk(sentence: str, section: Section) -> str:
    """A sentence without the words of the product's title, which many sentences share."""
    for word in sorted(section.product.title.split(), key=len, reverse=True):
        sentence = sentence.replace(word, " ") if len(word) > 1 else sentence
    return sentence


def _lead(section: Section, own: Sequence[str], language: Language) -> str | None:
    """The sentence that leads in, unless the writer's first one does and does it rightly for the first or only product."""
    is_first_of_many = section.products > 1 and section.kind == "opening"
    is_led_over_to = section.kind == "product" and (section.place > 0 or section.part > 0)
    name = section.product.title if section.kind == "product" else section.product.title.split()[0]
    names = bool(own) and comparable(name) in comparable(own[0]) and not _LEADS_OVER.match(own[0])
    return None if names and not is_first_of_many and not is_led_over_to else first_words(section, language)


def _only_introduces(sentence: str, section: Section, language: Language) -> bool:
    """Whether a sentence names the product, or begins to, and tells nothing else of it."""
    title = section.product.title
    begun = title.split()[0] if title.isascii() else title[:NAME_BEGUN]
    untitled = (saying for saying in section.sayings if not saying.is_told_by(title))
    tells = any(saying.is_told_by(sentence) for saying in untitled)
    return comparable(begun) in comparable(sentence) and not tells and format_price(section.product.price, language) not in sentence


def _filled(section: Section, own: Sequence[str], seconds: float, language: Language, ledger: Ledger) -> list[str]:
    """The drafted sentences, then the untold values a few at a time, then one at a time, then what viewers ask, as far as they fit."""
    if own and section.kind != "product":
        seconds = max(seconds, spoken_s(own[0], language))  # the writer is heard, if for one sentence
    body = filled(own, sentences_about(_untold(section, own), language), seconds, language)
    singles = sentences_about(_untold(section, body), language, together=1)
    body = filled(body, singles, seconds, language)
    asked = (said for said in section.asked if not _repeats(said, section, body))
    talk = [_small_talk(sentence, section) for sentence in body]
    phrases = (s for s in phrases_of(section.kind, language) if not ledger.holds(s) and not any(alike(s, said) for said in talk))
    return filled(body, [*asked, *phrases], seconds, language)


def _repeats(said: str, section: Section, body: Sequence[str]) -> bool:
    """Whether an answer gives a value that was told."""
    text = " ".join(body)
    return any(saying.is_told_by(said) and saying.is_told_by(text) for saying in section.sayings)


def _untold(section: Section, sentences: Sequence[str]) -> list[Saying]:
    text = " ".join(sentences)
    return [saying for saying in section.sayings if not saying.is_told_by(text)]


def _letters(sentence: str) -> str:
    return "".join(c for c in comparable(sentence) if c.isalnum())
