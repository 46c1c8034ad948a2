"""The rules find their wordings, in disguise too, leave ordinary speech alone, and point at the text they mean."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.compliance import ShopRule, check, shipped_rules
from graphs.reading.slots import facts_of
from models.demo.catalog import demo_documents, demo_products

CASES = json.loads(Path(__file__).with_name("cases.json").read_text(encoding="utf-8"))
WORDINGS = [case["text"] for case in CASES["found"]]
BYTES = 100_000  # of UTF-8
PIECES = [
    "最",
    "最好",
    "zuihao ",
    "a b ",
    "最....",
    "a1b2c3 ",
    "1",
    "原价",
    "was $1,111",
    "not a ",
    "the best ",
    "😀",
    "薇",
    "\u200b",
    "ﷺ",
    "a\u0301",
]


@pytest.mark.parametrize("case", CASES["found"], ids=lambda case: case["text"])
def test_a_minded_wording_is_found_where_it_stands(case: dict[str, str]) -> None:
    first = check(case["text"], "zh").findings[0]
    assert (first.rule, first.text) == (case["rule"], case["span"])
    assert case["text"][first.start : first.end] == case["span"]
    assert first.suggestion


@pytest.mark.parametrize("text", CASES["fine"])
def test_ordinary_speech_passes(text: str) -> None:
    assert check(text, "zh").findings == ()


def test_slogans_of_shops_are_found() -> None:
    assert [text for text in CASES["slogans"] if not check(text, "zh").findings] == []


def test_there_are_cases_enough() -> None:
    assert len(CASES["found"]) >= 60
    assert {case["rule"] for case in CASES["found"]} == {rule.name for rule in shipped_rules().rules}


def test_the_demo_shop_keeps_its_own_rules() -> None:
    texts = [fact.text for product in demo_products() for fact in facts_of(product)]
    texts += [text for document in demo_documents() for text in (document.question, document.answer, document.text) if text]
    assert [text for text in texts if check(text, "zh").findings] == []


def test_several_findings_come_in_the_order_of_the_text() -> None:
    findings = check("国家级工艺，原价199元，加微信付款，手慢无！", "zh").findings
    assert [f.rule for f in findings] == ["absolute_term", "price_basis", "off_platform_trade", "false_urgency"]


def test_an_exception_excuses_its_own_words_only() -> None:
    assert [f.text for f in check("本品不能代替药物，但可以根治失眠", "zh").findings] == ["根治"]


def test_a_basis_excuses_the_sentence_it_stands_in_only() -> None:
    assert [f.text for f in check("原价399元，依据是近 30 天成交价。市场价599元。", "zh").findings] == ["市场价599元"]


def test_a_note_passes() -> None:
    result = check("an eco-friendly bottle", "en")
    assert result.passed
    assert [f.rule for f in result.findings] == ["green_claim"]


def test_suggestions_come_in_the_language_asked_for() -> None:
    assert check("国家级的锅", "en").findings[0].suggestion.isascii()
    assert not check("国家级的锅", "zh").findings[0].suggestion.isascii()


@pytest.mark.parametrize(
    "text",
    ["最好的锅", "zui好的锅", "顶级面料", "最受欢迎的口红", "独一无二", "an unbeatable kettle", "我是真人主播", "I'm not a bot", "手慢无"],
)
def test_a_replacement_can_be_used_as_it_is(text: str) -> None:
    (found,) = check(text, "zh").findings
    assert found.instead is not None
    assert found.instead in found.suggestion
    assert check(text[: found.start] + found.instead + text[found.end :], "zh").findings == ()


@given(before=st.text(max_size=30), wording=st.sampled_from(WORDINGS), after=st.text(max_size=30))
def test_offsets_point_at_the_finding_and_never_overlap(before: str, wording: str, after: str) -> None:
    text = before + wording + after
    end_of_last = 0
    for finding in check(text, "zh").findings:
        assert text[finding.start : finding.end] == finding.text
        assert end_of_last <= finding.start < finding.end <= len(text)
        end_of_last = finding.end


@given(wordings=st.lists(st.sampled_from(WORDINGS), max_size=4))
def test_checking_again_finds_the_same(wordings: list[str]) -> None:
    text = "。".join(wordings)
    assert check(text, "zh") == check(text, "zh")
    assert [f.rule for f in check(text, "en").findings] == [f.rule for f in check(text, "zh").findings]


@given(padding=st.text(alphabet="好的😀 \n，。", max_size=20))
def test_a_wording_is_found_wherever_it_stands(padding: str) -> None:
    text = f"{padding}。国家级{padding}"
    assert any(finding.text == "国家级" for finding in check(text, "zh").findings)


@given(separators=st.lists(st.sampled_from(list(" *·-_~|😀⭐+\u200b\u2060")), max_size=6).map("".join))
def test_separators_hide_nothing(separators: str) -> None:
    text = f"这是{separators.join('国家级')}工艺"
    assert [f.rule for f in check(text, "zh").findings] == ["absolute_term"]


@given(word=st.text(alphabet="甲乙丙丁戊己庚辛", min_size=2, max_size=6), around=st.text(alphabet="子丑寅卯", max_size=5))
def test_a_word_of_the_shop_is_found_and_an_exception_takes_it_back(word: str, around: str) -> None:
    minding = shipped_rules().extended([ShopRule("own", (word,), advice={"zh": "不说。", "en": "Not said."})])
    assert word in [f.text for f in minding.check(around + word + around, "zh").findings]
    excusing = minding.extended([ShopRule("own", exceptions=(word,))])
    assert excusing.check(around + word + around, "zh").findings == ()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("piece", PIECES)
def test_a_long_hostile_text_is_read_in_one_pass(piece: str) -> None:
    text = piece * (BYTES // len(piece.encode()))
    assert all(text[f.start : f.end] == f.text for f in check(text, "zh").findings)
