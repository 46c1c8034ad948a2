"""Scores of a writer: what counts as right, and examples that training never shows."""

import json

import pytest

from models.demo.catalog import paraphrased_questions, unanswerable_questions
from models.evaluation.answers import demo_examples, held_out_examples, is_right, score_answers, score_by_kind
from models.prompts import PRICE_FACTS, REFUSALS, copy_prompt, is_refusal
from models.training.corpus.examples import Example


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return held_out_examples(count=150, seed=3)


def test_the_reference_answers_score_full_marks(examples: list[Example]) -> None:
    scores = score_answers(examples, [example.answer for example in examples])
    assert scores.pop("wrongly_abstained") == 0
    assert scores == dict.fromkeys(scores, 1.0)
    assert set(score_by_kind(examples, [example.answer for example in examples]).values()) == {1.0}


def test_declining_everything_is_right_only_where_nothing_is_known(examples: list[Example]) -> None:
    scores = score_answers(examples, [REFUSALS[example.language] for example in examples])
    assert scores["abstained"] == scores["wrongly_abstained"] == 1
    assert scores["value_copied"] == scores["sentences_usable"] == 0


@pytest.mark.parametrize(
    ("said", "usable"),
    [
        ("Its price is {price}.", 1.0),
        ("Its price is 12 dollars.", 0.0),  # a number that no fact holds
        ("Its price is {cost}.", 0.0),
        ("Its price is", 0.0),
    ],
)
def test_a_sentence_is_usable_when_it_is_whole_and_grounded(said: str, usable: float) -> None:
    prompt = copy_prompt("ad", "Vel lamp", [PRICE_FACTS["en"]], "en")
    example = Example("copy", "en", prompt, "", ())
    assert score_answers([example], [json.dumps({"sentences": [said]})])["sentences_usable"] == usable
    assert score_answers([example], [said])["sentences_usable"] == 0  # no JSON


def test_the_demo_shop_is_asked_in_other_words_with_the_answer_in_sight() -> None:
    examples = demo_examples()
    assert len(examples) == len(paraphrased_questions()) + len(unanswerable_questions())
    for example in examples:
        assert is_right(example, example.answer)
        assert is_refusal(example.answer) == (example.kind == "refusal")
        assert all(value in example.prompt.messages[1][1] for value in example.values)
