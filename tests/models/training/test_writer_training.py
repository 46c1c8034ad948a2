"""Training the writer: it starts able to copy, goes on where it stopped, and leaves a checkpoint that loads."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast, Qwen3ForCausalLM

from models.artifacts import MANIFEST, open_artifact
from models.training.writer import new_model, train
from models.training.writer_plan import Clock, Material, Plan
from models.training.writer_scores import answer_loss, held_out_batches
from models.training.writer_start import with_tokenizer
from models.training.writer_tokenizer import train_tokenizer

_PLAN = Plan(steps=2, tokens_per_step=256, layers=2, save_every=1, tokenizer_examples=200, held_out_examples=12, warmup=1)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(seed=1, example_count=200)


@pytest.fixture(scope="module")
def fresh(tokenizer: PreTrainedTokenizerFast) -> Qwen3ForCausalLM:
    torch.manual_seed(0)
    return new_model(_PLAN, tokenizer)


@torch.no_grad()
def test_a_fresh_model_repeats_what_it_has_seen_before(fresh: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    once = torch.randperm(len(tokenizer) - 3)[:50] + 3
    logits = fresh(torch.cat([once, once])[None]).logits[0]
    repeated = logits[50:99].argmax(-1) == once[1:]
    assert repeated.float().mean() > 0.8


def test_only_answers_count_in_the_loss(fresh: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    batch = held_out_batches(tokenizer, count=12, seed=1)["refusal"]
    loss, logits, labels = answer_loss(fresh, batch)
    assert len(logits) == len(labels) == int((batch.labels >= 0).sum())
    assert float(loss) > 0


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    train(folder / "out", state_folder=folder / "state", plan=_PLAN)
    return folder / "out"


def test_an_interrupted_run_goes_on_and_ends_like_an_uninterrupted_one(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "out", state_folder=tmp_path / "state", plan=_PLAN, on_save=_interrupt)
    train(tmp_path / "out", state_folder=tmp_path / "state", plan=_PLAN)
    whole, resumed = (AutoModelForCausalLM.from_pretrained(folder) for folder in (trained, tmp_path / "out"))
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def _interrupt(step: int) -> None:
    raise KeyboardInterrupt(f"after step {step}")


def test_a_run_can_start_from_the_weights_and_the_tokenizer_of_another(trained: Path, tmp_path: Path) -> None:
    plan = replace(_PLAN, steps=1, learning_rate=0.0)
    train(tmp_path / "out", state_folder=tmp_path / "state", plan=plan, material=Material(start=trained))
    before, after = (AutoModelForCausalLM.from_pretrained(folder) for folder in (trained, tmp_path / "out"))
    assert all(torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters(), strict=True))
    assert (trained / "tokenizer.json").read_bytes() == (tmp_path / "out" / "tokenizer.json").read_bytes()
    manifest = json.loads((tmp_path / "out" / MANIFEST).read_text())
    assert "--start" in manifest["command"]
    assert manifest["data"]["tokens"] > 0


def test_a_new_tokenizer_keeps_what_the_old_one_knew(fresh: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    other = train_tokenizer(seed=2, example_count=400)
    before = fresh.get_input_embeddings().weight.detach().clone()
    model = copy.deepcopy(fresh)
    with_tokenizer(model, tokenizer, other)
    after = model.get_input_embeddings().weight
    assert len(after) >= len(other)
    for text in ("<|im_end|>", "1", "a"):
        assert torch.allclose(after[other.convert_tokens_to_ids(text)], before[tokenizer.convert_tokens_to_ids(text)], atol=1e-6)


def test_the_rate_falls_to_nothing_by_the_last_minute() -> None:
    now_s = [0.0]
    plan = Plan(steps=1000, max_minutes=10, warmup=1, learning_rate=1.0, decay=0.5)
    clock = Clock(plan, now_s=lambda: now_s[0])
    assert clock.learning_rate(0) == 1.0
    now_s[0] = 450.0
    assert clock.learning_rate(1) == pytest.approx(0.5)
    now_s[0] = 600.0
    assert clock.progress(2) == 1.0
    assert clock.learning_rate(2) == 0.0


def test_the_checkpoint_is_a_described_artifact_in_hub_format(trained: Path) -> None:
    folder = open_artifact(trained, kind="writer", schema=1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert model.dtype == torch.bfloat16
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id == tokenizer.convert_tokens_to_ids("<|im_end|>")
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": "hi"}], add_generation_prompt=True, tokenize=False, enable_thinking=False
    )
    assert asked == "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
