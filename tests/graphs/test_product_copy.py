import json
from dataclasses import replace

import pytest

from graphs.checking.verdicts import WriterEvent
from graphs.errors import NotFound, Unavailable
from graphs.fakes import FakeShop, FakeWriter
from graphs.flow import Run
from graphs.ports import Writer
from graphs.product_copy import TITLE_CHARACTERS, CopyNodes, CopyReply, CopyRequest, attributes_used, copy_graph
from models.demo.catalog import demo_products
from models.prompts import COPY_CHANNELS, PRICE_MARK, SENTENCES_SCHEMA, CopyChannel
from models.types import Language, Product, ProductId
from tests.graphs.test_script import KETTLE
from tests.graphs.world import LAMP

AWAY = FakeWriter(failure=Unavailable("away"))


async def copy(writer: Writer, channel: CopyChannel, product: Product = LAMP, language: Language | None = None) -> Run[CopyReply]:
    graph = copy_graph(CopyNodes(FakeShop((product,)), writer))
    return await graph.run(CopyRequest(product.product_id, channel, language), budget_s=5)


def says(*sentences: str) -> FakeWriter:
    return FakeWriter((json.dumps({"sentences": sentences}),))


async def test_an_ad_tells_the_price_of_the_store_last() -> None:
    run = await copy(says("Take a look at Lumo desk lamp.", f"Today it is {PRICE_MARK}."), "ad")
    assert run.output.text == "Take a look at Lumo desk lamp. Today it is $49.90."
    assert run.output.attributes_used == ("price",)
    assert not run.degraded
    missing = (await copy(says("Take a look at Lumo desk lamp."), "ad")).output
    assert missing.text.endswith("Now $49.90.")


async def test_titles_and_descriptions_see_and_tell_no_price() -> None:
    for channel in ("title", "description"):
        writer = says(f"Lumo desk lamp for {PRICE_MARK}.", "Lumo desk lamp, 12 W")
        reply = (await copy(writer, channel)).output
        assert "49" not in reply.text
        assert PRICE_MARK not in writer.prompts[0].messages[1][1]
        assert writer.prompts[0].json_schema == SENTENCES_SCHEMA


async def test_attributes_used_are_computed_not_claimed() -> None:
    reply = (await copy(says("Lumo desk lamp, 12 W"), "title")).output
    assert (reply.text, reply.attributes_used) == ("Lumo desk lamp, 12 W", ("power",))
    assert attributes_used("Only 12 watches", LAMP) == ()
    assert attributes_used("aluminium at $49.90", LAMP) == ("material", "price")
    assert attributes_used("alumini", LAMP) == ()


NO_TITLES = ["Lamp for 12 rooms", "Cordless Lumo desk lamp", "Nordlicht desk lamp", "A lamp for dreamers and poets", "x" * 130]


@pytest.mark.parametrize("said", [*NO_TITLES, "Lumo desk"])
async def test_a_title_that_is_none_of_the_product_is_replaced(said: str) -> None:
    run = await copy(says(said), "title")
    assert run.degraded
    assert run.output.text.startswith("Lumo desk lamp")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("channel", COPY_CHANNELS)
async def test_without_the_writer_every_product_has_copy(channel: CopyChannel, language: Language) -> None:
    for product in demo_products():
        run = await copy(AWAY, channel, product, language)
        assert run.degraded
        assert run.output.ai_generated
        assert run.output.text
        assert set(run.output.attributes_used) <= {*product.attributes, "price"}
        assert ("price" in run.output.attributes_used) == (channel == "ad")
        assert channel != "title" or len(run.output.text) <= TITLE_CHARACTERS[language]


async def test_a_very_long_title_is_cut_behind_a_word() -> None:
    long = replace(LAMP, title="Lumo " + "bright " * 40 + "lamp")
    text = (await copy(AWAY, "title", long)).output.text
    assert len(text) <= 120
    assert text.endswith("bright")
    assert len((await copy(AWAY, "title", replace(KETTLE, title="山" * 90))).output.text) == 60


async def test_a_title_has_the_values_that_the_writer_chose_each_once() -> None:
    run = await copy(says("Lumo desk lamp aluminium, 12 W, 12 W"), "title")
    assert (run.output.text, run.degraded) == ("Lumo desk lamp, aluminium, 12 W", False)


async def test_a_title_with_a_broken_value_has_the_whole_ones() -> None:
    run = await copy(says("Lumo desk lamp, 12 W, alumin 9"), "title")
    assert (run.output.text, run.degraded) == ("Lumo desk lamp, 12 W", False)


async def test_a_title_that_the_writer_breaks_is_written_under_a_plain_name_that_the_title_takes_the_place_of() -> None:
    writer = FakeWriter((json.dumps({"sentences": ["Lumo dask limp, 12 W"]}), json.dumps({"sentences": ["Alder, 12 W"]})))
    run = await copy(writer, "title")
    assert "Alder" in writer.prompts[1].messages[1][1]
    assert (run.output.text, run.degraded) == ("Lumo desk lamp, 12 W", False)


async def test_copy_tells_what_became_of_the_writers_sentences() -> None:
    told: list[WriterEvent] = []
    writer = says("Meet Lumo desk lamp.", "The power is 12 W.")
    await copy_graph(CopyNodes(FakeShop((LAMP,)), writer, told.append)).run(CopyRequest(LAMP.product_id, "description"), budget_s=5)
    assert told == ["asked", "kept", "kept"]


async def test_a_description_tells_nothing_twice() -> None:
    writer = says("Here is Lumo desk lamp.", "The power: 12 W.", "The power is 12 W.")
    assert (await copy(writer, "description")).output.text.count("12 W") == 1


async def test_the_language_is_that_of_the_product_unless_it_is_named() -> None:
    assert (await copy(AWAY, "ad", KETTLE)).output.text.endswith("149元。")
    assert (await copy(AWAY, "ad", KETTLE, "en")).output.text.endswith("CNY 149.")


async def test_findings_of_the_shops_own_title_are_reported_with_a_suggestion() -> None:
    reply = (await copy(AWAY, "ad", replace(LAMP, title="全国第一台灯"))).output
    assert not reply.compliance.passed
    assert all(reply.text[f.start : f.end] == f.text and f.suggestion for f in reply.compliance.findings)


async def test_a_mark_in_the_shops_text_becomes_no_price() -> None:
    trap = replace(LAMP, description="Refunds of {price} each.")
    reply = (await copy(says("Refunds of {price} each.", "Refunds of price each."), "ad", trap)).output
    assert "Refunds of $" not in reply.text


async def test_an_unknown_product_is_not_found() -> None:
    graph = copy_graph(CopyNodes(FakeShop(), FakeWriter()))
    with pytest.raises(NotFound):
        await graph.run(CopyRequest(ProductId("nothing"), "ad"), budget_s=5)
