"""Laws of the generated corpus and of the batches made of it."""

import json
import random
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # its stubs are a package of their own
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from models.demo.catalog import paraphrased_questions, unanswerable_questions
from models.prompts import (
    COPY_CHANNELS,
    MAX_PASSAGES,
    MAX_SENTENCES,
    PRICE_MARK,
    REFUSALS,
    SENTENCES_SCHEMA,
    is_refusal,
    ungrounded_numbers,
    written_sentences,
)
from models.training.corpus.examples import WRITTEN, Example, Kind, Message, Recipe, converse, make, random_recipe
from models.training.corpus.given import Given, converse_given, read_given
from models.training.corpus.lexicon import load_lexicon
from models.training.writer_batches import IGNORED, Mixture, batches, drill, encode
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
    told = "".join(written_sentences(example.answer)) if example.kind in WRITTEN else example.answer
    assert all(value in facts and value in told for value in example.values)


@given(_SEEDS, st.sampled_from(sorted(WRITTEN)), st.sampled_from(["zh", "en"]))
def test_scripts_and_copy_are_json_that_fits_the_schema_and_never_name_a_price(seed: int, kind: Kind, language: Language) -> None:
    example = make(Recipe(kind, language, max_facts=5, held_out=False), random.Random(seed))
    written = json.loads(example.answer)
    jsonschema.validate(written, json.loads(SENTENCES_SCHEMA))
    assert example.answer == json.dumps(written, ensure_ascii=False, separators=(",", ":"))
    assert example.prompt.json_schema == SENTENCES_SCHEMA
    assert 1 <= len(written["sentences"]) <= MAX_SENTENCES
    said = "".join(written["sentences"])
    assert "{" not in said.replace(PRICE_MARK, "")
    assert PRICE_MARK not in said or PRICE_MARK in example.prompt.messages[1][1]
    price_lines = [line for line in example.prompt.messages[1][1].splitlines() if line.startswith(("- 价格", "- price"))]
    assert all(PRICE_MARK in line for line in price_lines)


@pytest.mark.parametrize("channel", COPY_CHANNELS)
def test_every_channel_of_copy_is_in_the_corpus(channel: str) -> None:
    label = {"title": "标题", "description": "详情", "ad": "广告语"}[channel]
    made = (make(Recipe("copy", "zh", 5, held_out=False), random.Random(seed)) for seed in range(60))
    assert any(example.prompt.messages[1][1].endswith(label) for example in made)


@given(_SEEDS)
def test_a_question_without_an_answer_is_not_answered_by_a_shown_specification(seed: int) -> None:
    example = _example(seed)
    if example.kind == "refusal":
        *facts, question = example.prompt.messages[1][1].splitlines()
        names = {line.removeprefix("- ").split("：")[0] for line in facts if "：" in line and line.startswith("- ")}
        assert not any(name in question for name in names if len(name) > 3)


@given(_SEEDS)
def test_the_same_seed_gives_the_same_example(seed: int) -> None:
    assert _example(seed) == _example(seed)


def is_written(messages: tuple[Message, ...]) -> bool:
    """Scripts and copy show all the facts that have room."""
    return bool(written_sentences(messages[-1][1]))


@given(_SEEDS)
def test_a_conversation_alternates_and_shows_the_facts_once(seed: int) -> None:
    rng = random.Random(seed)
    messages = converse(random_recipe(rng), rng, turns=4)
    assert [role for role, _ in messages] == ["system", *["user", "assistant"] * (len(messages) // 2)]
    assert all("\n- " not in text for _, text in messages[2:])
    assert messages[1][1].count("\n- ") <= MAX_PASSAGES or is_written(messages)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_held_out_families_share_no_product_with_training(language: Language) -> None:
    words = load_lexicon(language)
    trained = {noun for family in words.families for noun in family.nouns}
    assert trained.isdisjoint(noun for family in words.held_out_families for noun in family.nouns)
    trained_names = {name for spec in words.specs for name in spec.names}
    assert trained_names.isdisjoint(name for spec in words.held_out_specs for name in spec.names)


@given(_SEEDS)
def test_held_out_families_are_in_no_training_conversation(seed: int) -> None:
    rng = random.Random(seed)
    recipe = random_recipe(rng)
    words = load_lexicon(recipe.language)
    titles = "".join(text for _, text in converse(recipe, rng, turns=3)).splitlines()[1]
    assert not any(noun in titles for family in words.held_out_families for noun in family.nouns)


def test_the_questions_that_the_demo_is_measured_with_are_not_trained_on() -> None:
    measured = {*paraphrased_questions(), *(open_question.question.rstrip("？?") for open_question in unanswerable_questions())}
    for language in ("zh", "en"):
        words = load_lexicon(language)
        asked = [question for spec in words.specs for question in spec.questions]
        asked += [question for topic in words.topics for question in topic.questions]
        assert measured.isdisjoint((*asked, *words.off_topic))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_rivals_and_likenesses_name_specifications_that_exist(language: Language) -> None:
    words = load_lexicon(language)
    keys = {spec.key for spec in words.specs}
    assert all(group <= keys for group in words.rivals)
    assert all(keys.issuperset(topic.like) for topic in words.topics)


def test_a_file_of_questions_is_shown_with_its_facts_or_declined(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    rows = [
        ("does it fold?", ["it folds flat."], "it folds flat."),
        ("is it red?", ["40 cm tall."], None),
        ("几岁能玩", ["3岁以上。"], "3岁以上。"),
    ]
    file.write_text("".join(json.dumps({"question": q, "facts": f, "answer": a}) + "\n" for q, f, a in rows), encoding="utf-8")
    given_rows = read_given(file)
    assert [row.language for row in given_rows] == ["en", "en", "zh"]
    for seed in range(50):
        *prompt, (_, answer) = converse_given(given_rows, random.Random(seed))
        assert is_refusal(answer) or answer in prompt[1][1]


@pytest.mark.parametrize("line", ["{}", "no json", '{"question": "a", "facts": [1], "answer": null}'])
def test_a_file_of_questions_names_the_line_that_is_none(tmp_path: Path, line: str) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text('{"question": "a", "facts": ["b"], "answer": "b"}\n' + line, encoding="utf-8")
    with pytest.raises(ValueError, match=r"mine\.jsonl:2"):
        read_given(file)


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
    mixture = Mixture(tokens=1024, curriculum=2, given=(Given("is it red?", ("red",), "red."),), chunk_size=40)
    first, again = next(batches(tokenizer, mixture, seed=5)), next(batches(tokenizer, mixture, seed=5))
    assert first.token_ids.equal(again.token_ids)
    assert first.labels.equal(again.labels)
    assert first.token_ids.numel() <= 1024


@given(_SEEDS)
@settings(max_examples=20)
def test_a_drill_asks_only_for_what_its_facts_hold(tokenizer: PreTrainedTokenizerFast, seed: int) -> None:
    token_ids, labels = drill(tokenizer, random.Random(seed), max_facts=3)
    assert len(token_ids) == len(labels)
    assert labels.count(tokenizer.eos_token_id) >= 1
