"""What a text is about: words of the catalogue, then terms by TextRank (Mihalcea, Tarau 2004); and the sentences that hold most of them."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from graphs.checking.support import content_of
from graphs.hosting.sayings import holds_value

MAX_KEYWORDS = 20
MAX_TERMS = 10  # that are no words of the catalogue
SUMMARY_SENTENCES = 2
_WINDOW = 4  # words from each other up to which terms support each other
_DAMPING = 0.85
_ROUNDS = 30
_HOST_TALK = frozenset(  # neither of these is what a text is about
    [
        *("大家", "朋友", "朋友们", "直播间", "今天", "现在", "欢迎", "喜欢", "问题", "时候", "东西", "一下", "公屏", "感谢"),
        *("谢谢", "主播", "知道", "觉得", "可以", "来看", "看看", "介绍", "我们", "你们", "他们", "需要", "下单", "链接", "宝贝"),
        *("非常", "特别", "真的", "比较", "一点", "还是", "已经", "如果", "就是", "因为", "所以", "但是", "而且", "或者", "一个"),
        *("小时", "分钟", "个月", "hours", "minutes", "months", "years"),
        *("hello", "welcome", "everyone", "today", "now", "here", "there", "thank", "thanks", "look", "like", "know", "please"),
        *("room", "chat", "tell", "order", "link", "cart", "question", "questions", "let", "see", "show", "very", "really", "just"),
    ]
)


def keywords(text: str, catalogue: Sequence[str], words: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The catalogue's words that stand in the text, longest first, then its terms, best first; none a piece of a catalogue's word."""
    known = sorted({word for word in catalogue if len(word.strip()) > 1 and holds_value(text, word)}, key=lambda word: (-len(word), word))
    ranked = sorted(term_scores(words).items(), key=lambda item: (-item[1], item[0]))
    terms = [term for term, _ in ranked if not any(term.lower() in word.lower() for word in catalogue)]
    return tuple([*known, *terms[:MAX_TERMS]][:MAX_KEYWORDS])


def summary(sentences: Sequence[str], found: Sequence[str]) -> str:
    """The sentences that hold most keywords for their length, in their own order."""
    held = [sum(len(word) for word in found if word.lower() in sentence.lower()) for sentence in sentences]
    best = sorted(range(len(sentences)), key=lambda i: (-held[i] / (8 + len(sentences[i])) ** 0.5, i))[:SUMMARY_SENTENCES]
    return "".join(sentences[i] for i in sorted(best) if held[i] or i == best[0]).strip()


def term_scores(words: Sequence[Sequence[str]]) -> Mapping[str, float]:
    """Each content word with its rank among the words that stand near it; `words` come sentence by sentence.

    >>> scores = term_scores([["soft", "wool", "sweater"], ["the", "wool", "is", "warm"]])
    >>> max(scores, key=scores.__getitem__), "the" in scores
    ('wool', False)
    """
    near: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for sentence in words:
        terms = [word for word in sentence if _is_term(word)]
        for place, term in enumerate(terms):
            near[term]  # a word that stands alone is one too
            for other in terms[place + 1 : place + _WINDOW]:
                if other != term:
                    near[term][other] += 1.0
                    near[other][term] += 1.0
    return _ranked(near)


def _ranked(near: Mapping[str, Mapping[str, float]]) -> Mapping[str, float]:
    strength = {term: sum(others.values()) for term, others in near.items()}
    scores = dict.fromkeys(near, 1.0)
    for _ in range(_ROUNDS):
        scores = {
            term: 1 - _DAMPING + _DAMPING * sum(weight / strength[other] * scores[other] for other, weight in others.items())
            for term, others in near.items()
        }
    return scores


def _is_term(word: str) -> bool:
    return len(word) > 1 and word.lower() not in _HOST_TALK and bool(content_of(word)) and re.search(r"\d", word) is None
