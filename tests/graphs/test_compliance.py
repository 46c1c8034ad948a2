"""The rules find their wordings, in disguise too, leave ordinary speech alone, and point at the text they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.compliance import check
from graphs.slots import facts_of
from models.demo.catalog import demo_documents, demo_products

WORDINGS = [
    "最好的锅",
    "全网第一",
    "国家级品质",
    "根治失眠",
    "原价199元",
    "the best pan in the world",
    "100% cure",
    "was $99",
    "加微信付款",
]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("这是全国第一的锅", "absolute_term"),
        ("国 家 级工艺", "absolute_term"),
        ("最\u200b好的选择", "absolute_term"),
        ("ＴＯＰ１品牌", "absolute_term"),
        ("The best blender in the world!", "absolute_term"),
        ("可以根治失眠", "effect_claim"),
        ("7天见效", "effect_claim"),
        ("a 100% cure for acne", "effect_claim"),
        ("原价 399 元，现在 199 元", "price_basis"),
        ("Was $99, now $49", "price_basis"),
        ("好评率99%", "sales_claim"),
        ("央视推荐", "false_honour"),
        ("错过后悔一辈子", "false_urgency"),
        ("加我微信下单", "off_platform_trade"),
    ],
)
def test_a_forbidden_wording_is_found(text: str, rule: str) -> None:
    result = check(text, "zh")
    assert not result.passed
    assert result.findings[0].rule == rule


@pytest.mark.parametrize(
    "text",
    [
        "",
        "最近上新，最后提醒一下",
        "第一次用先洗锅，最好先看说明",
        "最大承重 14 kg，最高速度 20 km/h",
        "原价 399 元（近 30 天成交价）",
        "It is number 1 on the shelf.",
        "It is a cosmetic, not a treatment.",
        "100 % European flax linen",
    ],
)
def test_ordinary_speech_passes(text: str) -> None:
    assert check(text, "zh").passed, check(text, "zh").findings


def test_the_demo_shop_keeps_its_own_rules() -> None:
    texts = [fact.text for product in demo_products() for fact in facts_of(product)]
    texts += [text for document in demo_documents() for text in (document.answer, document.text) if text]
    assert [text for text in texts if not check(text, "zh").passed] == []


def test_suggestions_come_in_the_language_asked_for() -> None:
    assert check("国家级的锅", "en").findings[0].suggestion.isascii()
    assert not check("国家级的锅", "zh").findings[0].suggestion.isascii()


@given(before=st.text(max_size=30), wording=st.sampled_from(WORDINGS), after=st.text(max_size=30))
def test_offsets_point_at_the_finding_and_never_overlap(before: str, wording: str, after: str) -> None:
    text = before + wording + after
    end_of_last = 0
    for finding in check(text, "zh").findings:
        assert text[finding.start : finding.end] == finding.text
        assert end_of_last <= finding.start < finding.end <= len(text)
        end_of_last = finding.end


@given(padding=st.text(alphabet="好的😀 \n，。", max_size=20))
def test_a_wording_is_found_wherever_it_stands(padding: str) -> None:
    text = f"{padding}。国家级{padding}"
    assert any(finding.text == "国家级" for finding in check(text, "zh").findings)
