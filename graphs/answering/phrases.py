"""The few fixed sentences that the platform says in its own name; no model wrote them."""

from models.types import Language

_DECLINE: dict[Language, str] = {
    "zh": "这个问题商品资料里没有提到，我帮您记下来请主播确认哦。",
    "en": "The product information does not say; I have noted your question for the host.",
}

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


def small_talk(intent: str, language: Language) -> str | None:
    """A polite sentence for a comment that asks nothing; None when an intent is a question."""
    sentences = _SMALL_TALK.get(intent)
    return sentences[language] if sentences else None
