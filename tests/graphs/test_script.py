import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from graphs.checking.verdicts import WriterEvent
from graphs.errors import NotFound, Unavailable
from graphs.fakes import FakeRetriever, FakeShop, FakeWriter
from graphs.flow import Run, StreamGraph
from graphs.hosting.segments import Segment
from graphs.ports import Writer
from graphs.reading.slots import detect_language
from graphs.script import ScriptNodes, ScriptReply, ScriptRequest, script_graph
from models.demo.catalog import demo_products
from models.prompts import PRICE_MARK, SENTENCES_SCHEMA
from models.types import Language, Money, Passage, Product, ProductId, Prompt, TextDelta
from tests.graphs.world import LAMP, MUG

KETTLE = Product(
    ProductId("sku-kettle"),
    "山岚电热水壶",
    "kitchen",
    Money(Decimal("149.00"), "CNY"),
    brand="山岚",
    attributes={"容量": "600 ml", "功率": "800 W", "材质": "304 不锈钢", "保修期": "1 年"},
    description="折起来只有八厘米高，出差随身带。",
    stock=3,
)
BARE = Product(ProductId("sku-bare"), "Bare box", "home", Money(Decimal("7.00"), "USD"))


def sentences(*texts: str) -> str:
    return json.dumps({"sentences": texts}, ensure_ascii=False)


def graph(
    writer: Writer, products: Sequence[Product] = (LAMP, MUG, KETTLE, BARE), known: tuple[Passage, ...] = ()
) -> StreamGraph[ScriptRequest, Segment, ScriptReply]:
    return script_graph(ScriptNodes(FakeShop(tuple(products)), FakeRetriever(known=known), writer))


async def script(writer: Writer, request: ScriptRequest, products: Sequence[Product] = (LAMP, MUG, KETTLE, BARE)) -> Run[ScriptReply]:
    return await graph(writer, products).run(request, budget_s=5)


def text_of(reply: ScriptReply) -> str:
    return "\n".join(segment.text for segment in reply.segments)


@dataclass
class EchoWriter:
    """Repeats its facts, as the trained writer does, a sentence each."""

    async def write(self, prompt: Prompt) -> AsyncGenerator[TextDelta, None]:
        facts = [line.removeprefix("- ") for line in prompt.messages[1][1].splitlines() if line.startswith("- ")]
        yield TextDelta(sentences(*facts), 1, "stop")


async def test_a_script_has_every_section_and_names_its_products() -> None:
    request = ScriptRequest((LAMP.product_id, MUG.product_id), "en", duration_s=60)
    reply = (await script(FakeWriter((sentences("The lamp uses 12 W."),)), request)).output
    kinds = [segment.kind for segment in reply.segments]
    assert (kinds[0], kinds[-1], kinds.count("product")) == ("opening", "closing", 2)
    products = [segment for segment in reply.segments if segment.product_id]
    assert [(s.kind, s.product_id) for s in products] == [("product", LAMP.product_id), ("product", MUG.product_id)]
    assert all(product.title in segment.text for product, segment in zip((LAMP, MUG), products, strict=True))
    assert products[1].text.startswith("Last but not least")
    assert reply.ai_generated
    assert LAMP.title in reply.summary


async def test_the_writer_is_asked_for_sentences_and_sees_no_price() -> None:
    writer = FakeWriter((sentences("Power: 12 W."),))
    await script(writer, ScriptRequest((LAMP.product_id,), "en", duration_s=60))
    assert {prompt.json_schema for prompt in writer.prompts} == {SENTENCES_SCHEMA}
    asked = "\n".join(prompt.messages[1][1] for prompt in writer.prompts)
    assert "49.9" not in asked
    assert PRICE_MARK in asked


@pytest.mark.parametrize(("language", "price"), [("en", "CNY 149"), ("zh", "149元")])
async def test_the_price_is_filled_from_the_store_and_told_once(language: Language, price: str) -> None:
    mark = sentences(f"现在价格是{PRICE_MARK}元，需要的可以拍。" if language == "zh" else f"The price is {PRICE_MARK} today.")
    run = await script(FakeWriter((mark,)), ScriptRequest((KETTLE.product_id,), language, duration_s=60))
    assert text_of(run.output).count(price) == 1
    assert PRICE_MARK not in text_of(run.output)
    assert "元元" not in text_of(run.output)


async def test_the_price_is_told_even_when_the_writer_leaves_it_out() -> None:
    for seconds in (15, 30, 60, 200):
        reply = (await script(EchoWriter(), ScriptRequest((LAMP.product_id,), "en", duration_s=seconds))).output
        assert text_of(reply).count("$49.90") == 1


async def test_figures_claims_and_prices_of_the_writers_own_are_left_out() -> None:
    own = sentences("Power: 12 W.", "It lasts 99 years.", "It is waterproof.", "It is only $5.", "Free shipping today.", "Save {price}!")
    text = text_of((await script(FakeWriter((own,)), ScriptRequest((LAMP.product_id,), "en"))).output)
    assert "12 W" in text
    assert not any(invented in text for invented in ("99", "waterproof", "$5", "shipping", "Save"))


async def test_an_unsupported_segment_is_drafted_once_more_then_replaced_by_facts() -> None:
    writer = FakeWriter((sentences("It has 99 lamps."), sentences("Power: 12 W.")))
    run = await script(writer, ScriptRequest((LAMP.product_id,), "en", duration_s=15))
    assert len(writer.prompts) == 2
    assert writer.prompts[1] != writer.prompts[0]
    assert not run.degraded
    never = FakeWriter((sentences("It has 99 lamps."),))
    run = await script(never, ScriptRequest((LAMP.product_id,), "en", duration_s=15))
    assert len(never.prompts) == 2
    assert run.degraded
    assert "12 W" in text_of(run.output)


@pytest.mark.parametrize(
    "broken",
    [
        '{"sentences": ["Power: 12 W.", "The mate',
        '{"sentences": ["Power: 12 W."',
        '```json\n{"sentences": ["Power: 12 W."]}\n```',
        '{"sentences": "Power: 12 W."}',
        '["Power: 12 W."]',
        "Power: 12 W. The mate",
        '{"sentences": ["Power: 12 W.", "\\ud800", 7, null]}',
    ],
)
async def test_whole_sentences_of_broken_json_are_kept(broken: str) -> None:
    run = await script(FakeWriter((broken,)), ScriptRequest((LAMP.product_id,), "en", duration_s=15))
    assert "Power: 12 W." in text_of(run.output)
    assert not run.degraded


@pytest.mark.parametrize("lost", ["{", "", "null", '{"sentences": []}', "is it is it is it is it", sentences("the the the the the the")])
async def test_a_writer_who_lost_its_way_is_replaced_by_facts(lost: str) -> None:
    run = await script(FakeWriter((lost,)), ScriptRequest((LAMP.product_id,), "en", duration_s=30))
    assert run.degraded
    assert "$49.90" in text_of(run.output)
    assert "the the" not in text_of(run.output)


async def test_a_broken_product_name_is_left_out() -> None:
    writer = FakeWriter((sentences("Welcome to the room.", "Today we look at Terrawall cups."),))
    reply = (await script(writer, ScriptRequest((MUG.product_id,), "en"))).output
    assert "Terrawall" not in text_of(reply)


async def test_a_mark_in_the_shops_own_text_becomes_no_price() -> None:
    trap = replace(
        KETTLE,
        product_id=ProductId("sku-trap"),
        title="山岚{price}水壶",
        description="退款{price}，编号{A-1}。",
        attributes={"容量": "600 ml", "说明": "只要｛ PRICE ｝"},
    )
    writer = EchoWriter()
    reply = (await script(writer, ScriptRequest((trap.product_id,), audience="{price}", duration_s=60), products=(trap,))).output
    assert text_of(reply).count("149元") == 1
    assert "退款149" not in text_of(reply)


async def test_other_braces_stay_as_they_are() -> None:
    coded = replace(LAMP, description="Order code {A-1} on the box.")
    reply = (await script(EchoWriter(), ScriptRequest((LAMP.product_id,), "en", duration_s=30), products=(coded,))).output
    assert "{A-1}" in text_of(reply)


async def test_without_the_writer_the_facts_are_told() -> None:
    run = await script(FakeWriter(failure=Unavailable("down")), ScriptRequest((LAMP.product_id,), "en", duration_s=30))
    assert run.degraded
    assert "$49.90" in text_of(run.output)
    assert "12 W" in text_of(run.output)


async def test_a_slow_writer_costs_no_more_than_the_deadline_and_what_it_said_counts() -> None:
    slow = FakeWriter((sentences("Power: 12 W.", *["Material: aluminium."] * 200),), delay_s=0.01)
    run = await graph(slow).run(ScriptRequest((LAMP.product_id,), "en", duration_s=15), budget_s=0.7)
    assert "Power: 12 W." in text_of(run.output)
    assert not run.degraded
    stuck = FakeWriter((sentences("Power: 12 W."),), delay_s=60.0)
    run = await graph(stuck).run(ScriptRequest((LAMP.product_id,), "en", duration_s=15), budget_s=0.5)
    assert run.degraded
    assert "$49.90" in text_of(run.output)


async def test_a_caller_who_leaves_ends_the_generation() -> None:
    writer = FakeWriter((sentences("Power: 12 W."),), delay_s=0.05)
    running = asyncio.create_task(graph(writer).run(ScriptRequest((LAMP.product_id,), "en"), budget_s=5))
    await asyncio.sleep(0.08)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert writer.aborted == len(writer.prompts) > 0


async def test_an_unknown_product_is_not_found() -> None:
    with pytest.raises(NotFound):
        await script(FakeWriter(), ScriptRequest((ProductId("nothing"),)))


async def test_segments_are_streamed_in_order_as_the_script_has_them() -> None:
    request = ScriptRequest((LAMP.product_id, MUG.product_id), "en", duration_s=60)
    async with aclosing(graph(EchoWriter()).stream(request, budget_s=5)) as steps:
        *segments, run = [step async for step in steps]
    assert isinstance(run, Run)
    assert tuple(segments) == run.output.segments


async def test_nothing_is_said_twice() -> None:
    writer = FakeWriter((sentences("Power: 12 W.", "The power is 12 W.", "Welcome, everyone.", "Type your questions."),))
    reply = (await script(writer, ScriptRequest((LAMP.product_id, MUG.product_id), "en", duration_s=90))).output
    assert text_of(reply).count("12 W") == 1
    assert text_of(reply).count("Welcome, everyone.") == 1


async def test_a_segment_that_the_writer_repeats_is_filled_from_phrases() -> None:
    writer = FakeWriter((sentences("The power is 12 W."),))  # which the product's own segment tells
    reply = (await script(writer, ScriptRequest((LAMP.product_id,), "en", duration_s=60))).output
    interaction = next(segment for segment in reply.segments if segment.kind == "interaction")
    assert interaction.text.startswith("Tell me in the chat what you would like to know.")


async def test_what_is_sold_out_is_not_promoted() -> None:
    reply = (await script(EchoWriter(), ScriptRequest((MUG.product_id,), "en", duration_s=90))).output
    assert "promotion" not in [segment.kind for segment in reply.segments]
    assert "sold out" in text_of(reply)


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_product_of_the_other_language_is_told_in_figures(language: Language) -> None:
    product = KETTLE if language == "en" else LAMP
    reply = (await script(EchoWriter(), ScriptRequest((product.product_id,), language, duration_s=60))).output
    assert ("600 ml" if language == "en" else "12 W") in text_of(reply)
    assert not any(word in text_of(reply) for word in ("不锈钢", "折起来", "aluminium"))


@pytest.mark.parametrize("seconds", [10, 600])
async def test_products_without_facts_have_a_script_all_the_same(seconds: float) -> None:
    reply = (await script(EchoWriter(), ScriptRequest((BARE.product_id,), "en", duration_s=seconds))).output
    assert "Bare box" in text_of(reply)
    assert "$7" in text_of(reply)
    assert all(segment.text and segment.seconds > 0 for segment in reply.segments)


async def test_fifty_products_all_have_their_turn() -> None:
    many = tuple(replace(LAMP, product_id=ProductId(f"sku-{n}"), title=f"Lumo lamp {n}") for n in range(50))
    for seconds in (60, 600):
        request = ScriptRequest(tuple(p.product_id for p in many), "en", duration_s=seconds)
        reply = (await script(EchoWriter(), request, products=many)).output
        told = [segment for segment in reply.segments if segment.kind == "product"]
        assert [segment.product_id for segment in told] == [p.product_id for p in many]
        assert all(p.title in segment.text for p, segment in zip(many, told, strict=True))


async def test_stored_questions_fill_a_long_script_but_their_prices_do_not() -> None:
    def stored(number: int, question: str, answer: str) -> Passage:
        return Passage(f"D-{number}", "qa", answer, 0.5, LAMP.product_id, question=question, answer=answer)

    known = (
        stored(1, "Can the head turn?", "Yes, it turns all the way round."),
        stored(2, "What was the price?", "It was $39 last week."),
        stored(3, "这个亮吗？", "很亮。"),
        stored(4, "Does it heal?", "It cures everything."),
        Passage("D-5", "qa", "Yes.", 0.5, None, question="Do you ship?", answer="Yes."),
    )
    run = await graph(EchoWriter(), known=known).run(ScriptRequest((LAMP.product_id,), "en", duration_s=120), budget_s=5)
    text = text_of(run.output)
    assert "People ask: Can the head turn? Yes, it turns all the way round." in text
    assert not any(word in text for word in ("$39", "很亮", "cures", "ship"))


async def test_findings_point_at_their_words() -> None:
    loud = replace(LAMP, title="全国第一台灯")
    request = ScriptRequest((LAMP.product_id,), duration_s=60)
    reply = (await script(FakeWriter(failure=Unavailable("down")), request, products=(loud,))).output
    assert not reply.compliance.passed
    assert all(text_of(reply)[f.start : f.end] == f.text and f.suggestion for f in reply.compliance.findings)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("seconds", [20, 30, 45])
async def test_seconds_add_up_where_the_facts_suffice(language: Language, seconds: float) -> None:
    shop = tuple(product for product in demo_products() if detect_language(product.title) == language)[::4]
    for product in shop:
        reply = (await script(EchoWriter(), ScriptRequest((product.product_id,), language, duration_s=seconds), products=shop)).output
        assert sum(segment.seconds for segment in reply.segments) == pytest.approx(seconds, rel=0.2), product.title


@pytest.mark.parametrize(
    ("products", "language"),
    [((LAMP,), "en"), ((KETTLE,), "zh"), ((KETTLE, LAMP), "zh"), ((LAMP, KETTLE), "en"), ((KETTLE, LAMP, MUG), "en")],
)
async def test_the_language_is_that_of_most_products_unless_it_is_named(products: tuple[Product, ...], language: Language) -> None:
    ids = tuple(product.product_id for product in products)
    own = (await script(FakeWriter(), ScriptRequest(ids, duration_s=60))).output
    named = (await script(FakeWriter(), ScriptRequest(ids, language, duration_s=60))).output
    assert text_of(own) == text_of(named)


async def test_a_segment_that_breaks_the_title_is_written_under_a_plain_name_that_the_title_takes_the_place_of() -> None:
    writer = FakeWriter((sentences("这是山岚电热。", "容量是 600 ml。"), sentences("现在我手里的就是晴川。", "容量是 600 ml。")))
    run = await script(writer, ScriptRequest((KETTLE.product_id,), "zh", duration_s=15))
    assert KETTLE.title in writer.prompts[0].messages[1][1]
    assert KETTLE.title not in writer.prompts[1].messages[1][1]
    assert "现在我手里的就是山岚电热水壶。" in text_of(run.output)
    assert not run.degraded


async def test_a_script_tells_what_became_of_the_writers_sentences() -> None:
    told: list[WriterEvent] = []
    writer = FakeWriter((sentences("Power: 12 W.", "It is waterproof."), sentences("Power: 12 W.")))
    nodes = ScriptNodes(FakeShop((LAMP,)), FakeRetriever(), writer, told.append)
    await script_graph(nodes).run(ScriptRequest((LAMP.product_id,), "en", duration_s=15), budget_s=5)
    assert told == ["asked", "claims", "asked", "unused", "kept"]
