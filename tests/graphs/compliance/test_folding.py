import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.compliance.folding import fold
from graphs.compliance.sounds import Guard

GUARD = Guard(["最好", "国家级", "微信", "根治", "a"])


@pytest.mark.parametrize(
    ("given_", "folded"),
    [
        ("ＡＢＣ１２３", "abc123"),
        ("國家級", "国家级"),
        ("①❶⑴㈠1️⃣", "111一1"),
        ("最 佳 · 选*择", "最佳选择"),
        ("第一，第二", "第一,第二"),
        ("b.e.s.t pan", "best pan"),
        ("bеѕt", "best"),
        ("zuì hǎo", "zui hao"),
        ("café", "cafe"),
        ("最\u200b好\ufeff", "最好"),
        ("亻圭", "佳"),
        ("", ""),
    ],
)
def test_disguises_are_taken_off(given_: str, folded: str) -> None:
    assert fold(given_).text == folded


def test_clauses_and_words_stay_apart() -> None:
    assert fold("最近，好用").text == "最近,好用"
    assert fold("a big mug").text == "a big mug"
    assert fold("3 个\n最 5 号").text == "3 个\n最 5 号"


def test_digits_in_words_are_read_as_letters_beside_the_text_itself() -> None:
    assert fold("a mirac1e b3st").readings == ("a mirac1e b3st", "a miracie best", "a miracle best")
    assert fold("12 W, 5 kg").readings == ("12 w, 5 kg",)


@pytest.mark.parametrize(
    ("text", "restored"),
    [
        ("zui好", "最好"),
        ("最hao的", "最好的"),
        ("ZUI HAO 的", "最好 的"),
        ("guojia级", "国家级"),
        ("加薇信", "加微信"),
        ("最好", "最好"),
        ("gen治", "根治"),
        ("跟治", "跟治"),
        ("the best", "the best"),
    ],
)
def test_sounds_are_read_as_the_words_that_they_hide(text: str, restored: str) -> None:
    assert GUARD.restored(fold(text)).text == restored


def test_nothing_is_read_into_ordinary_latin_words() -> None:
    text = "Zui Coffee, hao Tea, weixing8"
    assert GUARD.restored(fold(text)).text == text.lower()


@given(st.text(max_size=120))
def test_any_text_can_be_folded_and_every_letter_knows_where_it_came_from(text: str) -> None:
    folded = GUARD.restored(fold(text))
    assert len(folded.text) == len(folded.letters)
    assert all(len(reading) == len(folded.text) for reading in folded.readings)
    assert all(0 <= letter.start < letter.end <= len(text) for letter in folded.letters)
    assert [letter.start for letter in folded.letters] == sorted(letter.start for letter in folded.letters)


@given(st.text(alphabet="最好佳國家級zuihao ①１.*b e𝐬\u200b😀，。a\u0301", max_size=40))
def test_folding_what_is_folded_changes_nothing(text: str) -> None:
    once = GUARD.restored(fold(text)).text
    twice = GUARD.restored(fold(once)).text
    assert GUARD.restored(fold(twice)).text == twice


@given(st.characters())
def test_one_character_becomes_few(character: str) -> None:
    assert len(fold(character).text) <= 4
