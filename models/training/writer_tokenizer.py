"""A small byte-level BPE in which digits and Chinese characters stand alone, so that values are copied token by token."""

import random
from collections.abc import Iterator, Sequence

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from models.training.corpus.examples import converse, random_recipe
from models.training.corpus.given import Given

PAD, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
VOCABULARY_SIZE = 6144
_GIVEN_WEIGHT = 4  # a file has few texts beside the generated ones, and more words
_PIECES = r"\p{Han}|\p{N}| ?(?:(?!\p{Han})[\p{L}\p{M}])+|[^\s\p{L}\p{N}]|\s"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def train_tokenizer(
    *, seed: int, given: Sequence[Given] = (), example_count: int = 20_000, context_length: int = 2048
) -> PreTrainedTokenizerFast:
    """Learn the merges from generated conversations and from what is `given`; the same seed gives the same tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(_PIECES), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    specials = [AddedToken(token, normalized=False, special=True) for token in (PAD, TURN_START, TURN_END)]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE, min_frequency=30, special_tokens=specials, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer.train_from_iterator(_texts(seed, example_count, given), trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=TURN_END, pad_token=PAD, model_max_length=context_length, clean_up_tokenization_spaces=False
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def _texts(seed: int, count: int, given: Sequence[Given]) -> Iterator[str]:
    for row in given:
        yield from [" ".join((row.question, *row.facts))] * _GIVEN_WEIGHT
    rng = random.Random(seed)
    for _ in range(count):
        yield "\n".join(text for _, text in converse(random_recipe(rng), rng, turns=3))
