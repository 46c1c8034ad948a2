"""A stored question agrees with one that asks the same, in other words too."""

import pytest

from graphs.answering.agreement import agreement
from graphs.reading.question import read_question
from models.types import Passage


def _agreement(question: str, stored: str, score: float, relevance: float | None, answer: str = "") -> float:
    passage = Passage("d", "qa", answer, score, question=stored, answer=answer, relevance=relevance)
    return agreement(read_question(question, ()), passage, ())


@pytest.mark.parametrize(
    ("question", "stored", "score", "relevance"),
    [
        ("怎么付款", "支持哪些付款方式？", 0.39, 0.21),
        ("眼线笔怎么卸", "眼线笔用什么卸？", 0.68, 0.75),
        ("how do I pay", "Which payment methods do you accept?", 0.28, 0.33),
        ("when will I be refunded", "When do I get my refund?", 0.85, 0.91),
    ],
)
def test_paraphrases_agree(question: str, stored: str, score: float, relevance: float) -> None:
    assert _agreement(question, stored, score, relevance) >= 0.6


@pytest.mark.parametrize(
    ("question", "stored", "score", "relevance"),
    [
        ("怎么用", "怎么联系人工客服？", 0.49, 0.08),
        ("怎么用", "优惠券怎么领，能叠加吗？", 0.46, 0.73),
        ("怎么联系主播", "怎么联系人工客服？", 0.66, 0.44),
        ("how do I pay", "Who pays for the return?", 0.13, 0.1),
        ("when is the next live", "When will my order ship?", 0.47, 0.49),
    ],
)
def test_questions_alike_in_form_do_not(question: str, stored: str, score: float, relevance: float) -> None:
    assert _agreement(question, stored, score, relevance) < 0.6


def test_an_answer_that_says_the_words_asked_agrees() -> None:
    assert _agreement("沾杯吗", "喝水会掉吗？", 0.19, 0.07, "成膜以后不沾杯。") == 1.0


def test_without_a_re_ranker_the_vectors_decide() -> None:
    assert _agreement("can it be resoled", "Can the shoes be resoled?", 0.9, None) > 0.8


def test_where_both_ask_for_something_by_name_a_sure_re_ranker_counts_for_nothing() -> None:
    invoice, answer = "可以开发票吗？", "可以，下单时勾选电子发票，发货后 24 小时内发到邮箱。"
    assert _agreement("发货要多久", invoice, 0.45, 0.8, answer) == 0.0
    assert _agreement("how soon do you ship", "How do I claim the warranty?", 0.4, 0.8, "We ship within one day.") == 0.0
