"""Starting weights: those of a writer under a new tokenizer, or fresh ones that can copy already.

The fresh ones have attention heads for "what came before" and "what followed last time". Heads of this kind are what a small
transformer must find before it can quote its prompt (induction heads, Olsson et al. 2022); set up by hand they save the first part
of the training. Nothing is frozen: training changes them like every other weight.
"""

import math

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM
from transformers.models.qwen3.modeling_qwen3 import Qwen3DecoderLayer

_CODE, _BACK_2, _BACK_1 = slice(64, 128), slice(128, 192), slice(192, 256)  # dimensions: the token, the one two back, the one before
_SPREAD = 0.1  # standard deviation of the embedding
_SHARPNESS = 3.0  # of the attention of these heads
_NEAR = range(6)  # rotary pairs that turn fast: they tell neighbours apart
_FAR = range(20, 32)  # rotary pairs that hardly turn: they compare content at any distance


@torch.no_grad()
def with_tokenizer(model: Qwen3ForCausalLM, old: PreTrainedTokenizerFast, new: PreTrainedTokenizerFast) -> None:
    """Give `model` the vocabulary of `new`, rounded up to a multiple of 64: each token begins as a blend of what it was in `old`.

    Both are byte-level BPE. The blend weighs the first pieces most, so that two orders of the same pieces differ.
    """
    before: Tensor = model.get_input_embeddings().weight.clone()
    mean = before.mean(0)
    rows = mean.repeat(math.ceil(len(new) / 64) * 64, 1)
    for text, token_id in new.get_vocab().items():
        known = old.get_vocab().get(text)
        pieces = [known] if known is not None else [piece.id for piece in old.backend_tokenizer.model.tokenize(text)]
        weights = torch.tensor([0.7**place for place in range(len(pieces))])
        rows[token_id] += (weights[:, None] * (before[pieces] - mean)).sum(0) / weights.norm()
    model.resize_token_embeddings(len(rows), mean_resizing=False)
    model.get_input_embeddings().weight.copy_(rows)
    model.config.eos_token_id, model.config.pad_token_id = new.eos_token_id, new.pad_token_id


@torch.no_grad()
def prepare_copying(model: Qwen3ForCausalLM) -> None:
    """Set up heads 0 and 1 of layers 0 and 1.

    Needs a hidden size of at least 256, heads of 64 dimensions, as many key heads as query heads, and rotary base 10,000.
    """
    embedding: Tensor = model.get_input_embeddings().weight
    nn.init.normal_(embedding, std=_SPREAD)
    embedding[:, 0] = 4 * _SPREAD  # the same for every token: what position heads ask with
    embedding[:, _BACK_2.start : _BACK_1.stop] = 0
    first, second = model.model.layers[0], model.model.layers[1]
    for layer in (first, second):
        for matrix in (layer.self_attn.o_proj.weight, layer.mlp.down_proj.weight):
            matrix[_CODE.start : _BACK_1.stop] = 0  # no noise where the codes stand
    _attend_back(first, head=0, steps=1, target=_BACK_1)
    _attend_back(first, head=1, steps=2, target=_BACK_2)
    _attend_to_follower(second, head=0, now=[(_CODE, 12)], then=[(_BACK_1, 12)])
    _attend_to_follower(second, head=1, now=[(_CODE, 6), (_BACK_1, 6)], then=[(_BACK_1, 6), (_BACK_2, 6)])


def _attend_back(layer: Qwen3DecoderLayer, *, head: int, steps: int, target: slice) -> None:
    """The head copies the code of the token `steps` before into the dimensions `target`."""
    attention, rows = layer.self_attn, _head(head)
    query, key = attention.q_proj.weight[rows], attention.k_proj.weight[rows]
    query.zero_()
    key.zero_()
    for pair in _NEAR:
        angle = torch.tensor(steps * 10_000.0 ** (-pair / 32))
        query[pair, 0], query[pair + 32, 0] = angle.cos(), -angle.sin()
        key[pair, 0] = 1.0
        attention.q_norm.weight[[pair, pair + 32]] = _SHARPNESS
    _copy_code(layer, head, target, gain=_SPREAD)


def _attend_to_follower(layer: Qwen3DecoderLayer, *, head: int, now: list[tuple[slice, int]], then: list[tuple[slice, int]]) -> None:
    """The head looks where `then` equals what is `now`, and proposes the token that stands there."""
    attention, rows = layer.self_attn, _head(head)
    for weight, sources in ((attention.q_proj.weight[rows], now), (attention.k_proj.weight[rows], then)):
        weight.zero_()
        columns = [source.start + number for source, count in sources for number in range(2 * count)]
        dimensions = [pair + offset for pair in _FAR for offset in (0, 32)]
        weight[dimensions, columns] = 1.0
    attention.q_norm.weight[[pair + offset for pair in _FAR for offset in (0, 32)]] = _SHARPNESS
    _copy_code(layer, head, _CODE, gain=2 * _SPREAD)


def _copy_code(layer: Qwen3DecoderLayer, head: int, target: slice, *, gain: float) -> None:
    rows, each = _head(head), torch.arange(64)
    value, output = layer.self_attn.v_proj.weight[rows], layer.self_attn.o_proj.weight[:, rows]
    value.zero_()
    output.zero_()
    value[each, _CODE.start + each] = gain**0.5
    output[target.start + each, each] = gain**0.5


def _head(head: int) -> slice:
    return slice(64 * head, 64 * (head + 1))
