"""The best of many rising scores are found without looking at all."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.recommend.leaders import Leaders

rises = st.lists(st.tuples(st.integers(0, 30), st.floats(0.1, 10.0), st.booleans()), max_size=200)


@given(steps=rises, size=st.integers(1, 10), refilled=st.integers(0, 200))
def test_the_best_are_always_among_the_leaders(steps: list[tuple[int, float, bool]], size: int, refilled: int) -> None:
    scores, leaders = np.zeros(31), Leaders(size)
    for number, (place, gain, halves) in enumerate(steps):
        if halves:
            scores *= 0.5
            leaders.scaled(0.5)
        scores[place] += gain
        leaders.rose(place, scores)
        if number == refilled:
            leaders.refill(scores)
        best = np.sort(scores)[::-1][:size]
        led = np.sort(scores[list(leaders)])[::-1][:size]
        assert led.tolist() == best[best > 0].tolist()
        assert len(leaders) <= 2 * size
