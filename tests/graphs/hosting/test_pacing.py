from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.hosting.pacing import filled, joined, sentences_of, spoken_s


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(max_size=200))
def test_sentences_joined_are_the_text(text: str) -> None:
    assert "".join(sentences_of(text)) == text


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(st.sampled_from(["One two three. ", "Four five! ", "Six. "]), max_size=10), st.floats(0, 60))
def test_filling_ends_within_half_a_sentence(sentences: list[str], seconds: float) -> None:
    chosen = filled(sentences, ["Seven eight nine ten.", "Eleven."], seconds, "en")
    assert spoken_s(joined(chosen, "en"), "en") <= seconds + spoken_s("Seven eight nine ten.", "en") / 2 + 1e-9


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(alphabet="好 a1.,", max_size=30), st.text(alphabet="好 a1.,", max_size=30))
def test_more_text_never_takes_less_time(first: str, second: str) -> None:
    for language in ("zh", "en"):
        assert spoken_s(f"{first} {second}", language) >= spoken_s(first, language)


def test_figures_and_abbreviations_do_not_end_a_sentence() -> None:
    assert [s.strip() for s in sentences_of("It holds 1.5 L. 只要3.5分钟！好。")] == ["It holds 1.5 L.", "只要3.5分钟！", "好。"]


def test_a_spare_sentence_that_is_too_long_gives_way_to_a_shorter_one() -> None:
    assert filled(["One two."], ["Three four five six seven eight nine.", "Ten."], 1.3, "en") == ["One two.", "Ten."]
