"""No request is lost, doubled or mixed up, and what nobody wants is not sent."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.remote.coalesce import Coalescer
from deployments.settings import CoalesceSettings
from graphs.errors import DeadlineExceeded, Internal, NotFound, Overloaded, Unavailable
from graphs.flow import deadline_within


class Deployment:
    """A deployment in this process: doubles numbers, when its gate is open."""

    def __init__(self, *, lost: int = 0, turns: int = 0) -> None:
        self.calls: list[list[int]] = []
        self.remaining_s: list[float] = []
        self.cancelled = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self._lost = lost  # calls that a dying replica swallows
        self._turns = turns  # of the event loop that a call takes

    async def send(self, values: Sequence[int], remaining_s: Sequence[float], /) -> list[int | Exception]:
        self.calls.append(list(values))
        self.remaining_s += remaining_s
        try:
            await self.gate.wait()
            for _ in range(self._turns):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self._lost:
            self._lost -= 1
            raise Unavailable("the replica died")
        return [NotFound(f"no {value}") if value < 0 else 2 * value for value in values]

    @property
    def sent(self) -> list[int]:
        return [value for call in self.calls for value in call]


def channel(deployment: Deployment, *, items: int = 4, in_flight: int = 1, queued: int = 100) -> Coalescer[int, int]:
    return Coalescer(deployment.send, "toy", CoalesceSettings(max_items=items, max_in_flight=in_flight, max_queued=queued))


async def settle() -> None:
    for _ in range(40):
        await asyncio.sleep(0)


async def test_an_idle_channel_sends_at_once() -> None:
    deployment = Deployment()
    assert await channel(deployment)(3) == 6
    assert deployment.calls == [[3]]


async def test_requests_of_one_moment_travel_together() -> None:
    deployment = Deployment()
    double = channel(deployment)
    assert await asyncio.gather(*(double(number) for number in range(3))) == [0, 2, 4]
    assert deployment.calls == [[0, 1, 2]]


async def test_what_arrives_during_a_call_shares_the_next() -> None:
    deployment = Deployment()
    double = channel(deployment)
    deployment.gate.clear()
    callers = [asyncio.create_task(double(0))]
    await settle()
    callers += [asyncio.create_task(double(number)) for number in range(1, 7)]
    await settle()
    assert deployment.calls == [[0]]
    deployment.gate.set()
    assert await asyncio.gather(*callers) == [0, 2, 4, 6, 8, 10, 12]
    assert deployment.calls == [[0], [1, 2, 3, 4], [5, 6]]


async def test_one_requests_failure_is_its_own() -> None:
    double = channel(Deployment())
    good, bad, also_good = await asyncio.gather(double(1), double(-1), double(2), return_exceptions=True)
    assert [good, also_good] == [2, 4]
    assert isinstance(bad, NotFound)


async def test_a_caller_who_leaves_the_queue_is_not_sent() -> None:
    deployment = Deployment()
    double = channel(deployment)
    deployment.gate.clear()
    first, second, third = (asyncio.create_task(double(number)) for number in (1, 2, 3))
    fourth = asyncio.create_task(double(4))
    blocked = asyncio.create_task(double(5))
    await settle()
    assert deployment.calls == [[1, 2, 3, 4]]
    blocked.cancel()
    await settle()
    deployment.gate.set()
    await asyncio.gather(first, second, third, fourth)
    await settle()
    assert deployment.sent == [1, 2, 3, 4]


async def test_a_call_is_cancelled_when_all_its_callers_have_left() -> None:
    deployment = Deployment()
    double = channel(deployment)
    deployment.gate.clear()
    callers = [asyncio.create_task(double(number)) for number in (1, 2)]
    await settle()
    callers[0].cancel()
    await settle()
    assert deployment.cancelled == 0
    callers[1].cancel()
    await settle()
    assert deployment.cancelled == 1
    deployment.gate.set()
    assert await double(3) == 6


async def test_a_request_whose_time_is_spent_is_not_sent() -> None:
    deployment = Deployment()
    with deadline_within(0.0), pytest.raises(DeadlineExceeded):
        await channel(deployment)(1)
    assert deployment.calls == []


async def test_each_request_carries_what_its_caller_has_left() -> None:
    deployment = Deployment()
    double = channel(deployment)
    with deadline_within(5.0):
        hurried = asyncio.create_task(double(1))
    await asyncio.gather(hurried, double(2))
    assert 0 < deployment.remaining_s[0] <= 5
    assert deployment.remaining_s[1] == float("inf")


async def test_a_full_queue_refuses_and_says_when_to_come_back() -> None:
    deployment = Deployment()
    double = channel(deployment, items=1, queued=2)
    await double(0)
    deployment.gate.clear()
    callers = [asyncio.create_task(double(1))]
    await settle()
    callers += [asyncio.create_task(double(number)) for number in (2, 3)]
    await settle()
    with pytest.raises(Overloaded) as refused:
        await double(4)
    assert refused.value.retry_after_s > 0
    deployment.gate.set()
    assert await asyncio.gather(*callers) == [2, 4, 6]


async def test_a_lost_replica_is_retried_once() -> None:
    deployment = Deployment(lost=1)
    double = channel(deployment)
    assert list(await asyncio.gather(double(1), double(2))) == [2, 4]
    assert deployment.calls == [[1, 2], [1, 2]]


async def test_two_lost_replicas_are_unavailable() -> None:
    deployment = Deployment(lost=2)
    with pytest.raises(Unavailable):
        await channel(deployment)(1)
    assert deployment.calls == [[1], [1]]


async def test_what_must_not_run_twice_is_not_retried() -> None:
    deployment = Deployment(lost=1)
    double = channel(deployment)
    once, twice = await asyncio.gather(double(1, idempotent=False), double(2), return_exceptions=True)
    assert isinstance(once, Unavailable)
    assert twice == 4
    assert deployment.calls == [[1, 2], [2]]


async def test_every_caller_gets_an_error_of_its_own() -> None:
    deployment = Deployment(lost=2)
    double = channel(deployment)
    one, other = await asyncio.gather(double(1), double(2), return_exceptions=True)
    assert isinstance(one, Unavailable)
    assert isinstance(other, Unavailable)
    assert one is not other


async def test_a_wrong_number_of_answers_reaches_nobody() -> None:
    async def forgets(values: Sequence[int], remaining_s: Sequence[float], /) -> list[int | Exception]:
        return list[int | Exception](values)[1:]

    double = Coalescer(forgets, "toy", CoalesceSettings())
    with pytest.raises(Internal, match="0 answers to 1 requests"):
        await double(1)


async def test_closing_refuses_what_waits_and_cancels_what_travels() -> None:
    deployment = Deployment()
    double = channel(deployment, items=1)
    deployment.gate.clear()
    callers = [asyncio.create_task(double(number)) for number in (1, 2)]
    await settle()
    await double.aclose()
    assert all(isinstance(answer, Unavailable) for answer in await asyncio.gather(*callers, return_exceptions=True))
    assert deployment.cancelled == 1
    assert len(asyncio.all_tasks()) == 1


@st.composite
def schedules(draw: st.DrawFn) -> list[tuple[int, int, int | None]]:
    """(value, turn of the loop in which it is asked, turn in which its caller leaves)."""
    asked = draw(st.lists(st.integers(0, 12), min_size=1, max_size=25))
    leaves = [draw(st.one_of(st.none(), st.integers(0, 15))) for _ in asked]
    return [(value, turn, left) for value, (turn, left) in enumerate(zip(asked, leaves, strict=True))]


@given(schedules(), st.integers(1, 5), st.integers(1, 3), st.integers(0, 2), st.integers(0, 4))
@settings(deadline=None)
def test_every_caller_gets_its_own_answer_exactly_once(
    schedule: list[tuple[int, int, int | None]], items: int, in_flight: int, lost: int, turns: int
) -> None:
    async def scenario() -> None:
        deployment = Deployment(lost=lost, turns=turns)
        double = channel(deployment, items=items, in_flight=in_flight)
        callers: dict[int, asyncio.Task[int]] = {}
        for turn in range(60):
            for value, asked, leaves in schedule:
                if asked == turn:
                    callers[value] = asyncio.create_task(double(value))
                if leaves == turn and value in callers:
                    callers[value].cancel()
            await asyncio.sleep(0)
        answers = await asyncio.gather(*callers.values(), return_exceptions=True)
        await settle()
        for value, answer in zip(callers, answers, strict=True):
            assert isinstance(answer, asyncio.CancelledError | Unavailable) or answer == 2 * value
        assert all(len(call) <= items for call in deployment.calls)
        assert len(deployment.sent) <= len(schedule) + lost * items
        if not lost:
            assert len(set(deployment.sent)) == len(deployment.sent)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(scenario())
