"""Segmentation gives terms that an index takes, whatever the text."""

from hypothesis import given
from hypothesis import strategies as st

from models.language.segment import grams, pieces, terms, words


@given(text=st.text(max_size=80))
def test_no_term_of_any_text_holds_white_space(text: str) -> None:
    assert all(term and not any(character.isspace() for character in term) for term in terms(text))


@given(text=st.text(max_size=80))
def test_the_same_text_has_the_same_terms_in_any_case_and_width(text: str) -> None:
    assert terms(text) == terms(text)
    assert words("ＳＰＦ５０ Batteries") == words("spf50 batteries")


@given(text=st.text(alphabet="防水手机a1 ", max_size=30))
def test_grams_lie_within_a_piece(text: str) -> None:
    bordered = [f"<{piece}>" for piece in pieces(text)]
    assert all(any(gram in piece for piece in bordered) for gram in grams(text))


def test_attribute_names_fall_into_words_and_plurals_meet() -> None:
    assert words("batteries_required") == ["batteri", "requir"]
    assert words("battery") == words("batteries")
    assert "3.7" in words("3.7v lipo")


def test_a_single_character_is_a_gram_of_its_own() -> None:
    assert grams("水") == ["水"]
    assert grams("a") == ["<a>"]
