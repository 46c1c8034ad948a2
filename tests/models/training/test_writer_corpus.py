"""Laws of the generated corpus and of the batches made of it."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from models.prompts import MAX_PASSAGES, REFUSALS, is_refusal, ungrounded_numbers
from models.training.corpus.examples import Example, Message, converse, make, random_recipe
from models.training.corpus.lexicon import load_lexicon
from models.training.writer_batches import IGNORED, batches, drill, encode
from models.training.writer_tokenizer import train_tokenizer
from models.types import Language

_SEEDS = st.integers(0, 10_000)


def _example(seed: int, *, held_out: bool = False) -> Example:
    rng = random.Random(seed)
    return make(random_recipe(rng, held_out=held_out), rng)


@given(_SEEDS, st.booleans())
def test_every_number_in_an_answer_stands_in_its_prompt(seed: int, held_out: bool) -> None:
    example = _example(seed, held_out=held_out)
    assert ungrounded_numbers(example.answer, [text for _, text in example.prompt.messages]) == ()


@given(_SEEDS, st.booleans())
def test_an_answer_declines_exactly_where_the_facts_are_silent(seed: int, held_out: bool) -> None:
    example = _example(seed, held_out=held_out)
    facts = example.prompt.messages[1][1]
    assert is_refusal(example.answer) == (example.kind == "refusal")
    assert all(value in facts and value in example.answer for value in example.values)


@given(_SEEDS)
def test_a_question_without_an_answer_is_not_answered_by_a_shown_specification(seed: int) -> None:
    example = _example(seed)
    if example.kind == "refusal":
        *facts, question = example.prompt.messages[1][1].splitlines()
        names = {line.removeprefix("- ").split("：")[0] for line in facts if "：" in line and line.startswith("- ")}
        assert not any(name in question for name in names if len(name) > 2)


@given(_SEEDS)
def test_the_same_seed_gives_the_same_example(seed: int) -> None:
    assert _example(seed) == _example(seed)


@given(_SEEDS)
def test_a_conversation_alternates_and_shows_the_facts_once(seed: int) -> None:
    rng = random.Random(seed)
    messages = converse(random_recipe(rng), rng, turns=4)
    assert [role for role, _ in messages] == ["system", *["user", "assistant"] * (len(messages) // 2)]
    assert sum(text.count("\n- ") > 0 for _, text in messages) == 1
    assert messages[1][1].count("\n- ") <= MAX_PASSAGES + 1


@pytest.mark.parametrize("language", ["zh", "en"])
def test_held_out_families_share_no_product_with_training(language: Language) -> None:
    words = load_lexicon(language)
    trained = {noun for family in words.families for noun in family.nouns}
    assert trained.isdisjoint(noun for family in words.held_out_families for noun in family.nouns)
    assert {spec.name for spec in words.specs}.isdisjoint(spec.name for spec in words.held_out_specs)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(seed=1, example_count=300)


@given(st.text(max_size=60))
@settings(max_examples=50)
def test_the_tokenizer_gives_any_text_back(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    token_ids = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.decode(token_ids, skip_special_tokens=False) == text


def test_digits_and_chinese_characters_are_tokens_of_their_own(tokenizer: PreTrainedTokenizerFast) -> None:
    pieces = [tokenizer.decode([token]) for token in tokenizer.encode("容量500ml", add_special_tokens=False)]
    assert [piece for piece in pieces if piece.isdigit()] == ["5", "0", "0"]
    assert tokenizer.encode("容量", add_special_tokens=False) == tokenizer.encode("容") + tokenizer.encode("量")


def test_labels_hold_the_answers_and_nothing_else(tokenizer: PreTrainedTokenizerFast) -> None:
    messages: tuple[Message, ...] = (
        ("user", "问：产地"),
        ("assistant", REFUSALS["zh"]),
        ("user", "问：容量"),
        ("assistant", "容量是5毫升。"),
    )
    token_ids, labels = encode(messages, tokenizer)
    assert tokenizer.decode([label for label in labels if label != IGNORED]) == f"{REFUSALS['zh']}<|im_end|>容量是5毫升。<|im_end|>"
    assert len(token_ids) == len(labels)
    assert all(label in (IGNORED, following) for label, following in zip(labels, [*token_ids[1:], IGNORED], strict=True))


def test_training_renders_conversations_like_the_chat_template(tokenizer: PreTrainedTokenizerFast) -> None:
    rng = random.Random(3)
    messages = converse(random_recipe(rng), rng, turns=2)
    rendered = tokenizer.apply_chat_template([{"role": role, "content": text} for role, text in messages], tokenize=False)
    assert tokenizer.decode(encode(messages, tokenizer)[0]) == rendered


def test_batches_repeat_with_the_seed_and_stay_under_their_size(tokenizer: PreTrainedTokenizerFast) -> None:
    first = next(batches(tokenizer, seed=5, tokens=1024, curriculum=2, chunk_size=40))
    again = next(batches(tokenizer, seed=5, tokens=1024, curriculum=2, chunk_size=40))
    assert first.token_ids.equal(again.token_ids)
    assert first.labels.equal(again.labels)
    assert first.token_ids.numel() <= 1024


@given(_SEEDS)
@settings(max_examples=20)
def test_a_drill_asks_only_for_what_its_facts_hold(tokenizer: PreTrainedTokenizerFast, seed: int) -> None:
    token_ids, labels = drill(tokenizer, random.Random(seed), max_facts=3)
    assert len(token_ids) == len(labels)
    assert labels.count(tokenizer.eos_token_id) >= 1
