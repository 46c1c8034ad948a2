"""What a replica answers to a list of values."""

import asyncio
from collections.abc import Sequence

from deployments.remote.entries import all_together, each_alone
from graphs.errors import DeadlineExceeded, Internal, NotFound
from graphs.flow import remaining_s
from models.types import ModelInputError

FOREVER = float("inf")


async def double(number: int) -> int:
    match number:
        case -1:
            raise NotFound("no such number")
        case -2:
            raise RuntimeError("secret")
        case -3:
            raise ModelInputError("too many pixels", kind="too_large")
        case -4:
            await asyncio.Event().wait()
    return 2 * number


async def double_all(numbers: Sequence[int]) -> list[int]:
    return [await double(number) for number in numbers]


async def test_values_fail_alone() -> None:
    for answers in (
        await each_alone([1, -1, -2, -3, 2], [FOREVER] * 5, double),
        await all_together([1, -1, -2, -3, 2], [FOREVER] * 5, double_all),
    ):
        assert [type(answer) for answer in answers] == [int, NotFound, Internal, ModelInputError, int]
        assert "secret" not in str(answers[2])


async def test_a_value_has_as_long_as_its_caller() -> None:
    answers = await each_alone([-4, 1], [0.01, FOREVER], double)
    assert isinstance(answers[0], DeadlineExceeded)
    assert answers[1] == 2


async def test_a_batch_has_as_long_as_the_most_patient_caller() -> None:
    async def left(values: Sequence[int]) -> list[float]:
        return [remaining_s() for _ in values]

    first, *_ = await all_together([1, 2], [1.0, 5.0], left)
    assert isinstance(first, float)
    assert 1 < first <= 5
    assert all(isinstance(answer, DeadlineExceeded) for answer in await all_together([-4, 1], [0.01, 0.01], double_all))


async def test_one_value_needs_no_batch() -> None:
    assert await all_together([4], [FOREVER], double_all) == [8]
    assert await each_alone([4], [FOREVER], double) == [8]
