"""Conversations as batches of token ids: generated on the fly, sorted by length so that little is padding, the same for the same seed.

Copying comes first: a part of the rows are drills, conversations about facts of random tokens, in which nothing can be known by heart.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from models.training.corpus.examples import Message, converse, random_recipe
from models.training.corpus.given import Given, converse_given

CHUNK = 768  # conversations that are sorted together
_TURNS = 7  # questions about one product
_GIVEN = 0.1  # share of conversations about a file's questions, where there is one
IGNORED = -100
Row = tuple[list[int], list[int]]  # token ids and labels of one conversation


@dataclass(frozen=True, slots=True)
class Batch:
    token_ids: Tensor  # int64 (n, length), padded on the right
    labels: Tensor  # int64 (n, length): the next token where it belongs to an answer, else IGNORED


@dataclass(frozen=True, slots=True)
class Mixture:
    """What batches are made of."""

    tokens: int  # most token ids of a batch
    curriculum: int = 0  # chunks over which the facts per product grow from 2 to 5
    given: Sequence[Given] = ()  # questions of a file, besides the generated ones
    chunk_size: int = CHUNK


def batches(tokenizer: PreTrainedTokenizerFast, mixture: Mixture, *, seed: int) -> Iterator[Batch]:
    """Batches without end; the same for the same seed."""
    chunk = 0
    while True:
        rng = random.Random(f"{seed}/{chunk}")
        progress = min(1.0, chunk / mixture.curriculum) if mixture.curriculum else 1.0
        rows = [_row(tokenizer, progress, mixture.given, rng) for _ in range(mixture.chunk_size)]
        groups = _grouped(sorted(rows, key=lambda row: len(row[0])), mixture.tokens)
        rng.shuffle(groups)
        for group in groups:
            yield collate(group, tokenizer.pad_token_id)
        chunk += 1


def _row(tokenizer: PreTrainedTokenizerFast, progress: float, given: Sequence[Given], rng: random.Random) -> Row:
    max_facts = 2 + round(3 * progress)
    if given and rng.random() < _GIVEN:
        return encode(converse_given(given, rng), tokenizer)
    if rng.random() < 0.3 - 0.22 * progress:
        return drill(tokenizer, rng, max_facts=max_facts)
    return encode(converse(random_recipe(rng, max_facts=max_facts), rng, turns=_TURNS), tokenizer)


def drill(tokenizer: PreTrainedTokenizerFast, rng: random.Random, *, max_facts: int) -> Row:
    """A conversation in the shape of the real ones about `max_facts` facts of random tokens, the values often of few different ones."""
    parts = {name: tokenizer.encode(text, add_special_tokens=False) for name, text in _DRILL_PARTS.items()}
    chinese = rng.random() < 0.6
    any_token = range(3, len(tokenizer))
    few = any_token if rng.random() < 0.4 else rng.sample(any_token, rng.randint(4, 24))
    facts = [(_random_tokens(any_token, rng, 3), _random_tokens(few, rng, 14)) for _ in range(rng.randint(1, max_facts))]
    token_ids = [*parts["user"], *parts["facts"]]
    for name, value in facts:
        token_ids += [*parts["item"], *name, *parts["zh_colon" if chinese else "en_colon"], *value]
    labels = [IGNORED] * len(token_ids)
    for turn, (name, value) in enumerate(rng.sample(facts, len(facts))):
        asked = [*parts["user" if turn else "line"], *parts["zh_ask" if chinese else "en_ask"], *name, *parts["turn"]]
        answer = (
            [*name, *parts["zh_is"], *value, *parts["zh_stop"]]
            if chinese
            else [*parts["en_the"], *name, *parts["en_is"], *value, *parts["en_stop"]]
        )
        token_ids += asked + answer + parts["line"]
        labels += [IGNORED] * len(asked) + answer + [IGNORED] * len(parts["line"])
    return token_ids, [*labels[1:], IGNORED]


_DRILL_PARTS = {
    "user": "<|im_start|>user\n",
    "facts": "资料：",
    "item": "\n- ",
    "zh_colon": "：",
    "en_colon": ":",
    "line": "\n",
    "zh_ask": "问：",
    "en_ask": "Question: what is the",
    "turn": "<|im_end|>\n<|im_start|>assistant\n",
    "zh_is": "是",
    "zh_stop": "。<|im_end|>",
    "en_the": "The",
    "en_is": " is",
    "en_stop": ".<|im_end|>",
}


def _random_tokens(pool: Sequence[int], rng: random.Random, most: int) -> list[int]:
    return rng.choices(pool, k=rng.randint(1, most))


def encode(messages: tuple[Message, ...], tokenizer: PreTrainedTokenizerFast) -> Row:
    """Token ids of the rendered conversation and labels that hold the answers with their end of turn."""
    token_ids: list[int] = []
    labels: list[int] = []
    for role, text in messages:
        opening: list[int] = tokenizer.encode(f"<|im_start|>{role}\n", add_special_tokens=False)
        content: list[int] = tokenizer.encode(f"{text}<|im_end|>", add_special_tokens=False)
        ending: list[int] = tokenizer.encode("\n", add_special_tokens=False)
        token_ids += opening + content + ending
        answered = content if role == "assistant" else [IGNORED] * len(content)
        labels += [IGNORED] * len(opening) + answered + [IGNORED] * len(ending)
    return token_ids, [*labels[1:], IGNORED]


def collate(rows: list[Row], pad: int) -> Batch:
    """The rows padded to the longest."""
    length = max(len(token_ids) for token_ids, _ in rows)
    padded = [(token_ids + [pad] * (length - len(token_ids)), labels + [IGNORED] * (length - len(labels))) for token_ids, labels in rows]
    return Batch(torch.tensor([row[0] for row in padded]), torch.tensor([row[1] for row in padded]))


def _grouped(rows: list[Row], tokens: int) -> list[list[Row]]:
    groups: list[list[Row]] = [[]]
    for row in rows:
        if groups[-1] and (len(groups[-1]) + 1) * len(row[0]) > tokens:
            groups.append([])
        groups[-1].append(row)
    return groups
