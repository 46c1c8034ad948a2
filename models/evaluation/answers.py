"""How well a writer answers about products that it never saw: values copied, questions declined, numbers grounded, scripts usable."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from models.demo.catalog import demo_documents, demo_products, paraphrased_questions, unanswerable_questions
from models.language.writer import Writer
from models.prompts import PRICE_MARK, REFUSALS, answer_prompt, is_refusal, ungrounded_numbers, written_sentences
from models.training.corpus.examples import WRITTEN, Example, make, random_recipe
from models.types import Document, Language, Passage, Product

_ENDINGS = ("。", "！", "？", ".", "!", "?")
_BESIDE = 3  # passages on other matters in a question about the demo shop


def held_out_examples(*, count: int, seed: int) -> list[Example]:
    """Examples about the product families and specifications that training leaves out."""
    rng = random.Random(f"evaluate answers {seed}")
    return [make(random_recipe(rng, held_out=True), rng) for _ in range(count)]


def demo_examples(*, seed: int = 1) -> list[Example]:
    """Questions in people's own words about the demo shop, of which training knows nothing: `topic` where a document answers
    between others on the same product, `refusal` where none does. A document's answer is what counts as the value."""
    rng = random.Random(f"demo {seed}")
    documents = {document.document_id: document for document in demo_documents()}
    products = {product.product_id: product for product in demo_products()}
    examples = []
    for question, document_id in paraphrased_questions().items():
        document = documents[document_id]
        product = products[document.product_id] if document.product_id is not None else None
        others = [passage for passage in _passages(product, documents.values()) if passage.source_id != document_id]
        shown = [_cited(document), *rng.sample(others, min(len(others), _BESIDE))]
        examples.append(_demo_example(question, document.language or "zh", product, shown, document.answer or "", rng))
    for asked in unanswerable_questions():
        product = products[asked.product_id] if asked.product_id is not None else None
        others = _passages(product, documents.values())
        examples.append(_demo_example(asked.question, asked.language, product, rng.sample(others, min(len(others), _BESIDE)), None, rng))
    return examples


def _demo_example(
    question: str, language: Language, product: Product | None, shown: list[Passage], answer: str | None, rng: random.Random
) -> Example:
    titles = [product.title] if product else []
    mixed = rng.sample(shown, len(shown))
    if answer is None:
        return Example("refusal", language, answer_prompt(question, mixed, titles, language), REFUSALS[language], ())
    value = answer.rstrip("。.")
    prompt = answer_prompt(question, mixed, titles, language)
    if value not in prompt.messages[1][1]:  # there was no room left for it
        prompt = answer_prompt(question, shown, titles, language)
    return Example("topic", language, prompt, answer, (value,))


def _passages(product: Product | None, documents: Iterable[Document]) -> list[Passage]:
    """What is known of a product, or of the shop."""
    texts = [_cited(document) for document in documents if document.product_id == (product.product_id if product else None)]
    specs = product.attributes.items() if product else ()
    return texts + [Passage(f"#{name}", "spec", f"{name}: {value}", 1.0) for name, value in specs]


def _cited(document: Document) -> Passage:
    return Passage(document.document_id, document.kind, document.text or "", 1.0, question=document.question, answer=document.answer)


def score_answers(examples: Sequence[Example], written: Sequence[str]) -> dict[str, float]:
    """Shares between 0 and 1 for texts written to `examples`, in the same order.

    `value_copied`: answers that hold all values asked for; `exact`: answers equal to the reference; `abstained`: unanswerable
    questions that were declined; `wrongly_abstained`: answerable ones that were declined; `numbers_grounded`: texts in which every
    number stands in the prompt; `sentences_usable`: sentences of scripts and copy that are whole, with grounded numbers and no mark
    but the price's where a price is known (text that is no JSON counts as one that is not); `written_values_told`: scripts and copy
    that hold the values of their reference.
    """
    pairs = list(zip(examples, written, strict=True))
    answerable = [(example, text) for example, text in pairs if example.kind not in {"refusal", "reply"} | WRITTEN]
    absent = [(example, text) for example, text in pairs if example.kind == "refusal"]
    texts = [(example, text) for example, text in pairs if example.kind in WRITTEN]
    sentences = [(example, sentence) for example, text in texts for sentence in written_sentences(text) or ("",)]
    return {
        "value_copied": _share(answerable, _holds_values),
        "exact": _share(answerable, lambda example, text: text == example.answer),
        "abstained": _share(absent, lambda _, text: is_refusal(text)),
        "wrongly_abstained": _share(answerable, lambda _, text: is_refusal(text)),
        "numbers_grounded": _share(pairs, _numbers_grounded),
        "sentences_usable": _share(sentences, _is_usable),
        "written_values_told": _share([(example, text) for example, text in texts if example.values], _holds_values),
    }


def score_by_kind(examples: Sequence[Example], written: Sequence[str]) -> dict[str, float]:
    """Share of texts that are right, for each language and kind, such as `zh_spec`.

    Right is what holds its values, declines where it has to, and does not decline a comment that asks nothing.
    """
    pairs = list(zip(examples, written, strict=True))
    names = sorted({(example.language, example.kind) for example in examples})
    return {
        f"{language}_{kind}": _share(
            [(example, text) for example, text in pairs if (example.language, example.kind) == (language, kind)], is_right
        )
        for language, kind in names
    }


def is_right(example: Example, text: str) -> bool:
    if example.kind == "refusal":
        return is_refusal(text)
    return _holds_values(example, text) and not is_refusal(text)


@dataclass(frozen=True, slots=True)
class Written:
    texts: tuple[str, ...]
    tokens_per_s: float


async def evaluate_writer(writer: Writer, *, count: int = 600, seed: int = 1, concurrency: int = 32) -> dict[str, float]:
    """Scores of a running writer on held-out examples and on the demo shop (`demo_...`), and the tokens it wrote a second."""
    examples, demo = held_out_examples(count=count, seed=seed), demo_examples()
    written = await write_all(writer, [*examples, *demo], concurrency=concurrency)
    texts, demo_texts = written.texts[: len(examples)], written.texts[len(examples) :]
    return {
        **score_answers(examples, texts),
        **score_by_kind(examples, texts),
        **{f"demo_{name}": share for name, share in score_by_kind(demo, demo_texts).items()},
        "tokens_per_s": written.tokens_per_s,
    }


async def write_all(writer: Writer, examples: Sequence[Example], *, concurrency: int = 32) -> Written:
    """What the writer says to every example, `concurrency` of them at a time."""
    slots = asyncio.Semaphore(concurrency)
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_written(writer, example, slots)) for example in examples]
    took_s = time.perf_counter() - started
    return Written(tuple(task.result()[0] for task in tasks), sum(task.result()[1] for task in tasks) / took_s)


async def _written(writer: Writer, example: Example, slots: asyncio.Semaphore) -> tuple[str, int]:
    async with slots:
        deltas = [delta async for delta in writer.write(example.prompt)]
    return "".join(delta.text for delta in deltas), sum(delta.token_count for delta in deltas)


def _holds_values(example: Example, text: str) -> bool:
    said = "".join(written_sentences(text)) if example.kind in WRITTEN else text
    return all(value in said for value in example.values)


def _numbers_grounded(example: Example, text: str) -> bool:
    return not ungrounded_numbers(text, [content for _, content in example.prompt.messages])


def _is_usable(example: Example, sentence: str) -> bool:
    marks_fit = "{" not in sentence.replace(PRICE_MARK, "") and (PRICE_MARK not in sentence or PRICE_MARK in example.prompt.messages[1][1])
    is_title = example.kind == "copy" and example.prompt.messages[1][1].endswith(("标题", "title"))
    return bool(sentence) and marks_fit and _numbers_grounded(example, sentence) and (is_title or sentence.endswith(_ENDINGS))


def _share(pairs: Sequence[tuple[Example, str]], holds: Callable[[Example, str], bool]) -> float:
    return sum(holds(example, text) for example, text in pairs) / max(1, len(pairs))
