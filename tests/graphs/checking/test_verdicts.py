"""What a graph tells of its requests to the writer."""

import asyncio
from contextlib import aclosing

import pytest

from graphs.answering.speaking import Draft, Said, Speaker
from graphs.checking.verdicts import WriterEvent, asking
from graphs.errors import DeadlineExceeded, Unavailable
from graphs.fakes import FakeWriter
from graphs.flow.deadline import deadline_within
from models.prompts import REFUSALS
from tests.graphs.world import POWER

DRAFT = Draft("en", question="Does it waste energy?", evidence=(POWER,))


async def told_of(*texts: str) -> list[WriterEvent]:
    told: list[WriterEvent] = []
    steps = [step async for step in Speaker(FakeWriter(texts), told.append).generate(DRAFT)]
    assert isinstance(steps[-1], Said)
    return told


@pytest.mark.parametrize(
    ("texts", "events"),
    [
        (("It uses 12 W.",), ["asked", "kept"]),
        (("It uses 99 W.", "It uses 12 W."), ["asked", "grounding", "asked", "kept"]),
        (("It uses 99 W.",), ["asked", "grounding", "asked", "grounding"]),
        (("Gorillas live in wild mountain forests.",), ["asked", "support", "asked", "support"]),
        (("It uses 12 W, and 99 W at night.",), ["asked", "grounding", "kept"]),
        ((REFUSALS["en"],), ["asked", "declined"]),
        (("",), ["asked", "unfinished"]),
    ],
)
async def test_an_answer_tells_what_became_of_each_request(texts: tuple[str, ...], events: list[WriterEvent]) -> None:
    assert await told_of(*texts) == events


@pytest.mark.parametrize(
    ("error", "event"), [(DeadlineExceeded("late"), "deadline"), (TimeoutError(), "deadline"), (Unavailable("away"), "failed")]
)
def test_how_a_request_failed_is_told_and_raised(error: Exception, event: WriterEvent) -> None:
    told: list[WriterEvent] = []
    with pytest.raises(type(error)), asking(told.append):
        raise error
    assert told == ["asked", event]


async def test_a_caller_who_left_is_told_from_time_that_was_spent() -> None:
    told: list[WriterEvent] = []
    async with aclosing(Speaker(FakeWriter(("It uses 12 W. It uses 12 W.",)), told.append).generate(DRAFT)) as steps:
        await anext(steps)
    with deadline_within(0.0), pytest.raises(asyncio.CancelledError), asking(told.append):
        raise asyncio.CancelledError
    assert told == ["asked", "cancelled", "asked", "deadline"]
