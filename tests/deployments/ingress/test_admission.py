"""Admission: places, a bounded queue, honest retry hints."""

import asyncio

import pytest

from deployments.ingress.admission import Admission
from graphs.errors import DeadlineExceeded, Overloaded


async def hold(admission: Admission, until: asyncio.Event, order: list[int], number: int) -> None:
    async with admission.place(10.0):
        order.append(number)
        await until.wait()


async def test_beyond_the_queue_callers_are_told_when_to_come_back() -> None:
    admission, done, order = Admission(max_ongoing=1, max_waiting=1), asyncio.Event(), list[int]()
    async with asyncio.TaskGroup() as group:
        for number in range(2):
            group.create_task(hold(admission, done, order, number))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (admission.ongoing, admission.waiting) == (1, 1)
        with pytest.raises(Overloaded) as refused:
            async with admission.place(10.0):
                pass
        assert refused.value.retry_after_s == pytest.approx(2 * 0.1)
        done.set()
    assert order == [0, 1]
    assert (admission.ongoing, admission.waiting) == (0, 0)


async def test_waiting_is_limited_by_the_callers_deadline() -> None:
    admission, done, order = Admission(max_ongoing=1, max_waiting=5), asyncio.Event(), list[int]()
    async with asyncio.TaskGroup() as group:
        group.create_task(hold(admission, done, order, 0))
        await asyncio.sleep(0)
        with pytest.raises(DeadlineExceeded):
            async with admission.place(0.01):
                pass
        assert admission.waiting == 0
        done.set()


async def test_a_cancelled_waiter_and_a_cancelled_holder_leave_their_places() -> None:
    admission, order = Admission(max_ongoing=1, max_waiting=5), list[int]()
    holder, waiter = (asyncio.create_task(hold(admission, asyncio.Event(), order, number)) for number in range(2))
    await asyncio.sleep(0.01)
    waiter.cancel()
    holder.cancel()
    await asyncio.gather(holder, waiter, return_exceptions=True)
    assert (admission.ongoing, admission.waiting) == (0, 0)
    async with admission.place(0.1) as waited_s:
        assert waited_s >= 0


async def test_no_more_than_the_places_are_held_at_once() -> None:
    admission, most = Admission(max_ongoing=3, max_waiting=100), 0

    async def work() -> None:
        nonlocal most
        async with admission.place(10.0):
            most = max(most, admission.ongoing)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(work())
    assert most == 3


async def test_retry_hints_follow_the_observed_time_of_service() -> None:
    admission = Admission(max_ongoing=1, max_waiting=0)
    for _ in range(100):
        async with admission.place(1.0):
            pass
    assert admission.retry_after_s == pytest.approx(0.05)
