"""All figures and words are in the evidence, and the text is still wrong: that is found, and nothing true is taken for it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.checking.contradiction import contradicts, misplaced
from graphs.checking.grounding import ungrounded

WRONG = [
    ("它可以机洗。", ["不可以机洗。"], "可以机洗吗"),
    ("支持无线充电", ["不支持无线充电"], "支持无线充电吗"),
    ("含酒精", ["不含酒精和香精"], "含酒精吗"),
    ("是的，含香精。", ["主要成分是神经酰胺和角鲨烷，不含酒精和香精。"], "含香精吗"),
    ("It is waterproof.", ["The watch is not waterproof."], "is it waterproof"),
    ("It is not waterproof.", ["The watch is waterproof."], "is it waterproof"),
    ("It can go in the dishwasher.", ["It cannot go in the dishwasher."], "dishwasher safe?"),
    ("容量是1.2 kg", ["重量：1.2 kg", "容量：500 ml"], "容量多大"),
    ("1.2 kg", ["重量：1.2 kg"], "容量多大"),
    ("保修期是24个月", ["保质期：24个月", "保修期：一年"], "保修多久"),
    ("battery life is 4 hours", ["It runs for 120 minutes on one charge", "Recharges in 4 hours"], ""),
    ("The price is 250.", ["Weight: 250 g", "price: $30"], "how much is it"),
    ("是的，容量是500ml", ["容量：500 ml"], "容量是700ml吗"),
    ("No, the capacity is 500 ml.", ["Capacity: 500 ml"], "is the capacity 500 ml?"),
]
RIGHT = [
    ("不可机洗，请用湿布擦拭", ["不可机洗，请用湿布擦拭。"], "可以机洗吗"),
    ("不含酒精", ["不含酒精和香精"], "含酒精吗"),
    ("不是，容量是500ml", ["容量：500 ml"], "容量是700ml吗"),
    ("是的，容量是500ml", ["容量：500 ml"], "容量是500ml吗"),
    ("重量是1.2 kg", ["重量：1.2 kg"], "多重"),
    ("304不锈钢内胆", ["内胆：304不锈钢"], "什么材质"),
    ("保修期是24个月", ["保质期：24个月", "保修期：两年"], "保修多久"),
    ("It uses 12 W, and it is made of aluminium.", ["power: 12 W", "material: aluminium"], "Does it waste energy?"),
    ("", [], ""),
]


@pytest.mark.parametrize(("text", "evidence", "question"), WRONG)
def test_what_turns_the_evidence_round_is_found(text: str, evidence: list[str], question: str) -> None:
    assert contradicts(text, evidence, question)


@pytest.mark.parametrize(("text", "evidence", "question"), RIGHT)
def test_what_the_evidence_says_passes(text: str, evidence: list[str], question: str) -> None:
    assert not contradicts(text, evidence, question)


@settings(deadline=None)
@given(weight=st.integers(10, 9999), capacity=st.integers(10, 9999))
def test_a_figure_belongs_to_its_own_property(weight: int, capacity: int) -> None:
    facts = [f"重量：{weight} 克", f"容量：{capacity} 毫升"]
    assert misplaced(f"重量是{weight}克", facts, "多重") == ()
    if weight != capacity:
        assert misplaced(f"容量是{weight}克", facts, "容量多大") == (f"{weight}克",)


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("适合身高120厘米", "身高 120-140 cm"),
        ("长50厘米", "50×52×82 cm"),
        ("一共30袋", "25 g×30 袋"),
        ("共十双", "数量：10 双"),
        ("30 left", "30件"),
    ],
)
def test_ranges_sizes_and_counts_are_read(text: str, evidence: str) -> None:
    assert ungrounded(text, [evidence]) == ()


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("一共六包", "8 包"),
        ("二十双", "数量：10 双"),
        ("1.2 g", "1.2 kg"),
        ("130到150厘米", "身高 120-140 cm"),
        ("12 kg", "1.2 kg"),
        ("九折", "9 袋"),
    ],
)
def test_other_units_and_counts_are_not_supported(text: str, evidence: str) -> None:
    assert ungrounded(text, [evidence]) != ()
