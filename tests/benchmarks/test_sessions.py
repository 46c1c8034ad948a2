"""What is read off many sessions: no comment counted twice or forgotten, memory compared after the warm-up."""

import pytest

from benchmarks.sessions.__main__ import RAMP_S, WARM_S, Memory, growth, report
from benchmarks.sessions.played import Change, Heard
from benchmarks.sessions.world import VIEWERS, Chat


def test_a_comment_is_lost_until_a_reply_or_an_error_names_it() -> None:
    heard = Heard(comments=3, asked={"a": 1.0, "b": 1.5, "c": 2.0})
    heard.outcome("a", "slot", 1.25)
    heard.outcome("b", "overloaded", 2.0)
    heard.outcome("b", "bank", 3.0)
    comments = report(heard, [])["comments"]
    assert comments == {"sent": 3, "lost": 1, "twice": 1, "outcomes": {"slot": 1, "overloaded": 1}}
    assert heard.reply_ms == [250.0, 500.0]


def test_a_change_that_was_never_told_is_counted_but_not_timed() -> None:
    changes = [Change("P-1", 1.0, told_ms) for told_ms in (*range(1, 101), None)]
    found = report(Heard(changes=changes), [])["changes"]
    assert found == {"shown": 101, "told": 100, "p50_ms": 50, "p99_ms": 99}


def test_frames_are_looked_at_dropped_or_failed() -> None:
    assert report(Heard(frames=10, dropped=6, failed=1), [])["looked_at"] == 3


@pytest.mark.parametrize(("last_mib", "is_flat"), [(104.0, True), (106.0, False)])
def test_memory_is_compared_from_the_end_of_the_warm_up(last_mib: float, is_flat: bool) -> None:
    at = [(0.0, 10.0), (RAMP_S + WARM_S, 100.0), (RAMP_S + WARM_S + 30, 103.0), (RAMP_S + WARM_S + 60, last_mib)]
    found = growth([Memory(at_s, {"Ingress": mib}, {"Ingress": at_s / 4}) for at_s, mib in at])["Ingress"]
    assert (found["from_mib"], found["to_mib"], found["flat"]) == (100.0, last_mib, is_flat)
    assert found["cores"] == 0.25


def test_without_samples_nothing_is_said_of_memory() -> None:
    assert growth([]) == {}
    assert growth([Memory(0.0, {"Ingress": 1.0}, {"Ingress": 1.0})]) == {}


def test_each_run_asks_the_same_and_no_comment_has_the_id_of_another() -> None:
    def asked() -> list[dict[str, str]]:
        chat = Chat()
        return [chat.comment(f"load-{number % 7}") for number in range(300)]

    first = asked()
    assert first == asked()
    assert len({comment["comment_id"] for comment in first}) == 300
    assert {comment["viewer_id"] for comment in first} <= set(VIEWERS)
