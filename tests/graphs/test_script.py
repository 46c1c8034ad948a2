import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.errors import NotFound, Unavailable
from graphs.fakes import FakeShop, FakeWriter
from graphs.flow import Graph
from graphs.outline import fitted, outline, sentences_of, spoken_s
from graphs.script import ScriptNodes, ScriptReply, ScriptRequest, script_graph
from models.types import ProductId
from tests.graphs.world import LAMP, MUG


def graph(writer: FakeWriter) -> Graph[ScriptRequest, ScriptReply]:
    return script_graph(ScriptNodes(FakeShop((LAMP, MUG)), writer))


async def test_a_script_has_every_section_and_names_its_products() -> None:
    request = ScriptRequest((LAMP.product_id, MUG.product_id), "en", duration_s=60)
    script = (await graph(FakeWriter(("The lamp uses 12 W.",))).run(request, budget_s=5)).output
    kinds = [segment.kind for segment in script.segments]
    assert (kinds[0], kinds[-1], kinds.count("product")) == ("opening", "closing", 2)
    assert [s.product_id for s in script.segments if s.kind == "product"] == [LAMP.product_id, MUG.product_id]
    assert script.ai_generated
    assert LAMP.title in script.summary


async def test_sentences_with_invented_figures_are_left_out() -> None:
    script = (
        await graph(FakeWriter(("It uses 12 W. It lasts 99 years.",))).run(ScriptRequest((LAMP.product_id,), "en"), budget_s=5)
    ).output
    text = " ".join(segment.text for segment in script.segments)
    assert "12 W" in text
    assert "99" not in text


async def test_a_broken_product_name_is_left_out() -> None:
    writer = FakeWriter(("Welcome to the room. Today we look at Terrawall cups.",))
    over = script_graph(ScriptNodes(FakeShop((MUG,)), writer))
    garbled = MUG.title.split(maxsplit=1)[0] + "wall"
    script = (await over.run(ScriptRequest((MUG.product_id,), "en"), budget_s=5)).output
    assert garbled not in " ".join(segment.text for segment in script.segments)


async def test_without_the_writer_the_facts_are_told() -> None:
    run = await graph(FakeWriter(failure=Unavailable("down"))).run(ScriptRequest((LAMP.product_id,), "en", duration_s=30), budget_s=5)
    assert run.degraded
    assert any("49.9" in segment.text for segment in run.output.segments)


async def test_an_unknown_product_is_not_found() -> None:
    with pytest.raises(NotFound):
        await graph(FakeWriter()).run(ScriptRequest((ProductId("nothing"),)), budget_s=5)


async def test_findings_point_at_their_words() -> None:
    script = (await graph(FakeWriter(("Nice.",))).run(ScriptRequest((LAMP.product_id,), "en"), budget_s=5)).output
    joined = "\n".join(segment.text for segment in script.segments)
    assert all(joined[f.start : f.end] == f.text for f in script.compliance.findings)


@given(st.integers(1, 20), st.floats(10, 3_600))
def test_sections_add_up_to_the_duration(products: int, duration_s: float) -> None:
    sections = outline([LAMP] * products, duration_s)
    assert sum(section.seconds for section in sections) == pytest.approx(duration_s)


@given(st.text(max_size=200))
def test_sentences_joined_are_the_text_from_its_first_word_on(text: str) -> None:
    joined = "".join(sentences_of(text))
    assert [c for c in joined if c.isalnum()] == [c for c in text if c.isalnum()]


@given(st.lists(st.sampled_from(["One two three. ", "Four five! ", "Six. "]), max_size=10), st.floats(1, 60))
def test_a_fitted_text_ends_in_time(sentences: list[str], seconds: float) -> None:
    text = fitted("".join(sentences), ["Seven eight nine ten.", "Eleven."], seconds, "en")
    longest_s = spoken_s("Seven eight nine ten.", "en")
    assert spoken_s(text, "en") <= max(seconds * 1.1, longest_s)
