"""One generation for all who ask the same; it goes on while anybody listens, and stops with the last one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.answering.sharing import SharedSpeaker, Sharing
from graphs.answering.speaking import Draft, Said, Speaker, Step
from graphs.errors import DeadlineExceeded
from graphs.fakes import FakeWriter
from tests.graphs.world import POWER

DRAFT = Draft("en", question="Does it waste energy?", evidence=(POWER,))
TEXT = "It uses 12 W, it uses 12 W at most."


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Shared:
    """A shared speaker over a fake writer, with what it told."""

    writer: FakeWriter
    repeat_s: float = 5.0
    max_kept: int = 8
    clock: Clock = field(default_factory=Clock)
    told: list[Sharing] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.speaker = SharedSpeaker(
            Speaker(self.writer), repeat_s=self.repeat_s, max_kept=self.max_kept, on_share=self.told.append, clock=self.clock
        )

    async def answer(self, draft: Draft = DRAFT) -> str:
        said = [step async for step in self.speaker.generate(draft)]
        assert isinstance(said[-1], Said)
        return said[-1].text

    async def begin(self) -> None:
        """Hear the first piece and leave."""
        async with aclosing(self.speaker.generate(DRAFT)) as steps:
            async for _ in steps:
                break


async def test_those_who_ask_at_the_same_time_share_one_generation() -> None:
    shared = Shared(FakeWriter((TEXT,), delay_s=0.001))
    answers = await asyncio.gather(*(shared.answer() for _ in range(5)))
    assert set(answers) == {TEXT}
    assert len(shared.writer.prompts) == 1
    assert sorted(shared.told) == ["generated", *["joined"] * 4]


async def test_who_asks_soon_after_hears_it_again_and_who_asks_later_does_not() -> None:
    shared = Shared(FakeWriter((TEXT,)))
    await shared.answer()
    await shared.answer(replace(DRAFT, question="does it waste energy"))
    assert (len(shared.writer.prompts), shared.told[-1]) == (1, "repeated")
    shared.clock.now += shared.repeat_s
    await shared.answer()
    assert (len(shared.writer.prompts), shared.told[-1]) == (2, "generated")


@pytest.mark.parametrize(
    "other",
    [
        replace(DRAFT, question="Is it expensive?"),
        replace(DRAFT, language="zh"),
        replace(DRAFT, evidence=(replace(POWER, text="Lumo desk lamp: power: 15 W"),)),
        replace(DRAFT, facts=("Lumo desk lamp, price: $40.",)),
        replace(DRAFT, titles=("Terra travel mug",)),
    ],
)
async def test_what_differs_in_anything_that_matters_is_generated_anew(other: Draft) -> None:
    shared = Shared(FakeWriter((TEXT,)))
    await shared.answer()
    await shared.answer(other)
    assert shared.told == ["generated", "generated"]


async def test_nearness_alone_makes_no_other_question() -> None:
    shared = Shared(FakeWriter((TEXT,)))
    await shared.answer()
    await shared.answer(replace(DRAFT, evidence=(replace(POWER, score=0.1),)))
    assert len(shared.writer.prompts) == 1


async def test_one_who_leaves_does_not_end_it_for_the_others() -> None:
    shared = Shared(FakeWriter((TEXT,), delay_s=0.001))
    first = asyncio.create_task(shared.answer())
    await asyncio.sleep(0)
    second = asyncio.create_task(shared.answer())
    await asyncio.sleep(0.003)
    first.cancel()
    assert await second == TEXT
    assert (shared.writer.aborted, len(shared.writer.prompts)) == (0, 1)


async def test_the_last_one_to_leave_stops_the_engine() -> None:
    shared = Shared(FakeWriter((TEXT * 3,), delay_s=0.001))
    await asyncio.gather(*(shared.begin() for _ in range(3)))
    assert shared.writer.aborted == 1
    assert (shared.speaker.under_way, shared.speaker.kept) == (0, 0)
    said = shared.writer.said
    await asyncio.sleep(0.01)
    assert shared.writer.said == said


@dataclass
class Late:
    """Runs out of time once before its first word, then speaks."""

    calls: int = 0

    async def generate(self, draft: Draft) -> AsyncGenerator[Step, None]:
        self.calls += 1
        await asyncio.sleep(0.001)
        if self.calls == 1:
            raise DeadlineExceeded("late")
        yield TEXT
        yield Said(TEXT, "llm")


async def test_a_failure_is_not_kept_and_who_only_joined_it_begins_anew() -> None:
    late = Late()
    speaker = SharedSpeaker(late, repeat_s=5.0, max_kept=8)

    async def listen() -> list[Step]:
        return [step async for step in speaker.generate(DRAFT)]

    first, second = await asyncio.gather(listen(), listen(), return_exceptions=True)
    assert isinstance(first, DeadlineExceeded)
    assert isinstance(second, list)
    assert late.calls == 2


@settings(max_examples=25, deadline=None)
@given(leaves_after=st.lists(st.integers(0, 12), min_size=1, max_size=6), kept=st.integers(1, 3))
def test_whoever_stays_hears_all_and_nothing_is_left_running(leaves_after: list[int], kept: int) -> None:
    async def scene() -> None:
        shared = Shared(FakeWriter((TEXT,), delay_s=0.0005), max_kept=kept)

        async def listen(steps_heard: int) -> None:
            if steps_heard > 6:  # stays to the end
                assert await shared.answer() == TEXT
                return
            async with aclosing(shared.speaker.generate(DRAFT)) as steps:
                async for _ in steps:
                    steps_heard -= 1
                    if steps_heard <= 0:
                        break

        await asyncio.gather(*map(listen, leaves_after))
        assert shared.speaker.under_way == 0
        assert shared.speaker.kept <= kept
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(scene())
