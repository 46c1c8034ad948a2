"""What is known, cut into statements that can be quoted: named values, stored questions with their answers, single sentences."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from graphs.reading.asking import concept_of, head_of, normalised
from graphs.reading.characters import CJK
from models.types import Passage

_SENTENCE = re.compile(r"[^。！？!?\n]+?(?:[。！？!?\n]+|\.(?=\s|$)|$)")
_LABELLED = re.compile(r"(?P<name>[^：:。！？!?；;\n]{1,60})[：:]\s*(?P<value>[^\n]{1,200})")
_COPULA_ZH = re.compile(r"(?P<name>[^是为，。！？；：:]{1,60})[是为](?P<value>[^，。！？；]{1,80})[。]?")
_COPULA_EN = re.compile(
    r"(?:the |its )(?P<name>[a-z][a-z -]{1,40}?) (?:is|are) (?P<value>[^.;!?]{1,80}(?:\.\d[^.;!?]*)?)\.?", re.IGNORECASE
)
_OF_TITLE = re.compile(r"^(?P<title>.{2,80})(?:的|, )(?P<name>[^的,]{1,40})$")
_MOST_WORDS = 5  # of an English name
_OPINION = re.compile(r"^(?:customer review|review|顾客评论|买家评论|用户评论|评论|评价|q|a|问|答|注意|note|tips?|提示)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that is known, with the passage it comes from."""

    passage: Passage  # what is cited
    text: str  # word for word
    name: str | None = None  # of a named value, without the product's title
    value: str | None = None
    question: str | None = None  # of a stored answer

    @property
    def whole(self) -> str:
        """All of its words: what a question may find in it."""
        return " ".join(part for part in (self.question, self.text) if part)


def statements_in(passages: Sequence[Passage]) -> tuple[Statement, ...]:
    """The statements of retrieved passages, in their order; a question states nothing."""
    return tuple(statement for passage in passages for statement in _stated(passage))


def named(passage: Passage, name: str, value: str) -> Statement:
    """A named value of a product."""
    return Statement(passage, passage.text, name, value)


def _stated(passage: Passage) -> Iterator[Statement]:
    if passage.kind == "spec" and "#" in passage.source_id:
        name = passage.source_id.split("#", 1)[1]
        value = passage.text.rpartition(f"{name}: ")[2]
        if name == "description":
            yield from (Statement(passage, sentence) for sentence in sentences(value))
        else:
            yield Statement(passage, passage.text, name, value)
    elif passage.question is not None:
        if passage.answer is not None or not passage.text.rstrip().endswith(("?", "？")):
            yield Statement(passage, passage.answer or passage.text, question=passage.question)
    else:
        yield from (_parsed(passage, sentence) for sentence in sentences(passage.text) if not sentence.endswith(("?", "？")))


@lru_cache(maxsize=4096)
def sentences(text: str) -> tuple[str, ...]:
    """A text cut behind its full stops, colons and abbreviations left alone.

    >>> sentences("It weighs 1.2 kg. Keep it dry!")
    ('It weighs 1.2 kg.', 'Keep it dry!')
    """
    return tuple(piece for match in _SENTENCE.finditer(text) if (piece := match[0].strip()))


def _parsed(passage: Passage, sentence: str) -> Statement:
    found = named_value(sentence)
    return Statement(passage, sentence, *found) if found else Statement(passage, sentence)


@lru_cache(maxsize=8192)
def named_value(sentence: str) -> tuple[str, str] | None:
    """Name and value of a sentence that states one, the title in front of it left out; None for any other sentence.

    >>> named_value("克重：60 g/㎡"), named_value("青禾保温杯的杯盖材质是PP。"), named_value("The lid colour is oat.")
    (('克重', '60 g/㎡'), ('杯盖材质', 'PP'), ('lid colour', 'oat'))
    >>> named_value("可以放进洗碗机。")
    """
    labelled = _LABELLED.fullmatch(sentence)
    match = labelled or _COPULA_ZH.fullmatch(sentence) or _COPULA_EN.fullmatch(sentence)
    if match is None:
        return None
    name, value = match["name"].strip(), match["value"].strip().rstrip("。.") if match["value"] else ""
    inner = _LABELLED.fullmatch(value) if labelled is not None else None
    if inner is not None and len(inner["name"].split()) <= _MOST_WORDS:  # title: name: value
        name, value = inner["name"].strip(), inner["value"].strip()
    titled = _OF_TITLE.match(name)
    if titled is not None and (labelled is None or concept_of(titled["name"]) is not None or len(titled["title"]) > 6):
        name = titled["name"].strip()
    if not value or _OPINION.match(name) or (not CJK.search(name) and len(name.split()) > _MOST_WORDS):
        return None
    is_name = labelled is not None or titled is not None or head_of(name)[0] is not None
    return (name, value) if is_name and len(normalised(name)) <= 40 else None
