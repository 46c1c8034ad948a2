"""What kind of comment this is: whether it may ask something, holds a word to answer by, complains, and in which language it is."""

from graphs.answering.phrases import SMALL_TALK, is_after_sales, small_talk, to_customer_service
from graphs.answering.speaking import Said
from graphs.checking.support import content_of, is_question
from graphs.reading.asking import asked_concepts
from graphs.reading.characters import CJK
from graphs.reading.neutral import wording
from graphs.reading.slots import detect_language
from models.types import Label, Language, Product, Room

SURE_INTENT = 0.5  # probability from which on an intent is believed


def is_open(question: str, intent: Label) -> bool:
    """Whether a comment may ask for something whatever its intent: it is worded as a question, or the intent is a guess.

    >>> is_open("请问材质", Label("praise", 0.9)), is_open("材质真好", Label("praise", 0.9)), is_open("材质", Label("praise", 0.3))
    (True, False, True)
    """
    return intent.score < SURE_INTENT or (is_question(question) and intent.label in SMALL_TALK)


def is_wordless(question: str) -> bool:
    """Whether a comment holds no word to find or to write an answer by.

    >>> is_wordless("？？"), is_wordless("3"), is_wordless("is it?"), is_wordless("防水")
    (True, True, True, False)
    """
    if asked_concepts(question):
        return False
    words = any(c.isalpha() for word in content_of(question) for c in word)
    return not words and not set(CJK.findall(question)) - wording().function_characters


def politely(question: str, intent: Label, language: Language) -> str | None:
    """What is said to a comment that asks nothing."""
    return None if is_question(question) else small_talk(intent.label, language)


def after_sales(question: str, language: Language) -> Said | None:
    """The sentence for a complaint after the sale, which declines it and notes it; None for any other comment."""
    return Said(to_customer_service(language), "none", abstained=True) if is_after_sales(question) else None


def language_of(question: str, product: Product | None, room: Room | None) -> Language:
    """The language of a question; of one without letters that of the product it is about, else of the room.

    >>> language_of("?", None, None), language_of("how much", None, None)
    ('zh', 'en')
    """
    if any(c.isalpha() for c in question):
        return detect_language(question)
    return detect_language(product.title if product else room.title if room else question)
