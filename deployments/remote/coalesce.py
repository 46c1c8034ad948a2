"""Requests of the same moment share a hop.

A call between processes costs milliseconds of CPU whatever it carries. So while `max_in_flight` calls to a deployment are
under way, further requests queue up, and the next call carries up to `max_items` of them as one list. Nobody waits for a
batch to fill: an idle channel sends at once, and a busy one sends when a call comes back.
"""

import asyncio
import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from deployments.settings import CoalesceSettings
from graphs.errors import DeadlineExceeded, Internal, LivecartError, Overloaded, Unavailable
from graphs.flow import current_deadline

T = TypeVar("T")
R = TypeVar("R")
T_contra = TypeVar("T_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)

_TURNS = 3  # of the event loop before a call leaves: microseconds, in which requests that are being read right now catch up
_MEMORY = 0.9  # weight of the past in the observed service time


class Send(Protocol[T_contra, R_co]):
    """One call that carries many requests."""

    async def __call__(self, values: Sequence[T_contra], remaining_s: Sequence[float], /) -> Sequence[R_co | Exception]:
        """One answer per value, in order; an Exception among them is the failure of that value alone.

        Args:
            remaining_s: seconds that each value's caller has left; infinite when nobody said.

        Raises:
            Unavailable: the replica was lost before it answered; whether it did the work is not known.
        """


@dataclass(slots=True, eq=False)
class _Request(Generic[T, R]):
    value: T
    deadline: float  # time.monotonic
    answer: "asyncio.Future[R]"  # done early when the caller leaves
    may_retry: bool
    call: "_Call[T, R] | None" = None  # the call it travels in


@dataclass(slots=True, eq=False)
class _Call(Generic[T, R]):
    requests: list[_Request[T, R]]
    task: "asyncio.Task[None]"


class Coalescer(Generic[T, R]):
    """The calls of one process to one deployment; belongs to one event loop.

    The answers of a call arrive together, so a slow request holds up those that travel with it: meant for models that take
    batches, and for small steps.
    """

    def __init__(self, send: Send[T, R], deployment: str, limits: CoalesceSettings) -> None:
        self._send = send
        self._deployment = deployment
        self._limits = limits
        self._queue: dict[_Request[T, R], None] = {}  # in order of arrival; a dict, since callers leave from the middle
        self._calls: set[_Call[T, R]] = set()
        self._is_dispatch_due = False
        self._request_s = 0.0  # observed seconds per request and channel

    async def __call__(self, value: T, *, idempotent: bool = True) -> R:
        """The answer to one value, within the deadline of the running node.

        Cancelling the caller takes the request out of the queue, or cancels the call if all who share it have left.

        Args:
            idempotent: a request whose replica was lost is sent once more, to another replica.

        Raises:
            Overloaded: `max_queued` requests wait already; nothing was sent.
            DeadlineExceeded: the caller's time was spent before the request was sent.
            Unavailable: the replica was lost, twice if idempotent.
            LivecartError: what the replica answered for this value.
        """
        if len(self._queue) >= self._limits.max_queued:
            raise Overloaded(f"{len(self._queue)} requests wait for `{self._deployment}` already", retry_after_s=self.expected_wait_s)
        loop = asyncio.get_running_loop()
        request = _Request[T, R](value, current_deadline(), loop.create_future(), idempotent)
        self._queue[request] = None
        self._dispatch_soon()
        try:
            return await request.answer
        finally:
            self._left(request)

    @property
    def expected_wait_s(self) -> float:
        """How long the requests that wait now will take, at the observed rate."""
        return max(0.05, len(self._queue) * self._request_s / self._limits.max_in_flight)

    async def aclose(self) -> None:
        """Cancel the calls under way and refuse what waits; the callers get Unavailable."""
        self._fail(list(self._queue), Unavailable(f"the channel to `{self._deployment}` was closed"))
        self._queue.clear()
        tasks = [call.task for call in self._calls]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _left(self, request: _Request[T, R]) -> None:
        """The caller has its answer, or does not want it any more."""
        self._queue.pop(request, None)
        if request.call is not None and all(other.answer.done() for other in request.call.requests):
            request.call.task.cancel()

    def _dispatch_soon(self) -> None:
        if self._queue and not self._is_dispatch_due and len(self._calls) < self._limits.max_in_flight:
            self._is_dispatch_due = True
            self._dispatch_after(_TURNS)

    def _dispatch_after(self, turns: int) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self._dispatch_after, turns - 1)
        else:
            self._dispatch()

    def _dispatch(self) -> None:
        self._is_dispatch_due = False
        while self._queue and len(self._calls) < self._limits.max_in_flight:
            requests = self._take()
            if requests:
                task = asyncio.get_running_loop().create_task(self._carry(requests))
                call = _Call(requests, task)
                self._calls.add(call)
                for request in requests:
                    request.call = call
                task.add_done_callback(lambda _, call=call: self._ended(call))  # type: ignore[misc]  # bound per round

    def _take(self) -> list[_Request[T, R]]:
        """The next requests of whom somebody still wants the answer; the caller of a late one is told."""
        now = time.monotonic()
        taken: list[_Request[T, R]] = []
        while self._queue and len(taken) < self._limits.max_items:
            request = next(iter(self._queue))
            del self._queue[request]
            if request.answer.done():
                continue
            if request.deadline <= now:
                request.answer.set_exception(DeadlineExceeded(f"no time was left to call `{self._deployment}`"))
                continue
            taken.append(request)
        return taken

    def _ended(self, call: _Call[T, R]) -> None:
        """A channel is free again. Requests without an answer were in a call that was cancelled when the channel closed."""
        self._calls.discard(call)
        unanswered = [request for request in call.requests if request.call is call]
        self._fail(unanswered, Unavailable(f"the call to `{self._deployment}` was cancelled"))
        self._dispatch_soon()

    async def _carry(self, requests: list[_Request[T, R]]) -> None:
        started = time.monotonic()
        try:
            answers = await self._send([request.value for request in requests], [request.deadline - started for request in requests])
        except Unavailable as error:
            self._retry_or_fail(requests, error)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is each caller's answer
            self._fail(requests, error)
        else:
            self._answer(requests, answers)
            self._observe((time.monotonic() - started) / len(requests))

    def _observe(self, request_s: float) -> None:
        self._request_s = _MEMORY * self._request_s + (1 - _MEMORY) * request_s if self._request_s else request_s

    def _answer(self, requests: list[_Request[T, R]], answers: Sequence[R | Exception]) -> None:
        if len(answers) != len(requests):
            self._fail(requests, Internal(f"`{self._deployment}` gave {len(answers)} answers to {len(requests)} requests"))
            return
        for request, answer in zip(requests, answers, strict=True):
            request.call = None
            if request.answer.done():
                continue
            if isinstance(answer, Exception):
                request.answer.set_exception(answer)
            else:
                request.answer.set_result(answer)

    def _retry_or_fail(self, requests: list[_Request[T, R]], error: Unavailable) -> None:
        """The replica is lost. Requests that may run twice go first in the queue, once; the router knows other replicas."""
        again = [request for request in requests if request.may_retry and not request.answer.done()]
        for request in again:
            request.may_retry = False
            request.call = None
        self._queue = {**dict.fromkeys(again), **self._queue}
        self._fail([request for request in requests if request.call is not None], error)

    @staticmethod
    def _fail(requests: list[_Request[T, R]], error: Exception) -> None:
        for request in requests:
            request.call = None
            if not request.answer.done():
                request.answer.set_exception(_own_copy(error))


def _own_copy(error: Exception) -> Exception:
    """Each caller gets an error of its own: graphs write their spans into it."""
    if not isinstance(error, LivecartError):
        return error
    twin = copy.copy(error)
    twin.__cause__ = error.__cause__
    return twin
