"""Splits by time: nothing that is to be foreseen is learnt from, and every target is new to its user."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.evaluation.protocols import PROTOCOLS, split
from models.interactions.log import Collector, Interactions, InteractionsError


def log_of(rows: list[tuple[int, int, int]], *, has_times: bool = True) -> Interactions:
    collector = Collector()
    for user, item, at in rows:
        collector.add(f"u{user}", f"i{item}", float(at))
    return collector.finish("rows", has_times=has_times)


def test_leave_one_out_asks_for_the_last_item_that_was_new() -> None:
    log = log_of([(0, 1, 1), (0, 2, 2), (0, 3, 3), (0, 1, 4), (1, 2, 1)])
    found = split(log, "leave-one-out")
    assert len(found.cases) == 1
    assert [log.items[item] for item in found.cases[0].history.items] == ["i1", "i2"]
    assert [log.items[item] for item in found.cases[0].targets] == ["i3"]
    assert len(found.train) == 3  # the one item of the other user is learnt from


def test_ratio_75_keeps_three_quarters_of_each_user() -> None:
    log = log_of([(user, item, item) for user in (0, 1) for item in range(8)])
    found = split(log, "ratio-75")
    assert [len(case.history.items) for case in found.cases] == [6, 6]
    assert [sorted(log.items[item] for item in case.targets) for case in found.cases] == [["i6", "i7"]] * 2


def test_time_75_cuts_at_one_moment_and_asks_about_users_who_are_new() -> None:
    log = log_of([(0, 1, 1), (0, 2, 2), (0, 3, 3), (1, 1, 4)])
    found = split(log, "time-75")
    assert [(case.history.user, len(case.history.items)) for case in found.cases] == [(1, 0)]
    with pytest.raises(InteractionsError, match="time-75 needs times"):
        split(log_of([(0, 1, 1), (0, 2, 2)], has_times=False), "time-75")


def test_a_log_that_leaves_nothing_to_foresee_is_refused() -> None:
    for protocol in PROTOCOLS:
        with pytest.raises(InteractionsError, match="nothing to foresee"):
            split(log_of([(0, 1, 1)]), protocol)
    with pytest.raises(InteractionsError, match="there is no protocol"):
        split(log_of([(0, 1, 1)]), "random")


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 30)), min_size=4, max_size=60), st.sampled_from(list(PROTOCOLS))
)
def test_nothing_to_be_foreseen_is_learnt_from(rows: list[tuple[int, int, int]], protocol: str) -> None:
    log = log_of(rows)
    try:
        found = split(log, protocol)
    except InteractionsError:
        assume(False)
        return
    learnt = {user: set(found.train.item[found.train.user == user].tolist()) for user in range(len(log.users))}
    for case in found.cases:
        targets = set(case.targets.tolist())
        assert targets
        assert not targets & learnt[case.history.user]
        assert set(case.history.items.tolist()) == learnt[case.history.user]
        before, after = (
            found.train.at[found.train.user == case.history.user],
            log.at[(log.user == case.history.user) & np.isin(log.item, case.targets)],
        )
        assert not len(before) or before.max() <= after.min()
