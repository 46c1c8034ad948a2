"""How well a writer answers about products that it never saw: values copied, questions declined, numbers grounded."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence

from models.language.writer import Writer
from models.prompts import is_refusal, ungrounded_numbers
from models.training.corpus.examples import Example, make, random_recipe


def held_out_examples(*, count: int, seed: int) -> list[Example]:
    """Examples about the product families and specifications that training leaves out."""
    rng = random.Random(f"evaluate answers {seed}")
    return [make(random_recipe(rng, held_out=True), rng) for _ in range(count)]


def score_answers(examples: Sequence[Example], written: Sequence[str]) -> dict[str, float]:
    """Shares between 0 and 1 for texts written to `examples`, in the same order.

    `value_copied`: answers that hold all values asked for; `exact`: answers equal to the reference; `abstained`: unanswerable
    questions that were declined; `wrongly_abstained`: answerable ones that were declined; `numbers_grounded`: texts in which every
    number stands in the prompt; `script_values_told`: script segments that hold the values of their reference.
    """
    pairs = list(zip(examples, written, strict=True))
    answerable = [(example, text) for example, text in pairs if example.kind not in {"refusal", "script"}]
    absent = [(example, text) for example, text in pairs if example.kind == "refusal"]
    scripts = [(example, text) for example, text in pairs if example.kind == "script" and example.values]
    return {
        "value_copied": _share(answerable, _holds_values),
        "exact": _share(answerable, lambda example, text: text == example.answer),
        "abstained": _share(absent, lambda _, text: is_refusal(text)),
        "wrongly_abstained": _share(answerable, lambda _, text: is_refusal(text)),
        "numbers_grounded": _share(pairs, _numbers_grounded),
        "script_values_told": _share(scripts, _holds_values),
    }


def score_by_kind(examples: Sequence[Example], written: Sequence[str]) -> dict[str, float]:
    """Share of texts that hold their values (for refusals: that decline), for each language and kind, such as `zh_spec`."""
    pairs = list(zip(examples, written, strict=True))
    names = sorted({(example.language, example.kind) for example in examples})
    return {
        f"{language}_{kind}": _share(
            [(example, text) for example, text in pairs if (example.language, example.kind) == (language, kind)],
            (lambda _, text: is_refusal(text)) if kind == "refusal" else _holds_values,
        )
        for language, kind in names
    }


async def evaluate_writer(writer: Writer, *, count: int = 600, seed: int = 1, concurrency: int = 32) -> dict[str, float]:
    """Scores of a running writer on held-out examples, and the tokens it wrote a second with `concurrency` requests at a time."""
    examples = held_out_examples(count=count, seed=seed)
    slots = asyncio.Semaphore(concurrency)
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_written(writer, example, slots)) for example in examples]
    took_s = time.perf_counter() - started
    texts = [task.result()[0] for task in tasks]
    tokens_per_s = sum(task.result()[1] for task in tasks) / took_s
    return {**score_answers(examples, texts), **score_by_kind(examples, texts), "tokens_per_s": tokens_per_s}


async def _written(writer: Writer, example: Example, slots: asyncio.Semaphore) -> tuple[str, int]:
    async with slots:
        deltas = [delta async for delta in writer.write(example.prompt)]
    return "".join(delta.text for delta in deltas), sum(delta.token_count for delta in deltas)


def _holds_values(example: Example, text: str) -> bool:
    return all(value in text for value in example.values)


def _numbers_grounded(example: Example, text: str) -> bool:
    return not ungrounded_numbers(text, [content for _, content in example.prompt.messages])


def _share(pairs: Sequence[tuple[Example, str]], holds: Callable[[Example, str], bool]) -> float:
    return sum(holds(example, text) for example, text in pairs) / max(1, len(pairs))
