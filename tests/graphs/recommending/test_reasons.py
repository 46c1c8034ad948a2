"""What is told is true of the viewer, and counts."""

from hypothesis import given
from hypothesis import strategies as st

from graphs.recommending.reasons import LEAST_SHARE, ON_SCREEN, TOUCHES, reason_text, telling
from models.recommend.history import INTEREST
from models.types import ProductId, SourceKind

LAMP, PEN = ProductId("lamp"), ProductId("pen")
TITLES = {LAMP: "Lamp", PEN: "Pen"}


def test_interest_is_read_as_the_sources_read_it() -> None:
    assert frozenset(INTEREST) == TOUCHES


def test_learned_sources_speak_of_what_the_viewer_did_and_else_of_the_screen() -> None:
    def said(source: SourceKind, because: ProductId | None, *touched: ProductId) -> str:
        return reason_text(source, because, TITLES, touched)

    assert said("ials", LAMP, LAMP) == "liked by viewers who, like you, liked Lamp"
    assert said("ials", None, LAMP) == "liked by viewers who like what you like"
    assert said("ials", LAMP, PEN) == said("ials", LAMP) == said("ials", None) == said("sequence", None) == ON_SCREEN
    assert "history like yours" in said("sequence", None, PEN)
    assert said("similar_to", LAMP) == "similar to Lamp"


@given(st.lists(st.floats(0.0, 1.0), min_size=1).map(lambda weights: sorted(weights, reverse=True)))
def test_what_is_told_leads_the_reasons_and_weighs_nearly_the_score(weights: list[float]) -> None:
    score = sum(weights)
    told = telling(weights, score, float)
    assert told == tuple(weights[: len(told)])
    assert told
    assert sum(told) >= score - len(weights) * LEAST_SHARE * score - 1e-9 or len(told) == 1
    assert all(weight >= LEAST_SHARE * score for weight in told) or len(told) == 1
