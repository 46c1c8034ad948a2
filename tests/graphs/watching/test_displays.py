from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.watching.displays import DisplayWriter, host_of, shown_lately
from graphs.watching.watcher import Displayed, Showing
from models.types import Event, EventId, ProductId, RoomId

ROOM = RoomId("R-1")
START = datetime(2026, 11, 11, 20, tzinfo=UTC)
WRITER = DisplayWriter(ROOM, "s1", START)
A, B, C = ProductId("A"), ProductId("B"), ProductId("C")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_display_is_told_of_when_it_begins_and_when_it_ends() -> None:
    begun, ended = WRITER.begun(Showing(A, 3, 10.0)), WRITER.ended(Displayed(A, 3, 10.0, 22.5))
    assert (begun.type, begun.viewer_id, begun.room_id, begun.product_id) == ("display", "host-R-1", ROOM, A)
    assert (begun.at, begun.value) == (at(10), None)
    assert (ended.at, ended.value) == (at(10), 12.5)
    assert begun.text == ended.text == '{"order":3,"session":"s1"}'
    assert len({begun.event_id, ended.event_id, WRITER.still_on(Showing(A, 3, 10.0), 70.0).event_id}) == 3


def test_a_room_with_a_long_name_has_a_host_that_fits() -> None:
    hosts = {host_of(RoomId("r" * 128)), host_of(RoomId("r" * 127 + "s"))}
    assert len(hosts) == 2
    assert all(len(host) <= 128 for host in hosts)


def test_what_was_shown_longer_comes_first() -> None:
    displays = [WRITER.ended(Displayed(A, 1, 0.0, 5.0)), WRITER.ended(Displayed(B, 2, 6.0, 36.0))]
    assert shown_lately(displays, at(40)) == (B, A)


def test_what_was_shown_later_comes_first() -> None:
    displays = [WRITER.ended(Displayed(A, 1, 0.0, 30.0)), WRITER.ended(Displayed(B, 2, 300.0, 330.0))]
    assert shown_lately(displays, at(330)) == (B, A)


def test_what_is_on_screen_counts_before_it_ends() -> None:
    displays = [WRITER.ended(Displayed(A, 1, 0.0, 10.0)), WRITER.begun(Showing(B, 2, 10.0))]
    assert shown_lately(displays, at(40)) == (B, A)


def test_a_display_that_has_ended_does_not_count_twice() -> None:
    short = [WRITER.begun(Showing(A, 1, 0.0)), WRITER.ended(Displayed(A, 1, 0.0, 2.0)), WRITER.ended(Displayed(B, 2, 4.0, 14.0))]
    assert shown_lately(short, at(15)) == (B, A)


def test_a_watcher_that_died_leaves_nothing_on_screen_for_ever() -> None:
    open_display = [WRITER.begun(Showing(A, 1, 0.0)), WRITER.ended(Displayed(B, 1, 600.0, 620.0))]
    assert shown_lately(open_display[:1], at(30)) == (A,)
    assert shown_lately(open_display, at(621)) == (B, A)
    assert shown_lately(open_display, at(700)) == (B,)


def test_a_renewed_display_stays_on_screen() -> None:
    shown = Showing(A, 1, 0.0)
    displays = [WRITER.begun(shown), *(WRITER.still_on(shown, 60.0 * n) for n in range(1, 12)), WRITER.ended(Displayed(B, 2, 600.0, 660.0))]
    assert shown_lately(displays, at(720)) == (A, B)


@pytest.mark.parametrize("text", [None, "", "not json"])
def test_displays_from_elsewhere_count_as_well(text: str | None) -> None:
    event = Event(EventId("e"), host_of(ROOM), "display", START, ROOM, A, value=600.0, text=text)
    assert shown_lately([event], at(300)) == (A,)


def test_other_events_are_no_displays() -> None:
    click = Event(EventId("e"), host_of(ROOM), "click", START, ROOM, A, value=600.0)
    assert shown_lately([click], at(300)) == ()


displays_of_a_show = st.lists(
    st.builds(
        lambda product, began, dwell, is_over: (
            WRITER.ended(Displayed(product, began, float(began), began + dwell))
            if is_over
            else WRITER.begun(Showing(product, began, float(began)))
        ),
        st.sampled_from([A, B, C]),
        st.integers(0, 1_000),
        st.floats(0, 700),
        st.booleans(),
    ),
    max_size=20,
)


@settings(deadline=None)  # a busy machine is no fault
@given(displays_of_a_show, st.randoms(), st.floats(-100, 2_000))
def test_the_order_of_events_does_not_matter(displays: Sequence[Event], random: Random, now_s: float) -> None:
    shuffled = list(displays)
    random.shuffle(shuffled)
    lately = shown_lately(displays, at(now_s))
    assert lately == shown_lately(shuffled, at(now_s))
    assert len(lately) == len(set(lately))
    assert set(lately) <= {event.product_id for event in displays}
