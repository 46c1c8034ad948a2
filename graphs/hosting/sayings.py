"""What the platform itself can say of a product, in the language of the listener: its values, a saying each, and sentences of them."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from graphs.reading.asking import concept_of, normalised
from graphs.reading.characters import CJK
from graphs.reading.slots import detect_language
from models.prompts import PRICE_MARK
from models.types import Language, Product

TOGETHER = 3  # sayings in one spoken list
_YES = frozenset({"yes", "有", "是", "可以", "支持"})
_NO = frozenset({"no", "none", "无", "否", "没有", "不支持"})
_NO_COPULA_ZH = ("不", "无", "含", "建议", "已")  # a value that begins so needs no 是
_OWN_SENTENCE_ZH = (*_NO_COPULA_ZH, "可", "能", "防")  # and one that repeats a character of its label no label
_LEADS: Mapping[Language, tuple[str, ...]] = {
    "zh": ("", "再看细节，", "还有，", "另外，"),
    "en": ("The details: ", "Also worth knowing: ", "And then: ", "One more thing: "),
}
# Units that a value may be said with in the other language; a value that holds other words of its own language is not said there.
_UNITS: Mapping[Language, tuple[tuple[str, str], ...]] = {
    "zh": (
        (r"hours?|hrs?|h", "小时"),
        (r"minutes?|mins?", "分钟"),
        (r"seconds?|secs?", "秒"),
        (r"days?", "天"),
        (r"weeks?", "周"),
        (r"months?", "个月"),
        (r"years?", "年"),
        (r"pieces?|pcs", "件"),
        (r"inch(?:es)?", "英寸"),
    ),
    "en": (
        ("小时", "hours"),
        ("分钟", "minutes"),
        ("秒", "seconds"),
        ("天", "days"),
        ("周", "weeks"),
        ("个月", "months"),
        ("年", "years"),
        ("毫升", "ml"),
        ("公斤|千克", "kg"),
        ("克", "g"),
        ("升", "L"),
        ("厘米", "cm"),
        ("毫米", "mm"),
        ("米", "m"),
        ("瓦", "W"),
        ("分贝", "dB"),
        ("毫安时?", "mAh"),
        ("[件片]", "pieces"),
    ),
}
_MARK = re.compile(r"[{｛]\s*" + PRICE_MARK.strip("{}") + r"\s*[}｝]", re.IGNORECASE)
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
_UNIT_OR_CODE = re.compile(r"(?:(?i:ml|cl|kg|mg|cm|mm|km|mah|wh|kw|db|hz|khz|ghz|kcal|gsm|ph)|[A-Z]{2,})")
_CONNECTIVE = re.compile(
    r"^(?:另外|还有一点|还有|而且|此外)[，,]\s*|^(?:one more thing|good to know|also|and|besides)[:,]\s+", re.IGNORECASE
)
_NEEDLESS_BLANK = re.compile(r"(?<=\d) (?=[a-z%°])|(?<![!-~]) | (?![!-~])")


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing that the store knows of a product, as it is said in one language."""

    name: str  # the attribute as the store has it; `description` for the description
    label: str  # the same as it is said
    value: str  # likewise
    fact: str  # a sentence of label and value, which the writer is shown

    def is_told_by(self, text: str) -> bool:
        """Whether a text holds the value: as a whole, blanks and letter case aside; a bare figure or a yes only beside its label."""
        if self.value.lower() == "none" and holds_value(text, f"no {self.label}"):
            return True
        if not holds_value(text, self.value.rstrip("。.！!")):
            return False
        return not is_bare(self.value) or comparable(self.label) in comparable(text)


def sayings_of(product: Product, language: Language) -> tuple[Saying, ...]:
    """The values of a product that can be said in `language`, the description first and what the title says already last.

    Of a product whose title is in the other language, only values are said whose label is known and which are figures, units and codes.
    A text that holds the mark of a price is nothing to be said: only the platform writes that mark.
    """
    is_foreign = detect_language(product.title) != language
    described = () if is_foreign else tuple(_described(product))
    stated = (_stated(name, value, language, is_foreign=is_foreign) for name, value in product.attributes.items())
    found = [saying for saying in (*described, *stated) if saying is not None and not has_mark(saying.fact)]
    return tuple(sorted(found, key=lambda saying: saying.name != "description" and holds_value(product.title, saying.value)))


def sentences_about(sayings: Sequence[Saying], language: Language, *, together: int = TOGETHER) -> Iterator[str]:
    """Spoken sentences that tell all of the sayings: what stands for itself alone, the rest `together` at a time."""
    yield from (closed(saying.value, language) for saying in sayings if saying.name == "description")
    listed = [saying for saying in sayings if saying.name != "description"]
    for number, start in enumerate(range(0, len(listed), together)):
        phrases = [_phrase(saying, language) for saying in listed[start : start + together]]
        lead = _LEADS[language][number % len(_LEADS[language])] if len(phrases) > 1 else ""
        told = lead + _listed(phrases, language) if lead or language == "zh" else listed[start].fact
        yield closed(told[:1].upper() + told[1:], language)


def evidence_of(product: Product, told: Sequence[Saying]) -> tuple[str, ...]:
    """All that may support a text about a product, in the store's words and as it is `told`; its price and stock may not."""
    attributes = (f"{name}：{value}" for name, value in product.attributes.items())
    words = (product.brand, product.category, product.description, "、".join(product.tags))
    return tuple(text for text in (*words, *attributes, *(saying.fact for saying in told)) if text and not has_mark(text))


def unmarked(text: str) -> str:
    """`text` without the mark of a price, which only the platform writes: what is left of it are its letters."""
    return _MARK.sub(PRICE_MARK.strip("{}"), text)


def closed(sentence: str, language: Language) -> str:
    """The sentence with a full stop of its language, when it ends with none of its own.

    >>> closed("好用", "zh"), closed("It is red.", "en")
    ('好用。', 'It is red.')
    """
    stripped = sentence.strip().rstrip("，,；;、：:")
    return stripped if stripped.endswith(("。", "！", "？", ".", "!", "?", "…")) else stripped + ("。" if language == "zh" else ".")


def beside(words: str) -> str:
    """Words that stand behind Chinese ones: Latin letters and figures get a blank on their side."""
    return f" {words}" if words[:1].isascii() and words[:1].isalnum() else words


def holds_value(text: str, value: str) -> bool:
    """Whether `value` stands in `text` as a whole, blanks, letter case and full-width forms aside.

    >>> holds_value("净含量４.２G，便携", "4.2 g"), holds_value("14.2 g", "4.2 g"), holds_value("28 cm", "28 c")
    (True, False, False)
    """
    sought, within = comparable(value), comparable(text)
    before = r"(?<![\d.])" if sought[:1].isdigit() else (r"(?<![a-z])" if is_latin(sought[:1]) else "")
    after = r"(?!\d|\.\d)" if sought[-1:].isdigit() else (r"(?![a-z])" if is_latin(sought[-1:]) else "")
    return bool(sought) and re.search(before + re.escape(sought) + after, within) is not None


def is_bare(value: str) -> bool:
    """Whether a value says nothing without its label: a plain number, a yes or a no.

    >>> is_bare("9"), is_bare("none"), is_bare("9 h")
    (True, True, False)
    """
    plain = comparable(value)
    return plain in _YES | _NO or plain.replace(".", "").isdigit() or len(plain) < 2


@lru_cache(maxsize=4_096)
def comparable(text: str) -> str:
    """What values are compared in: NFKC, lower case, blanks only between Latin words.

    >>> comparable("净含量 ４.２ G  Peach Mist")
    '净含量4.2g peach mist'
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).lower().split())
    return _NEEDLESS_BLANK.sub("", plain)


def without_connective(sentence: str) -> str:
    """The sentence without the words that tie it to one before: for the first one of a text.

    >>> without_connective("另外，香味是雪松。"), without_connective("Good to know: it folds."), without_connective("It folds.")
    ('香味是雪松。', 'It folds.', 'It folds.')
    """
    bare = _CONNECTIVE.sub("", sentence)
    return bare[:1].upper() + bare[1:]


def has_mark(text: str) -> bool:
    """Whether somebody wrote the mark of a price into a text, blanks, letter case and full-width braces aside."""
    return _MARK.search(text) is not None


def _described(product: Product) -> Iterator[Saying]:
    if product.description and product.description.strip():
        text = " ".join(product.description.split())
        yield Saying("description", "", text, text)


def _stated(name: str, value: str, language: Language, *, is_foreign: bool) -> Saying | None:
    value = " ".join(value.split())
    label: str | None = " ".join(name.split())
    if is_foreign:
        concept = concept_of(name)
        is_its_label = concept is not None and normalised(name) in (concept.label("zh"), concept.label("en"))
        label = concept.label(language) if concept is not None and is_its_label and not is_bare(value) else None
    said = translated(value, language) if is_foreign else value
    if not label or not said:
        return None
    return Saying(name, label, said, _fact(label, said, language))


def translated(value: str, language: Language) -> str | None:
    """A value of the other language said in this one: figures with their units; None when it holds other words.

    >>> translated("36 个月", "en"), translated("9 h", "zh"), translated("雾面丝绒", "en"), translated("dewy", "zh")
    ('36 months', '9 小时', None, None)
    """
    for pattern, unit in _UNITS[language]:
        edge = r"(?![a-z])" if language == "zh" else ""
        value = re.sub(rf"(?<=\d)\s*(?:{pattern}){edge}", f" {unit}", value, flags=re.IGNORECASE)
    value = re.sub(r"(?<![\d.])1 (hour|minute|second|day|week|month|year|piece)s", r"1 \1", value)
    if not any(c.isalnum() for c in value):
        return None
    if language == "en":
        return None if CJK.search(value) else value.replace("、", ", ")
    return value if all(_UNIT_OR_CODE.fullmatch(word) for word in _LATIN_WORD.findall(value)) else None


def _listed(phrases: Sequence[str], language: Language) -> str:
    """The phrases as one list; those with commas of their own are kept apart by semicolons."""
    comma, semicolon = ("，", "；") if language == "zh" else (", ", "; ")
    return (semicolon if any(comma.strip() in phrase for phrase in phrases) else comma).join(phrases)


def _fact(label: str, value: str, language: Language) -> str:
    if language == "zh":
        return f"{label}{'：' if value.startswith(_OWN_SENTENCE_ZH) else '是'}{beside(value)}。"
    return f"{_lowered(label)}: {value}."


def _phrase(saying: Saying, language: Language) -> str:
    """Label and value as one item of a spoken list."""
    return _phrase_zh(saying.label, saying.value) if language == "zh" else _phrase_en(_lowered(saying.label), saying.value)


def _phrase_zh(label: str, value: str) -> str:
    if value.startswith(_OWN_SENTENCE_ZH) and set(label) & set(value) - {"含"}:  # 香精：不含香精
        return value
    if label.startswith(("适合", "适用")) and label[2:] in value:  # 适合肤质：所有肤质
        return label[:2] + value
    needs_none = value.startswith(_NO_COPULA_ZH) or (len(value) <= 3 and value.startswith(_OWN_SENTENCE_ZH))
    return f"{label}{'' if needs_none else '是'}{beside(value)}"


def _phrase_en(label: str, value: str) -> str:
    plain = value.lower()
    if plain in _YES | _NO:
        return f"no {label}" if plain == "none" else f"{label}, {plain}"
    words = re.findall(r"[a-z]+", plain)
    return value if label in words or label.removesuffix("s") in words else f"{label} {value}"


def _lowered(label: str) -> str:
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def is_latin(character: str) -> bool:
    return character.isascii() and character.isalpha()
