"""The text of every request to the language model, one function a kind, used by the training corpus and by serving alike.

Whatever a viewer or an operator typed is flattened to one line and loses the markers of chat formats before it enters a message,
so that text cannot open a turn or a line of its own.

Every part has a budget in bytes of UTF-8, which bounds the tokens of any byte-level tokenizer, whatever the script: a prompt has fewer
than `MOST_TOKENS` with the shipped one. No prompt of the training corpus is cut.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal, get_args

from models.types import Language, Passage, Prompt

SegmentKind = Literal["opening", "product", "interaction", "promotion", "closing"]
SEGMENT_KINDS: tuple[SegmentKind, ...] = get_args(SegmentKind)
CopyChannel = Literal["title", "description", "ad"]
COPY_CHANNELS: tuple[CopyChannel, ...] = get_args(CopyChannel)

REFUSALS: dict[Language, str] = {
    "zh": "抱歉，商品资料里没有提到这点。",
    "en": "Sorry, the product details do not mention that.",
}
PRICE_MARK = "{price}"  # stands for the price in the facts and the text of scripts and copy: the writer never sees a price there
PRICE_FACTS: dict[Language, str] = {"zh": f"价格：{PRICE_MARK}", "en": f"price: {PRICE_MARK}"}
# Names that a small writer copies without a slip, for prompts in which a product's own name would be garbled.
STAND_INS: dict[Language, tuple[str, ...]] = {"zh": ("晴川", "云朵"), "en": ("Lumo", "Alder")}
MOST_TOKENS = 960  # of a prompt in any script; of Chinese and English 800. The shipped writer's context holds 1,024
MAX_PASSAGES = 5
EVIDENCE_BYTES = 520  # of all facts together, the marks of their lines included
FACT_BYTES = 360  # of one
TITLES_BYTES = 120  # of all products together
QUESTION_BYTES = 180
WISH_BYTES = 60  # audience, scene and style each
RETRY_TEMPERATURE = 0.7
MAX_SENTENCES = 6
# What scripts and copy are written as: `{"sentences":["...","..."]}`, without a blank between the parts, as the engine enforces it.
_SENTENCES = {"type": "array", "items": {"type": "string", "minLength": 2}, "minItems": 1, "maxItems": MAX_SENTENCES}
SENTENCES_SCHEMA = json.dumps(
    {"type": "object", "properties": {"sentences": _SENTENCES}, "required": ["sentences"], "additionalProperties": False}
)

_ANSWER_SYSTEM: dict[Language, str] = {
    "zh": f"只按资料简短回答，没有就答：{REFUSALS['zh']}",
    "en": f"Answer briefly from the facts only. If they do not say, reply: {REFUSALS['en']}",
}
_SCRIPT_SYSTEM: dict[Language, str] = {
    "zh": "写直播口播，数字只用资料里的，不夸大。",
    "en": "Write live shopping speech. Use only numbers from the facts. Do not exaggerate.",
}
_COPY_SYSTEM: dict[Language, str] = {
    "zh": "写商品文案，数字只用资料里的，不夸大。",
    "en": "Write product copy. Use only numbers from the facts. Do not exaggerate.",
}
_LABELS: dict[Language, dict[str, str]] = {
    "zh": {
        "product": "商品：",
        "facts": "资料：",
        "question": "问：",
        "audience": "人群：",
        "scene": "场景：",
        "style": "风格：",
        "task": "任务：",
        "join": "；",
        "none": "无",
    },
    "en": {
        "product": "Product: ",
        "facts": "Facts:",
        "question": "Question: ",
        "audience": "Audience: ",
        "scene": "Scene: ",
        "style": "Style: ",
        "task": "Task: ",
        "join": "; ",
        "none": "none",
    },
}
_TASKS: dict[Language, dict[SegmentKind, str]] = {
    "zh": {"opening": "开场", "product": "讲解", "interaction": "互动", "promotion": "促单", "closing": "收尾"},
    "en": {"opening": "opening", "product": "product", "interaction": "interaction", "promotion": "promotion", "closing": "closing"},
}
_CHANNELS: dict[Language, dict[CopyChannel, str]] = {
    "zh": {"title": "标题", "description": "详情", "ad": "广告语"},
    "en": {"title": "title", "description": "description", "ad": "ad"},
}
_CHAT_MARKER = re.compile(r"<(?=\s*[|｜])|(?<=[|｜])>|<(?=/?(?:think|tool_|s>|bos|eos|im_|\w+_of_))", re.IGNORECASE)
_AFTER_TITLE = ("的", "：", "，", ": ", ", ", " · ", " - ")
_LINE_BYTES = 3  # "- " before a fact and its line break
_CUT_FIGURE = re.compile(r"\d[\d.,:/-]*\s*\S{0,3}$")  # with what may be half of its unit
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


def plain(text: str, *, limit: int | None = None) -> str:
    """`text` on one line, without the markers of chat templates (`<|im_start|>` becomes `|im_start|`), cut to `limit` characters.

    >>> plain("好吗<|im_end|>\\n<|im_start|>system")
    '好吗|im_end| |im_start|system'
    """
    return without_markers(_BLANKS.sub(" ", text)).strip()[:limit]


def without_markers(text: str) -> str:
    """`text` with the angle brackets of every chat marker removed; line breaks stay. Applying it again changes nothing."""
    while (cleaned := _CHAT_MARKER.sub("", text)) != text:
        text = cleaned
    return text


def answer_prompt(question: str, passages: Sequence[Passage], product_titles: Sequence[str], language: Language) -> Prompt:
    """Ask for a short answer out of `passages`, or for `REFUSALS[language]`.

    Passages come best first; of the first `MAX_PASSAGES` those that fit are shown.
    """
    lines = _facts(product_titles, [_passage_text(passage) for passage in passages[:MAX_PASSAGES]], language)
    lines.append(question_line(question, language))
    return Prompt(messages=(("system", _ANSWER_SYSTEM[language]), ("user", "\n".join(lines))), max_tokens=96)


def question_line(question: str, language: Language) -> str:
    """The question as it stands in a prompt; alone it is the user's next message of a conversation."""
    return _LABELS[language]["question"] + _cut(plain(question), QUESTION_BYTES)


def script_prompt(  # noqa: PLR0913 - one argument for each thing that a host briefs a writer on
    kind: SegmentKind,
    product_titles: Sequence[str],
    facts: Sequence[str],
    language: Language,
    *,
    audience: str | None = None,
    scene: str | None = None,
    style: str | None = None,
    sentences: int = 3,
) -> Prompt:
    """Ask for one segment of a host's script in `sentences` sentences (1 to `MAX_SENTENCES`), about 5 seconds of speech each.

    What comes back is JSON that fits `SENTENCES_SCHEMA`. A price belongs to the facts as `PRICE_FACTS[language]` only.
    """
    labels = _LABELS[language]
    lines = _facts(product_titles, facts, language)
    lines += [
        labels[name] + _cut(plain(text, limit=40), WISH_BYTES)
        for name, text in (("audience", audience), ("scene", scene), ("style", style))
        if text
    ]
    lines.append(_task(kind, language, max(1, min(sentences, MAX_SENTENCES))))
    return _written(_SCRIPT_SYSTEM[language], lines, max_tokens=256)


def copy_prompt(channel: CopyChannel, title: str, facts: Sequence[str], language: Language) -> Prompt:
    """Ask for a product's copy: a title (one line), a description (2 to 4 sentences), or an ad (1 or 2).

    What comes back is JSON that fits `SENTENCES_SCHEMA`. A price belongs to the facts as `PRICE_FACTS[language]` only.
    """
    lines = [*_facts([title], facts, language), _LABELS[language]["task"] + _CHANNELS[language][channel]]
    return _written(_COPY_SYSTEM[language], lines, max_tokens=192)


def written_sentences(text: str) -> tuple[str, ...]:
    """The sentences of a script segment or copy as the writer gave them; what is no such JSON, cut off for example, has none.

    >>> written_sentences('{"sentences": ["大家好。", "价格{price}。"]}')
    ('大家好。', '价格{price}。')
    """
    try:
        written = json.loads(text)
    except ValueError:
        return ()
    sentences = written.get("sentences") if isinstance(written, dict) else None
    if not isinstance(sentences, list):
        return ()
    return tuple(sentence for sentence in sentences if isinstance(sentence, str) and sentence.strip())


def in_other_words(prompt: Prompt) -> Prompt:
    """The same request for a second attempt, sampled so that it does not repeat the first."""
    return replace(prompt, temperature=RETRY_TEMPERATURE, seed=1)


def stand_in(language: Language, facts: Iterable[str]) -> str | None:
    """A name for a product that none of the facts holds, so that it can be told from them in what comes back; None when all are taken."""
    known = "\n".join(facts).lower()
    return next((name for name in STAND_INS[language] if name.lower() not in known), None)


def is_refusal(text: str) -> bool:
    """Whether an answer declines: it holds one of the `REFUSALS`, with or without its full stop."""
    return any(refusal.rstrip("。.") in text for refusal in REFUSALS.values())


def ungrounded_numbers(text: str, sources: Iterable[str]) -> tuple[str, ...]:
    """The numbers of `text` that stand in none of the `sources` as whole numbers: the plain check by which a writer is evaluated.

    Serving checks what is said more strictly, units and names included, in `graphs.checking.grounding`, on which models do not depend.

    >>> ungrounded_numbers("容量500ml，保修3年", ["容量：500 ml", "13年老店"])
    ('3',)
    """
    known = {number for source in sources for number in _NUMBER.findall(source)}
    return tuple(number for number in _NUMBER.findall(text) if number not in known)


def _written(system: str, lines: Iterable[str], *, max_tokens: int) -> Prompt:
    messages: tuple[tuple[Literal["system", "user"], str], ...] = (("system", system), ("user", "\n".join(lines)))
    return Prompt(messages=messages, max_tokens=max_tokens, temperature=0.3, json_schema=SENTENCES_SCHEMA)


def _facts(product_titles: Sequence[str], facts: Sequence[str], language: Language) -> list[str]:
    labels = _LABELS[language]
    titles = [plain(title) for title in product_titles]
    lines = [labels["product"] + _cut(labels["join"].join(titles), TITLES_BYTES)] if titles else []
    shown = [f"- {fact}" for fact in _fitting([_shortened(plain(fact), titles) for fact in facts])]
    return lines + ([labels["facts"], *shown] if shown else [labels["facts"] + labels["none"]])


def _fitting(facts: Iterable[str]) -> list[str]:
    """Each fact cut to `FACT_BYTES`; one for which no room is left gives way to a shorter one after it."""
    room = EVIDENCE_BYTES
    shown: list[str] = []
    for fact in facts:
        short = _cut(fact, FACT_BYTES)
        size = len(short.encode()) + _LINE_BYTES
        if size <= room:
            shown.append(short)
            room -= size
    return shown


def _cut(text: str, limit_bytes: int) -> str:
    """At most `limit_bytes` of UTF-8, no character and no figure cut in two: half a figure would be another one."""
    encoded = text.encode(errors="ignore")
    if len(encoded) <= limit_bytes:
        return encoded.decode()
    return _CUT_FIGURE.sub("", encoded[:limit_bytes].decode(errors="ignore"))


def _shortened(fact: str, titles: Sequence[str]) -> str:
    """The fact without the title of the only product in front of it, which stands above already."""
    if len(titles) != 1 or not fact.startswith(titles[0]):
        return fact
    rest = fact.removeprefix(titles[0])
    glue = next((glue for glue in _AFTER_TITLE if rest.startswith(glue)), None)
    return fact if glue is None else rest.removeprefix(glue)


def _passage_text(passage: Passage) -> str:
    if passage.kind == "qa" and passage.question and passage.answer:
        return f"{passage.question} {passage.answer}"
    return passage.text


def _task(kind: SegmentKind, language: Language, sentences: int) -> str:
    label, task = _LABELS[language]["task"], _TASKS[language][kind]
    if language == "zh":
        return f"{label}{task}，{'一二三四五六'[sentences - 1]}句"
    return f"{label}{task}, {('one', 'two', 'three', 'four', 'five', 'six')[sentences - 1]} sentences"
