from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.video.sampling import EPSILON_S, Sampler


@given(fps=st.floats(0.01, 60), pauses_s=st.lists(st.floats(0, 5), min_size=1, max_size=60))
def test_sampled_times_grow_and_keep_their_distance(fps: float, pauses_s: list[float]) -> None:
    sampler, time_s, taken = Sampler(fps), 0.0, []
    for pause_s in pauses_s:
        time_s += pause_s
        if sampler.takes(time_s):
            taken.append(time_s)
    assert taken[0] == pauses_s[0]
    for before, after in pairwise(taken):
        assert after - before >= 1 / fps - 2 * EPSILON_S


@given(fps=st.integers(1, 25), length=st.integers(1, 200))
def test_a_steady_video_is_sampled_at_the_nearest_slower_rate(fps: int, length: int) -> None:
    sampler = Sampler(fps)
    taken = [number for number in range(length) if sampler.takes(number / 50)]
    step = -(-50 // fps)
    assert taken == list(range(0, length, step))


@pytest.mark.parametrize("fps", [0, -1, float("nan")])
def test_a_rate_that_is_none_is_refused(fps: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        Sampler(fps)
