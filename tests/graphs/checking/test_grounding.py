"""A figure without support is found however it is written; a supported one never is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.checking.grounding import ungrounded

FACTS = ["炒锅的价格是89元。", "炒锅的保修期是2 年。", "功率是800 W", "Watch, price: $1,249.50.", "Speeds: 12", "SPF50+", "净含量是1 kg"]


@pytest.mark.parametrize(
    "text",
    [
        "只要８９元",
        "¥89",
        "保修两年",
        "质保24个月",
        "0.8kW",
        "now $1249.50",
        "12 speeds",
        "spf50+",
        "1000克",
        "十分好用，一天一瓶",
        "2 steps",
        "",
        "没有数字",
    ],
)
def test_supported_figures_and_ways_of_speaking_pass(text: str) -> None:
    assert ungrounded(text, FACTS) == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("只要 99 元", "99 元"),
        ("€89", "€89"),
        ("保修三年", "三年"),
        ("打九折", "九折"),
        ("百分之五十的折扣", "百分之五十"),
        ("100%纯棉", "100%"),
        ("15 speeds", "15"),
        ("SPF30", "spf30"),
        ("三百块", "三百块"),
        ("800 g", "800 g"),
        ("１，２９９元", "1299元"),
    ],
)
def test_unsupported_figures_are_named(text: str, found: str) -> None:
    assert ungrounded(text, FACTS) == (found,)


@given(text=st.text(max_size=80))
def test_a_text_supports_itself(text: str) -> None:
    assert ungrounded(text, [text]) == ()


@given(value=st.integers(10, 10**7), unit=st.sampled_from(["元", "ml", "%", "小时", "W", " dollars"]))
def test_no_evidence_supports_no_figure(value: int, unit: str) -> None:
    assert len(ungrounded(f"it is {value}{unit}", [])) == 1
    assert ungrounded(f"it is {value}{unit}", [f"{value}{unit}"]) == ()
