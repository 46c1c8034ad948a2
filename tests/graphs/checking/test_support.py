from hypothesis import given
from hypothesis import strategies as st

from graphs.checking.support import asked_beyond, content_of, is_broken, is_carried, unsupported


def test_function_words_carry_nothing() -> None:
    assert content_of("Is it the one that you have?") == frozenset()
    assert content_of("是不是可以的") == frozenset()


def test_plurals_and_widths_are_folded() -> None:
    assert content_of("ＭＵＧＳ") == content_of("mug")


def test_invented_words_are_not_carried() -> None:
    evidence = ["Material: waterproof nubuck leather"]
    assert is_carried("It is made of waterproof leather.", evidence)
    assert not is_carried("It was a gift of the queen.", evidence)


def test_of_two_words_none_may_be_invented() -> None:
    assert not is_carried("It is fireproof leather.", ["Material: waterproof nubuck leather"])
    assert not is_carried("防火皮革", ["防水皮革"])
    assert is_carried("防水皮革", ["防水皮革"])


def test_what_is_asked_does_not_count_the_product_name() -> None:
    assert asked_beyond("Who designed the Ostrelle rain jacket?", ["Ostrelle Packable Rain Jacket"]) == {"designed"}


def test_loops_are_seen() -> None:
    assert is_broken("对咖啡因，对咖啡因，对咖啡因，对咖啡因，")
    assert not is_broken("每天早晚各一次，每次两泵。")


@given(st.text(max_size=80))
def test_a_text_supports_itself(text: str) -> None:
    assert not unsupported(text, [text])
    assert is_carried(text, [text])


@given(st.text(max_size=60), st.lists(st.text(max_size=40), max_size=3), st.text(max_size=40))
def test_more_evidence_never_supports_less(text: str, evidence: list[str], more: str) -> None:
    assert unsupported(text, [*evidence, more]) <= unsupported(text, evidence)
