"""Broken mixtures of two languages are seen; names and units in the other script are not taken for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.checking.language import is_glued, is_in_language
from models.types import Language


@pytest.mark.parametrize("text", ["The发货很快", "快递The发", "The3 is 到 5 天", "发货within两天"])
def test_english_against_chinese_is_seen(text: str) -> None:
    assert is_glued(text, ["发货很快", "快递 3 到 5 天"])


@pytest.mark.parametrize("text", ["支持USB充电", "A型插头", "5V输入", "ships in 3 days", "发货很快"])
def test_known_words_may_stand_against_chinese(text: str) -> None:
    assert not is_glued(text, ["USB 充电，A型插头，5V", "Ships in 3 days"])


@pytest.mark.parametrize(
    ("text", "language", "fits"),
    [
        ("当天发货", "zh", True),
        ("Fjellmark Trail 防水", "zh", True),
        ("The order ships", "zh", False),
        ("It ships the same day", "en", True),
        ("当天发货", "en", False),
        ("12", "en", True),
    ],
)
def test_the_language_is_that_of_the_words_beside_names(text: str, language: Language, fits: bool) -> None:
    assert is_in_language(text, language, ["Fjellmark Trail"]) is fits


@given(st.text(max_size=40))
def test_a_text_is_never_glued_against_itself(text: str) -> None:
    assert not is_glued(text, [text])
