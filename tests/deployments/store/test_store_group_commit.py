"""Group commit on its own, with a commit that the test holds back."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from deployments.store import group_commit
from deployments.store.group_commit import GroupCommit
from graphs.errors import Overloaded, Unavailable


class Commits:
    """Answers each batch with its sum; waits at the gate, and fails a transaction that holds `bad`."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.groups: list[list[list[int]]] = []
        self.bad: dict[int, Exception] = {}

    def __call__(self, batches: Sequence[Sequence[int]]) -> list[int]:
        self.gate.wait()
        self.groups.append([list(batch) for batch in batches])
        for number, error in self.bad.items():
            if any(number in batch for batch in batches):
                raise error
        return [sum(batch) for batch in batches]


@pytest.fixture
def commits() -> Commits:
    return Commits()


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as one:
        yield one


def _busy_group(commits: Commits, thread: ThreadPoolExecutor, *, max_pending: int = 100, max_group: int = 10) -> GroupCommit[int, int]:
    """Its thread is held up before it looks at the queue."""
    thread.submit(commits.gate.wait)
    return GroupCommit(commits, thread, max_pending=max_pending, max_group=max_group)


def test_batches_that_wait_together_are_committed_together_and_answered_each(commits: Commits, thread: ThreadPoolExecutor) -> None:
    group = _busy_group(commits, thread)
    answers = [group.submit([1, 2]), group.submit([3]), group.submit([4])]
    commits.gate.set()
    assert [answer.result() for answer in answers] == [3, 3, 4]
    assert commits.groups == [[[1, 2], [3], [4]]]
    assert group.transactions == 1


def test_nobody_is_answered_before_the_commit(commits: Commits, thread: ThreadPoolExecutor) -> None:
    answer = _busy_group(commits, thread).submit([1])
    assert not answer.done()
    commits.gate.set()
    assert answer.result() == 1


def test_a_group_has_a_size_but_a_large_batch_is_not_cut(commits: Commits, thread: ThreadPoolExecutor) -> None:
    group = _busy_group(commits, thread, max_group=3)
    answers = [group.submit([1, 1, 1, 1]), group.submit([2, 2]), group.submit([3]), group.submit([4])]
    commits.gate.set()
    assert [answer.result() for answer in answers] == [4, 4, 3, 4]
    assert commits.groups == [[[1, 1, 1, 1]], [[2, 2], [3]], [[4]]]


def test_a_bad_batch_fails_alone(commits: Commits, thread: ThreadPoolExecutor) -> None:
    group = _busy_group(commits, thread)
    commits.bad = {3: ValueError("three")}
    answers = [group.submit([1]), group.submit([3]), group.submit([5])]
    commits.gate.set()
    assert answers[0].result() == 1
    assert answers[2].result() == 5
    with pytest.raises(ValueError, match="three"):
        answers[1].result()


def test_a_database_out_of_reach_fails_the_whole_group_without_trying_one_by_one(commits: Commits, thread: ThreadPoolExecutor) -> None:
    group = _busy_group(commits, thread)
    commits.bad = {3: Unavailable("gone")}
    answers = [group.submit([1]), group.submit([3])]
    commits.gate.set()
    assert [type(answer.exception()) for answer in answers] == [Unavailable, Unavailable]
    assert len(commits.groups) == 1


def test_a_caller_who_left_before_the_commit_is_left_out(commits: Commits, thread: ThreadPoolExecutor) -> None:
    group = _busy_group(commits, thread)
    left, stayed = group.submit([1]), group.submit([2])
    assert left.cancel()
    commits.gate.set()
    assert stayed.result() == 2
    assert commits.groups == [[[2]]]
    with pytest.raises(CancelledError):
        left.result()


def test_those_who_wait_when_the_thread_is_shut_down_are_told(commits: Commits) -> None:
    thread = ThreadPoolExecutor(1)
    group = _busy_group(commits, thread, max_group=1)
    first, second = group.submit([1]), group.submit([2])
    thread.shutdown(wait=False)
    late = group.submit([3])
    commits.gate.set()
    assert first.result() == 1
    assert [type(answer.exception()) for answer in (second, late)] == [Unavailable, Unavailable]


def test_who_is_refused_is_told_when_what_waits_should_be_committed(
    commits: Commits, thread: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter([0.0, 2.0, 10.0, 11.0])  # two rows take two seconds
    monkeypatch.setattr(group_commit, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    group = _busy_group(commits, thread, max_pending=5)
    first = group.submit([1, 1])
    with pytest.raises(Overloaded) as unknown:
        group.submit([1] * 5)
    assert unknown.value.retry_after_s == 1.0
    commits.gate.set()
    first.result()
    commits.gate.clear()
    thread.submit(commits.gate.wait)
    waiting = group.submit([1] * 5)
    with pytest.raises(Overloaded) as known:
        group.submit([1])
    assert known.value.retry_after_s == 5.0
    commits.gate.set()
    assert waiting.result() == 5


def test_what_waits_is_bounded_and_room_comes_back(commits: Commits, thread: ThreadPoolExecutor) -> None:
    group = _busy_group(commits, thread, max_pending=3)
    first = group.submit([1, 1])
    with pytest.raises(Overloaded):
        group.submit([1, 1])
    commits.gate.set()
    assert first.result() == 2
    assert group.submit([1, 1, 1]).result() == 3
