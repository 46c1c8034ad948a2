import json

from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.checking.verdicts import WriterEvent
from graphs.fakes import FakeWriter
from graphs.hosting.drafting import Brief, draft, sentences_in
from models.types import Prompt
from tests.graphs.hosting.test_judging import EN

PROMPT = Prompt(messages=(("system", "write"), ("user", "a lamp")))


def written(*texts: str) -> str:
    return json.dumps({"sentences": texts})


async def drafted(*answers: str, stand_in: str | None = None) -> tuple[tuple[str, ...], list[WriterEvent]]:
    told: list[WriterEvent] = []
    briefs = (Brief(PROMPT), Brief(PROMPT, stand_in))
    kept = await draft(FakeWriter(answers), briefs, EN, enough=bool, on_writer=told.append)
    return kept, told


async def test_every_request_and_every_sentence_put_aside_is_told() -> None:
    kept, told = await drafted(written("Power: 12 W.", "It runs 99 hours."), written("It is waterproof."))
    assert kept == ("Power: 12 W.",)
    assert told == ["asked", "claims", "asked", "claims"]


async def test_of_two_drafts_the_better_one_is_taken() -> None:
    kept, told = await drafted(written("Power: 12 W.", "It runs 99 hours."), written("Power: 12 W.", "Type your questions!"))
    assert kept == ("Power: 12 W.", "Type your questions!")
    assert told == ["asked", "claims", "asked", "unused"]


async def test_the_title_is_put_back_where_the_second_brief_had_a_plain_name() -> None:
    kept, _ = await drafted(written("That was Lumo desk la."), written("That was Alder."), stand_in="Alder")
    assert kept == ("That was Lumo desk lamp.",)


async def test_an_answer_of_which_nothing_is_whole_is_told() -> None:
    _, told = await drafted('{"sentences": ["Pow', written("Power: 12 W."))
    assert told == ["asked", "unfinished", "asked"]


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(st.text(alphabet='ab 好"\\\n{}，。', min_size=1, max_size=12), max_size=4), st.integers(0, 60))
def test_any_cut_of_any_answer_is_read_without_an_error(texts: list[str], cut: int) -> None:
    whole = str({"sentences": texts}).replace("'", '"')
    for written in (whole, whole[:cut]):
        for sentence in sentences_in(written):
            assert sentence.strip()


def test_the_whole_sentences_of_an_answer_that_was_cut_are_a_part_of_its_sentences() -> None:
    whole = '{"sentences": ["Power: 12 W.", "The material is \\"aluminium\\".", "It is {price}."]}'
    for cut in range(len(whole)):
        assert sentences_in(whole)[: len(sentences_in(whole[:cut]))] == sentences_in(whole[:cut])
