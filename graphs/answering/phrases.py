"""The few fixed sentences that the platform says in its own name; no model wrote them."""

import re

from graphs.reading.asking import normalised
from models.types import Language

_DECLINE: dict[Language, str] = {
    "zh": "这个问题商品资料里没有提到，我帮您记下来请主播确认哦。",
    "en": "The product information does not say; I have noted your question for the host.",
}

_WHAT_THEN: dict[Language, str] = {
    "zh": "您想了解哪方面呢？价格、材质、尺寸或者发货，直接问我就好。",
    "en": "What would you like to know? Ask me about the price, the material, the size or the shipping.",
}

_AFTER_SALES: dict[Language, str] = {
    "zh": "很抱歉给您添麻烦了，请联系客服，并附上订单号和照片，会为您处理；您的反馈我也记下来了。",
    "en": "Sorry about that. Please contact customer service with your order number and a photo; I have noted your message as well.",
}
_NO_SUCH_LINK: dict[Language, str] = {
    "zh": "这里一共有{count}个链接，没有您说的这一号哦。",
    "en": "There {are} on the shelf, so there is no such number.",
}
_BROKEN = re.compile(
    r"(?:收到|到货|拿到|寄来|发来|送来|买的|打开).{0,12}(?:坏|破|碎|裂|瑕疵|划痕|漏|脏|少了|错|变质|发霉|过期|不能用|用不了|没反应|有问题)"
    r"|坏的|坏掉了|破了个?洞|破了$|有个洞|(?<!如果)(?<!万一)坏了$|开裂了|裂了$|碎了$|漏发|少发|发错|错发|用不了了?$|开不了机|没反应|质量(?:太|好|真)?差|才用.{0,8}坏"
    r"|\b(?:arrived|came|got|received|delivered|turned up|was)\b.{0,24}\b(?:broken|damaged|cracked|defective|faulty|wrong|scratched"
    r"|torn|leaking|dirty|dead|smashed|chipped|incomplete|a crack|a scratch|a dent|a hole|empty)\b"
    r"|\b(?:stopped working|broke after|fell apart|(?:does not|doesn't|won't) (?:work|turn on|charge)|missing parts?|never arrived)\b"
    r"|\bsent me the wrong\b"
    r"|\b(?:is|are|was) (?:broken|damaged|cracked|defective|faulty)\b"
    r"|(?<!if it )(?<!if they )\b(?:fell|came|broke|peeled|snapped|tore|ripped|wore) (?:off|apart|loose|out|undone)\b"
    r"|(?<!if )(?<!if the )\b(?:lid|bottle|cap|seal|cup|mug|tank|hose|pump|tube|battery|it|which|that)"
    r" (?:already |still |always )?(?:leaks|leaked|is leaking|keeps leaking)\b"
    r"|\b(?:no sound|only one side works|(?:left|right) (?:side|ear|earbud|one) (?:is )?(?:dead|silent|not working))\b"
    r"|(?:用|穿|戴|买|洗|到手).{0,6}(?:[天周月次年回]|小时|星期).{0,8}"
    r"(?:掉漆?|坏|裂|破|断|开胶|脱胶|[掉褪]色|烂|漏|松|变形|生锈|起球)了(?!.{0,3}[吗么嘛?])"
    r"|(?:耳机|耳朵|音箱|音响|喇叭|电视|手机|[左右一][边只侧耳]).{0,6}(?:没有?|不出)(?:声|响)(?!.{0,4}[吗么嘛?])"
    r"|(?:涂层|鞋底|表带|拉链|漆|胶|把手|盖子?|扣子?).{0,3}(?:掉|脱落|开胶|断|裂|坏|脱)了(?!.{0,3}[吗么嘛?])"
    r"|充不[进上]电|(?:开胶|掉漆|脱胶|漏水|漏液)了(?!.{0,3}[吗么嘛?])"
)

PASSED_ON = frozenset({"complaint", "host_request"})  # comments that are noted for the host, as their sentences say

_SMALL_TALK: dict[str, dict[Language, str]] = {
    "greeting": {"zh": "欢迎来到直播间！想了解哪件商品，直接问我就好。", "en": "Welcome! Ask me about any product on the shelf."},
    "praise": {"zh": "谢谢您的喜欢！", "en": "Thank you, glad you like it!"},
    "complaint": {
        "zh": "很抱歉给您带来不便，已经为您记下来了。",
        "en": "Sorry about that; I have noted it for the host.",
    },
    "chitchat": {"zh": "哈哈，有关于商品的问题随时问我哦。", "en": "Happy to chat; ask me anything about the products."},
    "host_request": {"zh": "好的，已经帮您记下来给主播。", "en": "Sure, I have noted that for the host."},
}

SMALL_TALK = frozenset(_SMALL_TALK)  # intents of comments that ask nothing


def decline(language: Language) -> str:
    """What is said when nothing supports an answer."""
    return _DECLINE[language]


def ask_back(language: Language) -> str:
    """What is said to a comment without a word to answer: a question mark, a lone figure, an emoji."""
    return _WHAT_THEN[language]


def is_after_sales(comment: str) -> bool:
    """Whether a comment tells that something bought is broken, wrong or missing.

    >>> is_after_sales("收到是坏的"), is_after_sales("the sole fell off"), is_after_sales("坏了保修多久")
    (True, True, False)
    """
    return _BROKEN.search(normalised(comment)) is not None


def to_customer_service(language: Language) -> str:
    """What is said to a complaint after the sale that nothing stored answers."""
    return _AFTER_SALES[language]


def no_such_link(count: int, language: Language) -> str:
    """What is said of a link whose number is not on the shelf.

    >>> no_such_link(1, "en"), no_such_link(10, "zh")
    ('There is 1 link on the shelf, so there is no such number.', '这里一共有10个链接，没有您说的这一号哦。')
    """
    return _NO_SUCH_LINK[language].format(count=count, are=f"is {count} link" if count == 1 else f"are {count} links")


def small_talk(intent: str, language: Language) -> str | None:
    """A polite sentence for a comment that asks nothing; None when an intent is a question."""
    sentences = _SMALL_TALK.get(intent)
    return sentences[language] if sentences else None
