"""What a host says around the facts, in fixed phrases: for segments that the writer did not write or did not fill."""

from collections.abc import Mapping

from graphs.hosting.outline import Section
from graphs.hosting.pacing import spoken_s
from graphs.hosting.sayings import beside, closed
from graphs.reading.slots import format_price
from models.prompts import SegmentKind
from models.types import Language, Product

_PHRASES: Mapping[Language, Mapping[SegmentKind, tuple[str, ...]]] = {
    "zh": {
        "opening": ("刚进来的朋友先别着急走。", "有问题随时打在公屏上。", "我会把细节一条一条说清楚。"),
        "product": (),
        "interaction": ("有什么想了解的，打在公屏上，我来回答。", "你最关心哪一点，告诉我。", "我来念几条大家的问题。"),
        "promotion": ("喜欢的朋友可以下单了。", "下单前记得核对规格和地址。", "拿不定主意的可以先加购物车。"),
        "closing": ("感谢大家的陪伴，我们下次再见。", "没看清的朋友可以点回放。", "还有问题的随时留言。"),
    },
    "en": {
        "opening": ("Stay with me for a moment.", "Type your questions whenever you like.", "I will go through the details one by one."),
        "product": (),
        "interaction": (
            "Tell me in the chat what you would like to know.",
            "What matters most to you?",
            "Let me read a few of your questions.",
        ),
        "promotion": (
            "If you like it, you can order now.",
            "Please check the details and your address before you order.",
            "If you are not sure yet, add it to your cart first.",
        ),
        "closing": (
            "Thank you for watching, see you next time.",
            "If you missed a part, watch the replay.",
            "Leave me a message if you have a question.",
        ),
    },
}


def first_words(section: Section, language: Language) -> str | None:
    """The sentence with which a segment begins when the writer's own does not name its product; None for kinds that need none."""
    match section.kind:
        case "opening":
            return _welcome(section, language)
        case "product":
            return introduction(section, language)
    return None


def introduction(section: Section, language: Language) -> str:
    """Leads over to a product, or on to its next part."""
    zh = language == "zh"
    title = beside(section.product.title) if zh else section.product.title
    if section.part > 0:
        return f"继续说{title}。" if zh else f"More about {title}."
    if section.place == 0:
        return f"先来看{title}。" if zh and section.products > 1 else (f"我们来看{title}。" if zh else f"Let us look at {title}.")
    if section.place == section.products - 1:
        return f"最后来看{title}。" if zh else f"Last but not least, {title}."
    return f"接下来看{title}。" if zh else f"Next up, {title}."


def told_price(product: Product, language: Language) -> str:
    price = format_price(product.price, language)
    return f"价格是{price}。" if language == "zh" else f"The price is {price}."


def sold_out(language: Language) -> str:
    return "这款目前售罄，喜欢的朋友可以先收藏。" if language == "zh" else "It is sold out right now; save it for later if you like it."


def phrases_of(kind: SegmentKind, language: Language) -> tuple[str, ...]:
    """What a segment of a kind may be filled up with."""
    return _PHRASES[language][kind]


def in_a_word(product: Product, language: Language, *, with_price: bool) -> str:
    """Name and price, where there is time for no more."""
    price = format_price(product.price, language) if with_price else ""
    return closed(f"{product.title}，{price}" if language == "zh" else f"{product.title}, {price}", language)


def asked_and_answered(question: str, answer: str, language: Language) -> str:
    """A stored question with its answer, as a host passes it on."""
    question = question.strip().rstrip("?？。.!！")
    return (
        f"有朋友问，{question}？{closed(answer, language)}" if language == "zh" else f"People ask: {question}? {closed(answer, language)}"
    )


def _welcome(section: Section, language: Language) -> str:
    """The longer welcome where there is time for it."""
    count, title = section.products, section.product.title
    if language == "zh":
        title, blank = beside(title), " " if title[-1:].isascii() and title[-1:].isalnum() else ""
        long, short = "大家好，欢迎来到直播间，今天", "大家好，今天"
        rest = f"一共有{count}款商品，从{title}{blank}说起。" if count > 1 else f"为大家介绍{title}。"
    else:
        long, short = "Hello and welcome! ", "Hello! "
        rest = f"There are {count} products today, beginning with {title}." if count > 1 else f"Today we look at {title}."
    return (long if spoken_s(long + rest, language) <= section.seconds else short) + rest
